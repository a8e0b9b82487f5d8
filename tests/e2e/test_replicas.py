# SPDX-License-Identifier: Apache-2.0
"""Two ecpd on one PostgreSQL and one broker: either may die or freeze, and nobody loses anything by it."""
import collections
import itertools
import json
import signal
import socket
import struct
import threading
import time
import urllib.request

import pytest

from platform_parts import Receiver, Refused
from product import add_pipeline, find, make_edge, make_project, pipeline_config, wait_for
from replicas import LeaseWatch, Replicas
from test_kills import stored

SECRET = "a secret of at least sixteen characters"
INTERVAL_MS = 100
SETPOINT = 6  # The plant's register, from 0.
LIMIT = 500
FREEZE_S = 9  # Longer than the database waits for a frozen transaction, or the broker for a frozen client.


class Stream:
    """One replica's open event stream: the names of what it tells, and the newest time of a value."""

    def __init__(self, api, path):
        request = urllib.request.Request(api.url + path, headers={"Authorization": "Bearer " + api.token})
        self.answer = urllib.request.urlopen(request, timeout=60, context=api.context)
        self.names, self.times = collections.Counter(), collections.Counter()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        name = ""
        try:
            for line in self.answer:
                if line.startswith(b"event:"):
                    name = line[6:].strip().decode()
                elif line.startswith(b"data:"):
                    self._take(name, json.loads(line[5:]))
        except (OSError, ValueError, AttributeError):
            pass  # Closed, or its replica is gone.

    def _take(self, name, told):
        self.names[name] += 1
        for item in told.get("items", []) if name == "value" else []:
            if item["tag"] == "plc/fast/counter":
                self.times[item["time"]] += 1

    def close(self):
        self.answer.close()


class Rig:
    def __init__(self, folder, plant):
        self.folder, self.plant_port = folder, plant.port
        self.receiver = Receiver(SECRET)
        self.replicas = Replicas(folder, extra=f'webhook:\n  allow: ["127.0.0.1:{self.receiver.port}"]\n')
        self.precision, self.edge, self.watch = 2, None, None

    def begin(self):
        self.replicas.start()
        self.watch = LeaseWatch(self.replicas.postgres)
        first, second = self.replicas.planes
        self.apis = [self.replicas.api, second.log_in("ada@example.com")]
        api = self.apis[0]
        _, self.place = make_project(api)
        self.edge = make_edge(first, api, self.place, self.folder, "gateway")
        service = add_pipeline(api, self.place, self.edge.node, self.plant_port, "s", INTERVAL_MS)["id"]
        self.path = f"{self.place}/edgeservices/{service}"
        api.post(self.place + "/webhooks",
                 {"name": "hook", "url": f"http://127.0.0.1:{self.receiver.port}/", "secret": SECRET})
        api.post(self.place + "/alarmrules",
                 {"name": "too high", "service": service, "tag": "plc/fast/setpoint", "operator": ">",
                  "threshold": LIMIT, "hysteresis": 1, "for_ms": 0, "severity": "critical"})
        for each in self.apis:
            self.settle(each, "the start")

    def turn(self, setpoint):
        """At the plant, by hand."""
        rest = struct.pack(">HHBf", SETPOINT, 2, 4, setpoint)
        with socket.create_connection(("127.0.0.1", self.plant_port), timeout=5) as plant:
            plant.sendall(struct.pack(">HHHBB", 1, 0, len(rest) + 2, 1, 16) + rest)
            assert plant.recv(256)[7] == 16

    def newest(self, api):
        try:
            return max((item["time"] for item in api.get(self.path + "/values")["items"]), default="")
        except (Refused, OSError):
            return ""

    def is_applied(self, api):
        nodes = api.items(self.place + "/edgenodes")
        node = next(node for node in nodes if node["id"] == self.edge.node)
        return node["state"] == "online" and node["applied_generation"] == node["generation"]

    def settle(self, api, when):
        mark = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() % 1 * 1000):03}Z"
        wait_for(f"values after {when}", lambda: self.newest(api) > mark, 30)
        wait_for(f"the desired state after {when}", lambda: self.is_applied(api), 30)

    def change(self, api):
        """A change that its replica may not live to answer; it is there or not, and never half."""
        self.precision = 1 + self.precision % 4
        config = pipeline_config(self.plant_port, INTERVAL_MS)
        config["drivers"][0]["groups"][0]["tags"][0]["precision"] = self.precision
        revision = api.get(self.path)["revision"]

        def call():
            try:
                api.call("PATCH", self.path, {"config": config}, {"If-Match": f'"{revision}"'}, timeout=60)
            except (Refused, OSError):
                pass

        caller = threading.Thread(target=call, daemon=True)
        caller.start()
        return caller

    def alarm(self):
        """Raise and clear an alarm at the edge; each is told."""
        since = time.monotonic()
        self.turn(LIMIT + 100)
        wait_for("the notice", lambda: self.receiver.find("too high", "raised", since), 90)
        self.turn(60)
        wait_for("the notice of the end", lambda: self.receiver.find("too high", "cleared", since), 90)

    def end(self):
        if self.watch:
            self.watch.stop()
        if self.edge:
            self.edge.stop()
        self.replicas.stop()
        self.receiver.close()


@pytest.fixture
def rig(tmp_path, plant):
    made = Rig(tmp_path, plant)
    yield made
    made.end()


def fail(rig, victim, how):
    """One replica fails in the middle of telemetry and of a change; the other goes on alone."""
    process, survivor = rig.replicas.planes[victim].process, rig.apis[1 - victim]
    caller = rig.change(rig.apis[victim])
    time.sleep(0.03)
    if how == "killed":
        process.kill()
    else:
        process.child.send_signal(signal.SIGSTOP)
    begun = time.monotonic()
    rig.settle(survivor, f"replica {victim} was {how}")
    alone = time.monotonic() - begun
    rig.alarm()
    if how == "killed":
        rig.replicas.planes[victim].start()
    else:
        time.sleep(max(0.0, FREEZE_S - (time.monotonic() - begun)))
        process.child.send_signal(signal.SIGCONT)
    caller.join(60)
    for api in rig.apis:
        rig.settle(api, f"replica {victim} is back")
    return alone


def check_notices(rig, rounds):
    told = collections.Counter(notice["id"] for notice in rig.receiver.notices)
    states = {notice["id"]: notice["body"]["state"] for notice in rig.receiver.notices}
    names = {notice["body"]["name"] for notice in rig.receiver.notices}
    assert names == {"too high"}, names
    assert collections.Counter(states.values()) == {"raised": rounds, "cleared": rounds}
    assert max(told.values()) <= 2 and sum(told.values()) <= len(told) + rounds, told


def check_samples(rig):
    command = rig.apis[0].post(rig.path + "/commands", {"action": "stop"})
    for api in rig.apis:
        place = f"{rig.place}/commands/{command['id']}"
        wait_for("the stop", lambda a=api, p=place: a.get(p)["state"] == "done", 30)
    _, committed, dropped = rig.edge.drained()
    rig.edge.stop()
    assert dropped == 0
    seen = [stored(api, rig.path) for api in rig.apis]
    assert sorted(seen[0]) == sorted(seen[1])
    assert len(seen[0]) == committed, f"{len(seen[0])} held, {committed} committed"
    assert len(set(seen[0])) == committed, "a sample is there twice"
    return committed


def test_an_event_stream_tells_what_any_replica_hears_once(rig):
    """Values are stored by whichever replica has them, and seen at both; so are commands and entries of the log."""
    rig.begin()
    streams = [Stream(api, rig.place + "/events") for api in rig.apis]
    time.sleep(4)
    command = rig.apis[0].post(rig.path + "/commands", {"action": "restart"})
    for stream in streams:
        wait_for("the command's end", lambda s=stream: s.names["command"] >= 1, 20)
        wait_for("an entry of the audit log", lambda s=stream: s.names["audit"] >= 1, 20)
    wait_for("the end", lambda: rig.apis[1].get(f"{rig.place}/commands/{command['id']}")["state"] == "done", 20)
    seen = [set(stream.times) for stream in streams]
    both = seen[0] & seen[1]
    assert len(both) >= 10 and len(both) >= 0.8 * len(seen[0] | seen[1]), (len(both), len(seen[0]), len(seen[1]))
    for stream in streams:
        assert max(stream.times.values()) == 1, "a value was told twice"
        stream.close()


def test_an_agent_that_returns_while_a_replica_is_frozen_keeps_its_buffer(rig):
    """[R22] What the frozen one heard is old news when it wakes up, and no sign of a copied disk."""
    rig.begin()
    victim = rig.replicas.planes[1].process
    for freeze_s in (3, 10):  # Shorter and longer than the broker's patience.
        victim.child.send_signal(signal.SIGSTOP)
        for _ in range(3):
            rig.edge.process.kill()
            rig.edge.start()
            time.sleep(freeze_s / 3)
        victim.child.send_signal(signal.SIGCONT)
        for api in rig.apis:
            rig.settle(api, "the agent is back")
    time.sleep(3)
    entries = rig.apis[0].items(rig.place.rsplit("/projects/", 1)[0] + "/audit")
    told = [entry for entry in entries if entry["operation"] == "edge_node.event"]
    assert not told, told
    check_samples(rig)


def die_at(rig, point, number, provoke):
    """The first replica dies at a point while something passes it; the second ends what it began."""
    plane, survivor = rig.replicas.planes[0], rig.apis[1]
    plane.process.kill()
    plane.process.environment["ECP_CRASH_AT"] = f"{point}:{number}"
    plane.process.start()
    del plane.process.environment["ECP_CRASH_AT"]
    wait_for("readiness or the end", lambda: not plane.process.running or plane.healthy(), 20, 0.01)
    end = time.monotonic() + 40
    while plane.process.running:
        assert time.monotonic() < end, f"nothing passed {point}"
        provoke()
        time.sleep(0.5)
    assert plane.process.child.returncode == -signal.SIGKILL, f"{point}: {plane.process.child.returncode}"
    rig.settle(survivor, point)
    plane.start()
    rig.settle(rig.apis[0], f"{point} and the return")


def test_a_replica_dies_at_the_worst_moments_and_the_other_ends_what_it_began(rig):
    """[I4] Between a commit and what follows from it."""
    rig.begin()
    process = rig.replicas.planes[0].process
    process.arguments[0] = str(find("ecpd-crash"))
    process.environment["ECP_CRASH_LOG"] = str(rig.folder / "crash-points.log")
    setpoints = itertools.cycle((LIMIT + 100, 60))

    def change():
        try:
            rig.change(rig.apis[0]).join(5)
        except (Refused, OSError):
            pass  # Dead already.

    die_at(rig, "telemetry.after_series", 2, lambda: None)
    die_at(rig, "telemetry.after_cursor", 2, lambda: None)
    die_at(rig, "desired.after_commit", 1, change)
    die_at(rig, "journal.after_commit", 1, lambda: rig.turn(next(setpoints)))
    rig.turn(60)
    time.sleep(1)

    def alarms(api):
        return [(alarm["id"], alarm["state"]) for alarm in api.items(rig.place + "/alarms")]

    for api in rig.apis:
        wait_for("the end of all alarms", lambda a=api: {state for _, state in alarms(a)} == {"cleared"}, 20)
    raised = len(alarms(rig.apis[0]))
    wait_for("all notices", lambda: len({n["id"] for n in rig.receiver.notices}) == 2 * raised, 90)
    check_samples(rig)
    assert alarms(rig.apis[0]) == alarms(rig.apis[1])
    for plane in rig.replicas.planes:
        verified = plane.command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr


def test_a_dump_of_the_database_put_back_goes_on_where_the_edge_is(rig):
    """[R38] Made while both replicas store; what came after it is told again, or known to be lost."""
    rig.begin()
    postgres, dump = rig.replicas.postgres, rig.folder / "ecp.dump"
    postgres.dump(dump)

    def alarms(api):
        return [alarm["state"] for alarm in api.items(rig.place + "/alarms") if alarm["name"] == "too high"]

    rig.change(rig.apis[0]).join(20)
    rig.turn(LIMIT + 100)
    wait_for("the alarm", lambda: alarms(rig.apis[0]) == ["active"], 20)
    rig.settle(rig.apis[1], "the change")
    rig.watch.stop()  # It would miss its table.
    for plane in rig.replicas.planes:
        plane.stop()
    postgres.put_back(dump)
    for plane in rig.replicas.planes:
        (plane.data / "audit-checkpoints.jsonl").unlink()
        plane.start()
    for api in rig.apis:
        rig.settle(api, "the restore")

    def told(operation):
        return [entry for entry in rig.apis[1].items("/api/v1/audit") if entry["operation"] == operation]

    wait_for("the proof", lambda: told("platform.restored"), 20)
    wait_for("the events", lambda: any("more_told" in str(entry["details"]) for entry in told("edge_node.event")), 20)
    for api in rig.apis:
        wait_for("the alarm that was forgotten", lambda a=api: alarms(a) == ["active"], 20)
    rig.turn(60)
    wait_for("its end", lambda: alarms(rig.apis[1]) == ["cleared"], 20)
    seen = [stored(api, rig.path) for api in rig.apis]
    assert len(set(seen[1])) == len(seen[1]), "a sample is there twice"
    for plane in rig.replicas.planes:
        plane.stop()
        verified = plane.command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr


def test_either_replica_is_killed_or_frozen_and_nothing_is_lost_or_doubled(rig, capsys):
    """[R10] [I4] Every sample once, every alarm told, an audit chain without a hole, no lease held twice."""
    rig.begin()
    faults = [(0, "killed"), (1, "frozen"), (1, "killed"), (0, "frozen")]
    alone = [fail(rig, victim, how) for victim, how in faults]
    committed = check_samples(rig)
    check_notices(rig, len(faults))
    histories = [[(alarm["id"], alarm["state"]) for alarm in api.items(rig.place + "/alarms")] for api in rig.apis]
    assert histories[0] == histories[1] and len(histories[0]) == len(faults)
    rig.watch.stop()
    assert not rig.watch.problems, rig.watch.problems
    assert len({holder for holder in rig.watch.holders.values() if holder}) >= 2, "one replica held all leases"
    for plane in rig.replicas.planes:
        plane.stop()
        verified = plane.command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
    with capsys.disabled():
        print(f"\n{len(faults)} faults, {committed} samples; the other replica went on alone after "
              + ", ".join(f"{seconds:.1f} s" for seconds in alone))
