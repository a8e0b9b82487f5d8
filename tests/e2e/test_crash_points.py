# SPDX-License-Identifier: Apache-2.0
"""Each named crash point: the process dies there, starts again, and what was promised still holds.

Runs ecpd-crash and ecp-edge-crash, which alone have the points (lib/core/crash_point.hpp).
"""
import collections
import json
import re
import signal
import socket
import struct
import time

import pytest
from platform_parts import Receiver, Refused
from product import BUILD, ROOT, Edge, Plane, add_pipeline, find, make_edge, make_project, pipeline_config, wait_for
from test_kills import stored

INTERVAL_MS = 100
SECRET = "0123456789abcdef0123456789abcdef"
SETPOINT, WRITES = 6, 8  # Places of the plant's registers.
LIMIT = 500.0  # A set-point above it is an alarm.
LEASE_S = 60  # So long a notice waits whose sender died before sending it.


def points_in_code():
    call = re.compile(r'crash_at\("([a-z_.]+)"\)')
    return {name for path in (ROOT / "lib").rglob("*.cpp") for name in call.findall(path.read_text())}


class Rig:
    """One plane, one agent, one plant, one receiver of notices; either process can be armed."""

    def __init__(self, folder, plant):
        self.plant_port, self.folder = plant.port, folder
        self.log = folder / "crash-points.log"
        self.receiver = Receiver(SECRET)
        self.plane = Plane(folder, f'webhook:\n  allow: ["127.0.0.1:{self.receiver.port}"]\n')
        self.use(self.plane.process, "ecpd-crash")
        self.edge = None
        self.precision, self.raised, self.enrolled = 2, 0, 0

    def begin(self):
        self.plane.start()
        self.api = self.plane.bootstrap()
        _, self.place = make_project(self.api)
        self.edge = make_edge(self.plane, self.api, self.place, self.folder, "gateway")
        self.edge.stop()
        self.use(self.edge.process, "ecp-edge-crash")
        self.edge.start()
        self.service = add_pipeline(
            self.api, self.place, self.edge.node, self.plant_port, "s", INTERVAL_MS)["id"]
        self.path = f"{self.place}/edgeservices/{self.service}"
        self.api.post(
            self.place + "/webhooks",
            {"name": "hook", "url": f"http://127.0.0.1:{self.receiver.port}/", "secret": SECRET},
        )
        self.api.post(
            self.place + "/alarmrules",
            {"name": "too high", "service": self.service, "tag": "plc/fast/setpoint", "operator": ">",
             "threshold": LIMIT, "hysteresis": 1, "for_ms": 0, "severity": "critical"},
        )
        self.settle("the rig")

    def use(self, process, name):
        process.arguments[0] = str(find(name))
        process.environment["ECP_CRASH_LOG"] = str(self.log)

    # --- the plant's own side ---

    def modbus(self, function, rest):
        with socket.create_connection(("127.0.0.1", self.plant_port), timeout=5) as plant:
            plant.sendall(struct.pack(">HHHBB", 1, 0, len(rest) + 2, 1, function) + rest)
            answer = plant.recv(256)
        assert answer[7] == function, answer
        return answer[8:]

    def writes(self):
        return struct.unpack(">I", self.modbus(3, struct.pack(">HH", WRITES, 2))[1:5])[0]

    def turn(self, setpoint):
        self.modbus(16, struct.pack(">HHBf", SETPOINT, 2, 4, setpoint))

    # --- what is true when all is well ---

    def newest(self):
        try:
            return max((item["time"] for item in self.api.get(self.path + "/values")["items"]), default="")
        except (Refused, OSError):
            return ""

    def node(self):
        return next(node for node in self.api.items(self.place + "/edgenodes") if node["id"] == self.edge.node)

    def is_applied(self):
        node = self.node()
        return node["state"] == "online" and node["applied_generation"] == node["generation"]

    def settle(self, when):
        mark = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() % 1 * 1000):03}Z"
        wait_for(f"values after {when}", lambda: self.newest() > mark, 30)
        wait_for(f"the desired state after {when}", self.is_applied, 30)

    # --- what passes the points; each returns the check of what must be true afterwards ---

    def flow(self):
        return lambda: None

    def change(self):
        self.precision = 1 + self.precision % 4
        config = pipeline_config(self.plant_port, INTERVAL_MS)
        config["drivers"][0]["groups"][0]["tags"][0]["precision"] = self.precision
        before = self.api.get(self.path)
        self.attempt("PATCH", self.path, {"config": config}, {"If-Match": f'"{before["revision"]}"'})

        def check():
            wait_for("the change applied", self.is_applied, 20)
            assert self.api.get(self.path)["config"] == config

        return check

    def write(self):
        before, known = self.writes(), {command["id"] for command in self.api.items(self.place + "/commands")}
        self.attempt("POST", self.path + "/writes", {"tag": "plc/fast/setpoint", "value": 100})

        def check():
            mine = [c for c in self.api.items(self.place + "/commands") if c["id"] not in known]
            assert len(mine) == 1, mine
            place = f"{self.place}/commands/{mine[0]['id']}"
            ended = wait_for("the command's end", lambda: self.not_pending(place), 30)
            times = self.writes() - before
            assert ended["state"] in ("done", "unknown"), ended
            assert times == 1 if ended["state"] == "done" else times <= 1, (ended, times)

        return check

    def not_pending(self, place):
        command = self.api.get(place)
        return command if command["state"] != "pending" else None

    def alarm(self):
        self.turn(LIMIT + 100)
        self.raised += 1

        def check():
            wait_for("the notice", lambda: len(self.notices("raised")) == self.raised, LEASE_S + 20)
            self.turn(LIMIT - 100)
            wait_for("the clear", lambda: len(self.notices("cleared")) == self.raised, LEASE_S + 20)
            alarms = [a for a in self.api.items(self.place + "/alarms") if a["name"] == "too high"]
            assert len(alarms) == self.raised, alarms
            assert {a["state"] for a in alarms} == {"cleared"}
            # Told at least once; twice only where the crash came between sending and noting.
            told = collections.Counter(notice["id"] for notice in list(self.receiver.notices))
            assert max(told.values()) <= 2 and all(notice["signed"] for notice in self.receiver.notices)

        return check

    def notices(self, state):
        return {notice["id"] for notice in list(self.receiver.notices)
                if notice["body"]["state"] == state and notice["body"]["name"] == "too high"}

    def enroll(self):
        self.enrolled += 1
        name = f"late-{self.enrolled}"
        token = self.api.post(self.place + "/enrollment-tokens", {"name": name, "uses": 1, "expires_in_s": 600})
        edge = Edge(self.plane, self.folder, name)
        edge.enroll(token["token"])

        def check():
            again = edge.enroll(token["token"])
            assert again.returncode == 0, again.stderr
            assert sum(node["name"] == name for node in self.api.items(self.place + "/edgenodes")) == 1

        return check

    def attempt(self, *call):
        try:
            self.api.call(*call)
        except (Refused, OSError, json.JSONDecodeError):
            pass  # Its process died while answering.

    # --- the crash ---

    def crash(self, point, number, process, operation):
        process.kill()
        process.environment["ECP_CRASH_AT"] = f"{point}:{number}"
        process.start()
        del process.environment["ECP_CRASH_AT"]
        if operation != self.flow:
            if process is self.plane.process:
                wait_for("readiness", self.plane.healthy, 20, 0.01)
            self.settle(f"arming {point}")
        check = operation()
        wait_for(f"the crash at {point}", lambda: not process.running, 20, 0.01)
        assert process.child.returncode == -signal.SIGKILL, f"{point}: ended by {process.child.returncode}"
        if process is self.plane.process:
            verified = self.plane.command("audit", "verify")
            assert verified.returncode == 0, f"{point}: {verified.stdout}{verified.stderr}"
            self.plane.start()
        else:
            self.edge.start()
        self.settle(point)
        check()
        held = stored(self.api, self.path)
        assert len(set(held)) == len(held), f"{point}: a sample is there twice"

    def finish(self):
        """Stop collecting and compare both ends: nothing committed by the agent is missing."""
        command = self.api.post(self.path + "/commands", {"action": "stop"})
        wait_for("the stop", lambda: self.not_pending(f"{self.place}/commands/{command['id']}"), 30)
        drained = self.edge.drained()
        self.edge.stop()
        assert self.edge.counters() == drained, "samples came after the stop"
        held = stored(self.api, self.path)
        assert drained == (0, len(held), 0) and len(held) == len(set(held))
        return len(held)

    def close(self):
        if self.edge:
            self.edge.stop()
        child = self.plane.process.child
        if child and child.poll() == -signal.SIGKILL:
            self.plane.start()  # The broker outlives a killed ecpd, until the next one stops.
        self.plane.stop()
        self.receiver.close()


def plan(rig):
    """Every point, the pass that kills, the process that has it, and what passes it."""
    plane, agent = rig.plane.process, rig.edge.process
    return [
        ("buffer.before_commit", 2, agent, rig.flow),
        ("buffer.after_commit", 2, agent, rig.flow),
        ("buffer.before_forget", 2, agent, rig.flow),
        ("buffer.after_forget", 2, agent, rig.flow),
        ("command.after_journal", 1, agent, rig.write),
        ("command.after_execution", 1, agent, rig.write),
        ("command.after_result", 1, agent, rig.write),
        ("manifest.before_store", 1, agent, rig.change),
        ("manifest.after_store", 1, agent, rig.change),
        ("manifest.after_apply", 1, agent, rig.change),
        ("telemetry.before_series", 2, plane, rig.flow),
        ("telemetry.after_series", 2, plane, rig.flow),
        ("telemetry.after_cursor", 2, plane, rig.flow),
        ("desired.after_commit", 1, plane, rig.change),
        ("desired.after_send", 1, plane, rig.change),
        ("journal.after_commit", 1, plane, rig.write),
        ("journal.after_commit", 1, plane, rig.alarm),
        ("notice.after_send", 1, plane, rig.alarm),
        ("audit.before_note", 2, plane, rig.change),
        ("enrollment.after_commit", 1, plane, rig.enroll),
    ]


@pytest.fixture(scope="module")
def rig(folder, plant):
    made = Rig(folder, plant)
    try:
        made.begin()
        yield made
    finally:
        made.close()


def test_nothing_breaks_at_any_crash_point(rig, capsys):
    """[I1] [I2] [I3] [I6] at every point between a durable state and its effect."""
    steps = plan(rig)
    assert {step[0] for step in steps} == points_in_code(), "a crash point is not tried, or is gone"
    for point, number, process, operation in steps:
        begun = time.monotonic()
        rig.crash(point, number, process, operation)
        with capsys.disabled():
            print(f"\n{point}:{number} by {operation.__name__}: killed and mended in "
                  f"{time.monotonic() - begun:.1f} s", end="")
    samples = rig.finish()
    passes = collections.Counter(rig.log.read_text().split())
    with capsys.disabled():
        print(f"\n{len(steps)} crashes, {samples} samples, 0 lost, 0 doubled; processes that passed each point:")
        for point in sorted(passes):
            print(f"  {point} {passes[point]}")
    assert set(passes) == points_in_code()


def test_what_is_installed_has_no_crash_point():
    names = [name.encode() for name in points_in_code()] + [b"ECP_CRASH_AT"]
    for program in ("ecpd", "ecp-edge"):
        assert not [name for name in names if name in find(program).read_bytes()]
    crashing = find("ecpd-crash").read_bytes() + find("ecp-edge-crash").read_bytes()
    assert all(name in crashing for name in names), BUILD
