#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From the API's answer to a changed data-tag configuration until the edge applies it.

Each change gives the tags another name; the first stored value under that name proves that the edge
polls as configured. The stated time is when the edge read it, so the way back is not counted, and
the clock is one: everything is on this machine.
"""
import datetime
import pathlib
import statistics
import sys
import tempfile
import time

from furnace import polled_furnace
from product import pipeline_config, wait_for
from report import absent, code, figure, percentile

CHANGES, INTERVAL_MS, GOAL_S = 20, 100, 1.0


def changed_config(port, number):
    config = pipeline_config(port, INTERVAL_MS)
    config["drivers"][0]["groups"][0]["tags"][0]["name"] = f"temperature-{number}"
    return config


def has_value(api, path, tag):
    return any(item["tag"] == tag and item["quality"] != "bad" for item in api.get(path + "/values")["items"])


def change(api, path, port, number):
    """(seconds to the first sample's own time, seconds to its being stored) after the API's answer."""
    revision = api.get(path)["revision"]
    api.call("PATCH", path, {"config": changed_config(port, number)}, {"If-Match": f'"{revision}"'})
    answered, begun = time.time(), time.monotonic()
    tag = f"plc/fast/temperature-{number}"
    wait_for(tag, lambda: has_value(api, path, tag), 30, 0.01)
    stored = time.monotonic() - begun
    bounds = [
        datetime.datetime.fromtimestamp(answered + seconds, datetime.timezone.utc).isoformat(timespec="milliseconds")
        for seconds in (-60, 60)
    ]
    first = api.get(path + "/samples", **{"tag": tag, "from": bounds[0], "to": bounds[1], "limit": 1})["items"][0]
    read = datetime.datetime.fromisoformat(first["time"].replace("Z", "+00:00")).timestamp()
    return max(0.0, read - answered), stored


def main():
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as folder:
        with polled_furnace(pathlib.Path(folder), INTERVAL_MS) as here:
            times = []
            for number in range(CHANGES):
                times.append(change(here.api, here.service, here.port, number))
                time.sleep(0.3)
    applied, stored = ([pair[i] for pair in times] for i in range(2))
    median = statistics.median(applied)
    figure(f"changed data tags applied at the edge, median of {CHANGES}",
           f"{median * 1000:.0f} ms (p95 {percentile(applied, 95) * 1000:.0f} ms; first value stored after "
           f"{statistics.median(stored) * 1000:.0f} ms)", goal="<= 1000", good=median <= GOAL_S)
    absent("changed data tags", "KubeEdge, EMQX ECP", "no Debian package")
    return code()


if __name__ == "__main__":
    sys.exit(main())
