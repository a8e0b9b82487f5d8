#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P16: the broker is killed, and all agents come back at once, with ecpd and without.

The agents dial again half a second after each failure, all together, which the product's own never do:
it is the worst case. Their patience with a connection is two minutes instead of the product's 10 s,
because so many handshakes at once hold each other up; both sides of the comparison have it. Without
ecpd it is the same broker with the same configuration and plugin, started by this program.
"""
import argparse
import os
import pathlib
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

from report import code, figure
from swarms import TICKS, Swarm, cpu_seconds
from product import Plane, wait_for

RETRY_MS, PATIENCE_S = 500, 120
CALM_S = 10  # Longer than it takes an alarm to show.


def started_at(pid):
    """When a process began, by the clock of time.clock_gettime(CLOCK_BOOTTIME)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[19]) / TICKS


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Storm:
    """Kills the broker, and tells when all sessions are new ones."""

    def __init__(self, plane, swarm):
        self.plane, self.swarm = plane, swarm
        self.broker = None  # Ours, while there is no ecpd.

    def broker_pid(self):
        return self.broker.pid if self.broker else self.plane.broker_pid()

    def start_broker(self):
        config = self.plane.data / "broker" / "mosquitto.conf"
        with open(self.plane.folder / "own-broker.log", "ab") as log:
            self.broker = subprocess.Popen(["/usr/sbin/mosquitto", "-c", config], stdout=log, stderr=log)

    def new_broker(self, old):
        """The process id of the broker that is there after the old one."""
        if self.broker:
            self.broker.wait()
            self.start_broker()
            return self.broker.pid
        record = self.plane.data / "broker" / "broker.process"

        def relaunched():
            words = record.read_text().split()
            return int(words[0]) if words and int(words[0]) != old else None

        return wait_for("another broker", relaunched, 60, 0.01)

    def all_connected(self, sessions):
        status = [part.status() for part in self.swarm.parts]
        return (sum(each["sessions"] for each in status) >= sessions
                and sum(each["connected"] for each in status) == self.swarm.count)

    def strike(self):
        """(seconds from the new broker's start until all are connected, its process id, when that was)."""
        old = self.broker_pid()
        sessions = self.swarm.total("sessions") + self.swarm.count
        os.kill(old, signal.SIGKILL)
        pid = self.new_broker(old)
        wait_for("all sessions", lambda: self.all_connected(sessions), 240, 0.02)
        done = now()
        return done - started_at(pid), pid, done

    def stored_connections(self):
        """The sum of the counters of connections that ecpd has stored."""
        database = sqlite3.connect(f"file:{self.plane.data / 'ecpd.db'}?mode=ro", uri=True)
        try:
            return database.execute("SELECT sum(connection) FROM fleet_node_status").fetchone()[0]
        finally:
            database.close()

    def with_ecpd(self):
        ecpd = self.plane.process.child.pid
        cpu = cpu_seconds(ecpd)
        took, broker, done = self.strike()
        while self.stored_connections() != self.swarm.total("connections"):
            assert now() - done < 60, "ecpd does not know of every connection"
            time.sleep(0.02)
        consistent = now() - done
        share = (cpu_seconds(ecpd) - cpu) / cpu_seconds(broker)
        time.sleep(CALM_S)
        assert self.swarm.online() == self.swarm.count, "somebody who is connected is shown as away"
        alarms = self.swarm.api.get(self.swarm.place + "/alarms?limit=1")["total"]
        return {"took": took, "consistent": consistent, "share": share, "alarms": alarms}

    def without_ecpd(self):
        """Ends ecpd and its broker for one storm on a broker of our own."""
        self.plane.process.stop()
        self.start_broker()
        wait_for("all connected again", lambda: self.swarm.total("connected") == self.swarm.count, 240, 0.1)
        time.sleep(2)
        try:
            return {"took": self.strike()[0]}
        finally:
            self.broker.kill()
            self.broker.wait()
            self.broker = None
            self.plane.process.start()
            wait_for("readiness", self.plane.healthy, 20)
            wait_for("all connected again", lambda: self.swarm.total("connected") == self.swarm.count, 240, 0.1)
            self.swarm.wait_online()
            time.sleep(2)


def report(pairs, count):
    def median(what):
        return statistics.median(what(ours, floor) for ours, floor in pairs)

    ours, floor = median(lambda o, _: o["took"]), median(lambda _, f: f["took"])
    ratio = median(lambda o, f: o["took"] / f["took"])
    manner = f"retry {RETRY_MS} ms without jitter, patience {PATIENCE_S} s, median of {len(pairs)}"
    figure(f"P16 {count} agents back at once ({manner})", f"{ours:.1f} s", ratio,
           f"the same without ecpd {floor:.1f} s", "<= 1.15", ratio <= 1.15)
    consistent = median(lambda o, _: o["consistent"])
    figure("P16 ecpd knows every connection after the last CONNACK", f"{consistent * 1000:.0f} ms",
           goal="<= 500 ms", good=consistent <= 0.5)
    share = median(lambda o, _: o["share"])
    figure("P16 CPU of ecpd in the storm", f"{share:.2f} of the broker's", share, "the broker", "<= 0.3", share <= 0.3)
    alarms = max(ours["alarms"] for ours, _ in pairs)
    figure("P16 false alarms", str(alarms), goal="0", good=alarms == 0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        folder = pathlib.Path(name)
        plane = Plane(folder, heartbeat_s=15).start()
        swarm = None
        try:
            manner = ["--retry", RETRY_MS, "--patience", PATIENCE_S]
            swarm = Swarm(plane, plane.bootstrap(), folder, options.agents, manner).start()
            storm = Storm(plane, swarm)
            report([(storm.with_ecpd(), storm.without_ecpd()) for _ in range(options.pairs)], swarm.count)
        finally:
            if swarm:
                swarm.end()
            plane.stop()
    return code()


if __name__ == "__main__":
    sys.exit(main())
