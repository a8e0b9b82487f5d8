#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P1 and P3: many agents over mutual TLS held by one ecpd on SQLite, and a change rolled out to all.

The agents are two processes of ecp-swarm, which speak the real protocol; ecpd and its broker are the
release build. Prints memory per agent beside mosquitto's own, CPU, and the roll-out rate.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import Plane, find, make_project, wait_for  # noqa: E402
from footprint import memory  # noqa: E402

STEADY_S = int(os.environ.get("ECP_BENCH_STEADY_S", "60"))
TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Swarm:
    def __init__(self, plane, token_file, folder, first, count):
        inner = folder / f"swarm-{first}"
        inner.mkdir()
        self.log = open(folder / f"swarm-{first}.log", "wb")
        self.child = subprocess.Popen(
            [find("ecp-swarm"), plane.url, plane.data / "root-ca.pem", token_file, inner, str(first), str(count)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )

    def line(self):
        text = self.child.stdout.readline()
        assert text, "a swarm process ended"
        return text.strip()

    def ask(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()
        return self.line()

    def status(self):
        return {name: int(value) for name, value in (pair.split("=") for pair in self.ask("status").split())}

    def end(self):
        self.child.kill()
        self.child.wait()
        self.log.close()


def total(swarms, name):
    return sum(swarm.status()[name] for swarm in swarms)


def online(api, place):
    return api.get(f"{place}/edgenodes?state=online&limit=1")["total"]


def some_nodes(api, place, count):
    return api.get(f"{place}/edgenodes?state=online&limit={count}")["items"]


def cut_time(api, place, swarms, node):
    """Seconds from asking to revoke a node until its session is gone."""
    before = total(swarms, "connected")
    begun = time.monotonic()
    api.call("POST", f"{place}/edgenodes/{node}/revoke")
    wait_for("the cut", lambda: total(swarms, "connected") < before, 30, 0.01)
    return time.monotonic() - begun


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--agents", type=int, default=2000)
    options = parser.parse_args()
    half = options.agents // 2
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        folder = pathlib.Path(name)
        plane = Plane(folder, heartbeat_s=15).start()
        swarms = []
        try:
            api = plane.bootstrap()
            _, place = make_project(api)
            token = api.post(
                place + "/enrollment-tokens", {"name": "swarm", "uses": options.agents, "expires_in_s": 7200}
            )
            token_file = folder / "token"
            token_file.write_text(token["token"])
            token_file.chmod(0o600)
            ecpd, broker = plane.process.child.pid, plane.broker_pid()
            before = memory(ecpd)[0], memory(broker)[0]
            begun = time.monotonic()
            swarms = [Swarm(plane, token_file, folder, first, half) for first in (0, half)]
            for swarm in swarms:
                assert swarm.line() == f"enrolled {half}"
            enrolled = time.monotonic() - begun
            for swarm in swarms:
                assert swarm.line() == f"connected {half}"
            wait_for("all online", lambda: online(api, place) == 2 * half, 120)
            print(f"P1 {2 * half} agents enrolled at {2 * half / enrolled:.0f}/s and online")
            cpu, start = cpu_seconds(ecpd), time.monotonic()
            time.sleep(STEADY_S)
            share = (cpu_seconds(ecpd) - cpu) / (time.monotonic() - start) * 100
            per_agent = (memory(ecpd)[0] - before[0]) * 1024 / (2 * half)
            broker_each = (memory(broker)[0] - before[1]) * 1024 / (2 * half)
            resident = memory(ecpd)[0]
            good = per_agent / broker_each <= 0.6 and resident <= 40 and share <= 3
            print(
                f"P1 ecpd {per_agent:.2f} KiB/agent, mosquitto {broker_each:.2f} KiB/session, ratio "
                f"{per_agent / broker_each:.2f} (goal <= 0.6); ecpd RSS {resident:.1f} MiB (goal <= 40); "
                f"CPU {share:.1f} % of a core (goal <= 3) {'PASS' if good else 'MISS'}"
            )
            manifests, acknowledged = (total(swarms, name) for name in ("manifests", "acknowledged"))
            cpu = cpu_seconds(ecpd), cpu_seconds(broker)
            begun = time.monotonic()
            api.post(
                place + "/alarmrules",
                {"name": "roll-out", "tag": "plc/fast/temperature", "operator": ">", "threshold": 80,
                 "hysteresis": 1, "for_ms": 0, "severity": "critical"},
            )
            wait_for(
                "every manifest",
                lambda: total(swarms, "manifests") >= manifests + 2 * half, 300, 0.05,
            )
            took = time.monotonic() - begun
            wait_for(
                "every acknowledgement",
                lambda: total(swarms, "acknowledged") >= acknowledged + 2 * half, 300, 0.05,
            )
            full = time.monotonic() - begun
            spent = (cpu_seconds(ecpd) - cpu[0]) + (cpu_seconds(broker) - cpu[1])
            assert total(swarms, "bad") == 0
            print(
                f"P3 one project-wide rule to {2 * half} agents: at the agent in {took:.2f} s "
                f"({2 * half / took:.0f}/s), reported and durably stored in {full:.2f} s ({2 * half / full:.0f}/s), "
                f"{spent / (2 * half) * 1e6:.0f} us CPU of ecpd and broker each"
            )
            print("P3 floor: the raw roll-out over mutual TLS is not measured; no ratio")
            begun, sessions, dropped = time.monotonic(), total(swarms, "sessions"), min(1000, half)
            swarms[0].ask(f"reset {dropped}")
            wait_for("all sessions again", lambda: total(swarms, "sessions") >= sessions + dropped, 120, 0.05)
            wait_for("all online again", lambda: online(api, place) == 2 * half, 120)
            print(f"P1 {dropped} sockets reset: all online again after {time.monotonic() - begun:.1f} s")
            worst = max(cut_time(api, place, swarms, node["id"]) for node in some_nodes(api, place, 10))
            print(f"P1 ten agents revoked one by one: each cut within {worst * 1000:.0f} ms (goal <= 5000)")
        finally:
            for swarm in swarms:
                swarm.end()
            plane.stop()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
