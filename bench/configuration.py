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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import (  # noqa: E402
    ROOT, Plane, Process, add_pipeline, free_port, make_edge, make_project, pipeline_config, wait_for,
)
from report import absent, code, figure, percentile  # noqa: E402

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
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        folder, port = pathlib.Path(name), free_port()
        plant = Process("plant", ["/usr/bin/python3", ROOT / "tools/plant/plant.py", "--port", port], folder).start()
        plane, edge = Plane(folder).start(), None
        try:
            wait_for("the plant", lambda: "ready" in plant.text(), 15)
            api = plane.bootstrap()
            _, place = make_project(api)
            edge = make_edge(plane, api, place, folder, "gateway-1")
            service = add_pipeline(api, place, edge.node, port, "bench", INTERVAL_MS)
            path = f"{place}/edgeservices/{service['id']}"
            wait_for("values", lambda: len(api.get(path + "/values")["items"]) >= 3, 15)
            times = []
            for number in range(CHANGES):
                times.append(change(api, path, port, number))
                time.sleep(0.3)
        finally:
            if edge:
                edge.stop()
            plane.stop()
            plant.stop()
    applied, stored = ([pair[i] for pair in times] for i in range(2))
    median = statistics.median(applied)
    figure(f"changed data tags applied at the edge, median of {CHANGES}",
           f"{median * 1000:.0f} ms (p95 {percentile(applied, 95) * 1000:.0f} ms; first value stored after "
           f"{statistics.median(stored) * 1000:.0f} ms)", goal="<= 1000", good=median <= GOAL_S)
    absent("changed data tags", "KubeEdge, EMQX ECP", "no Debian package")
    return code()


if __name__ == "__main__":
    sys.exit(main())
