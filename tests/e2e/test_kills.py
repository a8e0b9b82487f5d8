# SPDX-License-Identifier: Apache-2.0
"""Kill -9 of ecpd, agent and broker, in the middle of telemetry and of changes of desired state.

ECP_KILLS sets the number of kills (10 here, 100 in the soak), ECP_SEED repeats a run.
"""
import datetime
import math
import os
import random
import signal
import statistics
import time

from product import Plane, add_pipeline, make_edge, make_project, pipeline_config, wait_for
from platform_parts import Refused

KILLS = int(os.environ.get("ECP_KILLS", "10"))
SEED = int(os.environ.get("ECP_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 31)
RECOVERY_MAX_S, RECOVERY_P95_S = 15.0, 5.0
ENOUGH_FOR_P95 = 100
INTERVAL_MS = 100


TAGS = ("plc/fast/temperature", "plc/fast/counter", "plc/fast/setpoint")


def stored(api, path):
    """All samples of a service that the control plane holds, as (tag, time) pairs."""
    now = datetime.datetime.now(datetime.timezone.utc)
    begin, end = ((now + datetime.timedelta(days=days)).isoformat(timespec="milliseconds") for days in (-2, 2))
    found = []
    for tag in TAGS:
        start = begin
        while True:
            page = api.get(
                path + "/samples",
                **{"tag": tag, "from": start, "to": end, "limit": 1000},
            )["items"]
            found += [(tag, item["time"]) for item in page]
            if len(page) < 1000:
                break
            last = datetime.datetime.fromisoformat(page[-1]["time"].replace("Z", "+00:00"))
            start = (last + datetime.timedelta(milliseconds=1)).isoformat(timespec="milliseconds")
    return found


class Rig:
    def __init__(self, plane, api, place, edge, service):
        self.plane, self.api, self.place, self.edge, self.service = plane, api, place, edge, service
        self.path = f"{place}/edgeservices/{service['id']}"
        self.precision = 2

    def newest(self):
        try:
            items = self.api.get(self.path + "/values")["items"]
        except (Refused, OSError):
            return ""
        return max((item["time"] for item in items), default="")

    def change(self):
        """Change the desired state; an unanswered change is unknown and read back later."""
        self.precision = 1 + self.precision % 4
        config = pipeline_config(self.plant_port, INTERVAL_MS)
        config["drivers"][0]["groups"][0]["tags"][0]["precision"] = self.precision
        try:
            revision = self.api.get(self.path)["revision"]
            self.api.call("PATCH", self.path, {"config": config}, {"If-Match": f'"{revision}"'})
        except (Refused, OSError):
            pass

    def kill(self, victim):
        if victim == "ecpd":
            self.plane.process.kill()
            self.plane.process.start()
        elif victim == "agent":
            self.edge.process.kill()
            self.edge.process.start()
        else:
            os.kill(self.plane.broker_pid(), signal.SIGKILL)


def test_kills_lose_and_double_nothing(tmp_path, plant, capsys):
    rng = random.Random(SEED)
    plane = Plane(tmp_path).start()
    edge = None
    try:
        api = plane.bootstrap()
        _, place = make_project(api)
        edge = make_edge(plane, api, place, tmp_path, "gateway-1")
        rig = Rig(plane, api, place, edge, add_pipeline(api, place, edge.node, plant.port, "s", INTERVAL_MS))
        rig.plant_port = plant.port
        wait_for("the first values", rig.newest, 10)
        times = {"ecpd": [], "agent": [], "broker": []}
        for _ in range(KILLS):
            time.sleep(rng.uniform(0.2, 2.0))
            if rng.random() < 0.5:
                rig.change()
            victim = rng.choice(sorted(times))
            begun = time.monotonic()
            rig.kill(victim)
            # The first sample read after the kill proves the whole line, from register to series.
            mark = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
            wait_for(f"values after {victim} (seed {SEED})", lambda m=mark: rig.newest() > m, 60, 0.02)
            times[victim].append(time.monotonic() - begun)
        # Heal, stop collecting, and compare both ends' counts.
        command = rig.api.post(rig.path + "/commands", {"action": "stop"})
        wait_for("the stop", lambda: api.get(f"{place}/commands/{command['id']}")["state"] == "done", 30)
        drained = edge.drained()
        edge.stop()
        assert edge.counters() == drained, "samples came after the stop"
        _, committed, dropped = drained
        assert dropped == 0
        held = stored(api, rig.path)
        assert len(held) == committed, f"seed {SEED}: {len(held)} held, {committed} committed"
        assert len(set(held)) == committed, f"seed {SEED}: a sample is there twice"
        plane.stop()
        verified = plane.command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        everything = sorted(value for group in times.values() for value in group)
        p95 = everything[math.ceil(len(everything) * 0.95) - 1]
        with capsys.disabled():
            print(f"\n{KILLS} kills (seed {SEED}): {committed} samples stored, {len(held)} held; recovery median "
                  f"{statistics.median(everything):.2f} s, p95 {p95:.2f} s, largest {everything[-1]:.2f} s")
        assert everything[-1] <= RECOVERY_MAX_S
        assert len(everything) < ENOUGH_FOR_P95 or p95 <= RECOVERY_P95_S
    finally:
        if edge:
            edge.stop()
        plane.stop()


def test_an_admin_of_a_dead_plane_loses_nothing_that_was_answered(tmp_path):
    """[I1] what was answered with success is there after kill -9."""
    plane = Plane(tmp_path).start()
    try:
        api = plane.bootstrap()
        names = []
        for number in range(30):
            names.append(api.post("/api/v1/orgs", {"name": f"org {number}"})["name"])
        plane.process.kill()
        plane.start()
        api = plane.log_in("ada@example.com")
        assert {org["name"] for org in api.items("/api/v1/orgs")} >= set(names)
    finally:
        plane.stop()
