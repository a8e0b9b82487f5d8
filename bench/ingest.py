#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P2: what a status costs ecpd, beside a bare libmosquitto loop and beside the broker itself.

Sessions on a plain loopback listener (which only this benchmark opens) send statuses of quality 0 as
fast as the broker takes them. ecpd is the only subscriber, over its own mutual TLS; then, on the same
broker and over the same TLS, a program that only counts. Rounds alternate; each is complete when the
last status of every session has arrived, and a lost one fails.
"""
import argparse
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

from report import absent, code, figure
from swarms import Child, Swarm, cpu_seconds
from product import Plane, find, free_port, wait_for

PAIRS = 3
FILTER = "ecp/v1/agents/+/up/#"


def plain_broker(folder, port):
    """A program that ecpd takes for mosquitto: it is, with one listener more."""
    program = folder / "mosquitto-with-plain-listener"
    program.write_text(
        "#!/bin/sh\n"
        f'{{ cat "$2"; printf "listener {port} 127.0.0.1\\nallow_anonymous true\\n"; }} > "$2.bench"\n'
        'exec /usr/sbin/mosquitto -c "$2.bench"\n'
    )
    program.chmod(0o755)
    return program


class Round:
    """CPU seconds of a subscriber and of the broker, for the statuses of one blast."""

    def __init__(self, plane, swarm, each):
        self.plane, self.swarm, self.each, self.told = plane, swarm, each, 0

    def run(self, pid, is_complete):
        broker = self.plane.broker_pid()
        self.told += self.each
        begun, before = time.monotonic(), (cpu_seconds(pid), cpu_seconds(broker))
        self.swarm.tell(f"blast {self.each}")
        wait_for("the last statuses", is_complete, 120, 0.2)
        took = time.monotonic() - begun
        cpu = [now - then for now, then in zip((cpu_seconds(pid), cpu_seconds(broker)), before)]
        count = self.each * self.swarm.count
        return {"subscriber": cpu[0] / count * 1e6, "broker": cpu[1] / count * 1e6, "rate": count / took}

    def ecpd(self):
        """The last status of a session carries how many it has sent; what is shown is at most 5 s old."""

        def complete():
            pages = self.swarm.api.get(f"{self.swarm.place}/edgenodes?limit=200&offset=0")
            if any(node["buffered"] != self.told for node in pages["items"]):
                return False
            nodes = self.swarm.api.items(self.swarm.place + "/edgenodes")
            return all(node["buffered"] == self.told for node in nodes)

        figures = self.run(self.plane.process.child.pid, complete)
        log = self.plane.process.text()
        assert "one was dropped" not in log and "were dropped" not in log, "statuses were lost"
        return figures

    def bare(self):
        data = self.plane.data
        configured = re.search(r"CN ?= ?(\S+)", certificate_subject(data / "gateway.pem")).group(1)
        child = Child(
            [find("ecp-bare-subscriber"), self.plane.broker_port, data / "root-ca.pem", data / "gateway.pem",
             configured, FILTER],
            self.plane.folder / "bare.log",
        )
        try:
            child.expect("connected 1")
            wanted = child_count(child) + self.each * self.swarm.count
            return self.run(child.child.pid, lambda: child_count(child) >= wanted)
        finally:
            child.end()


def child_count(child):
    return child.status()["messages"]


def certificate_subject(path):
    return subprocess.run(
        ["openssl", "x509", "-noout", "-subject", "-in", path], capture_output=True, text=True, check=True
    ).stdout


def measure(plane, swarm, each):
    rounds = Round(plane, swarm, each)
    pairs = []
    rounds.ecpd()  # Warms up both.
    for _ in range(PAIRS):
        ours = rounds.ecpd()
        plane.process.stop()
        floor = rounds.bare()
        plane.process.start()
        wait_for("readiness", plane.healthy, 20)
        pairs.append((ours, floor))
    return pairs


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--messages", type=int, default=400_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        folder = pathlib.Path(name)
        port = free_port()
        extra = f"  mosquitto: {plain_broker(folder, port)}\n  keep_running: true\n"
        plane = Plane(folder, extra, heartbeat_s=300).start()
        swarm = None
        try:
            swarm = Swarm(plane, plane.bootstrap(), folder, options.sessions, ["--plain", port]).start()
            pairs = measure(plane, swarm, options.messages // swarm.count)
            octets = swarm.largest("state_octets")
            dropped = (plane.data / "broker" / "mosquitto.log").read_text().count("dropped")
            assert dropped == 0, "the broker dropped statuses"
            report(pairs, octets, swarm.count)
        finally:
            broker = plane.broker_pid()
            if swarm:
                swarm.end()
            plane.stop()
            end_process(broker)
    return code()


def end_process(pid):
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass


def report(pairs, octets, sessions):
    def median(what):
        return statistics.median(what(ours, floor) for ours, floor in pairs)

    ours, bare = median(lambda o, _: o["subscriber"]), median(lambda _, f: f["subscriber"])
    broker, rate = median(lambda o, _: o["broker"]), median(lambda o, _: o["rate"])
    to_bare = median(lambda o, f: o["subscriber"] / f["subscriber"])
    to_broker = median(lambda o, _: o["subscriber"] / o["broker"])
    value = f"{ours:.1f} us CPU of ecpd each, 0 lost, {rate:.0f} /s"
    figure(f"P2 statuses of {octets} octets from {sessions} sessions, median of {len(pairs)}", value, to_bare,
           f"bare libmosquitto loop over the same TLS {bare:.1f} us", "<= 1.3", to_bare <= 1.3)
    figure("P2 the same beside the broker", value, to_broker, f"mosquitto {broker:.1f} us", "<= 0.5",
           to_broker <= 0.5)
    absent("P2", "ThingsBoard, Eclipse Ditto", "no Debian package")


if __name__ == "__main__":
    sys.exit(main())
