#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a control plane of some size costs: CPU, memory, disk and network, as a table for docs/sizing.md.

    bench/sizing.py [--nodes 100,1000,10000] [--tags 0,10] [--seconds 60] [--into docs/sizing.md]

The nodes are agents of ecp-swarm over mutual TLS with a heartbeat every 15 s. With tags, each collects so
many once a second and sends them every ten seconds; a row whose samples do not all arrive says so.
"""
import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import time

from footprint import memory
from octets import Counted, ports_of, why_not
from report import machine
from swarms import Swarm, cpu_seconds
from product import Plane, wait_for

HUGE = 5_000  # From here on heartbeats alone: ten tags each would be more than one SQLite takes.
MARK = "<!-- made by bench/sizing.py -->"
HEARTBEAT_S, MONTH_S, DAY_S = 15, 30 * 24 * 3600, 24 * 3600
HEAD = ("| nodes | tags at 1 Hz each | samples/s stored | ecpd CPU | broker CPU | ecpd memory | broker memory "
        "| values on disk a day | octets a sample | network of a node a month |")
SERVICE = {"kind": "pipeline", "runtime": "builtin", "config": {"drivers": []}}


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def give_services(swarm):
    """An edge service to each node, so that it may send values."""
    for node in swarm.api.items(swarm.place + "/edgenodes"):
        swarm.api.post(swarm.place + "/edgeservices", {"name": "s-" + node["name"], "node": node["id"], **SERVICE})
    wait_for("values of every node", lambda: swarm.total("collecting") == swarm.count, 300, 0.5)


class Look:
    """What was used between two moments."""

    def __init__(self, plane, swarm, counter):
        self.plane, self.swarm, self.counter = plane, swarm, counter
        self.pids = plane.process.child.pid, plane.broker_pid()
        self.before = self.now()

    def now(self):
        return {
            "time": time.monotonic(),
            "cpu": [cpu_seconds(pid) for pid in self.pids],
            "stored": self.swarm.total("samples_stored"),
            "made": self.swarm.total("samples_made"),
            "series": size_of(self.plane.data / "series"),
            "octets": sum(self.counter.read()) if self.counter else None,
        }

    def row(self, tags):
        after, before = self.now(), self.before
        took = after["time"] - before["time"]
        stored = after["stored"] - before["stored"]
        ecpd, broker = [(now - then) / took * 100 for now, then in zip(after["cpu"], before["cpu"])]
        grown = after["series"] - before["series"]
        network = "not counted"
        if self.counter:
            octets = after["octets"] - before["octets"]
            network = f"{octets / took * MONTH_S / self.swarm.count / 1e6:.0f} MB"
        behind = "" if stored >= 0.9 * (after["made"] - before["made"]) else " (does not keep up)"
        cells = (
            self.swarm.count, tags, f"{stored / took:.0f}{behind}", f"{ecpd:.1f} % of a core",
            f"{broker:.1f} % of a core", *(f"{memory(pid)[0]:.0f} MiB" for pid in self.pids),
            f"{grown / took * DAY_S / 1e6:.0f} MB" if tags else "-", f"{grown / stored:.1f}" if stored else "-", network,
        )
        return "| " + " | ".join(map(str, cells)) + " |"


def rows_of(nodes, tag_counts, seconds):
    """All rows of one size; each number of tags has a plane of its own."""
    for tags in tag_counts:
        with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name, contextlib.ExitStack() as running:
            folder = pathlib.Path(name)
            plane = Plane(folder, heartbeat_s=HEARTBEAT_S).start()
            running.callback(plane.stop)
            swarm = Swarm(plane, plane.bootstrap(), folder, nodes, ["--tags", tags])
            running.callback(swarm.end)
            swarm.start()
            if tags:
                give_services(swarm)
            counter = None
            if not why_not():
                own = ports_of(plane.process.child.pid, plane.broker_port)
                counter = Counted(f"{nodes}_{tags}", plane.broker_port, but=own)
                running.callback(counter.end)
            time.sleep(2 * HEARTBEAT_S)  # First heartbeats are larger, first batches are spread.
            look = Look(plane, swarm, counter)
            time.sleep(seconds)
            yield look.row(tags)


def numbers(text):
    return [int(word) for word in text.split(",")]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--nodes", type=numbers, default=[100, 1000, 10_000])
    parser.add_argument("--tags", type=numbers, default=[0, 10])
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--into", type=pathlib.Path, help="a file whose table, at its end, is made anew")
    options = parser.parse_args()
    lines = [
        f"{machine()}, load {os.getloadavg()[0]:.1f} at the start, {options.seconds} s a row.",
        "", HEAD, "|---" * HEAD.count(" | ") + "|---|",
    ]
    print("\n".join(lines), flush=True)
    for nodes in options.nodes:
        for row in rows_of(nodes, options.tags if nodes < HUGE else [0], options.seconds):
            lines.append(row)
            print(row, flush=True)
    if options.into:
        kept = options.into.read_text().split(MARK)[0]
        options.into.write_text(kept + MARK + "\n\n" + "\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
