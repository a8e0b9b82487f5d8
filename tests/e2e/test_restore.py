# SPDX-License-Identifier: Apache-2.0
"""A database, or an agent's disk, that is put back to an earlier day, and a disk that is copied.

The device counts how often it is read, so that each number that it gave out must be stored, and once.
"""
import contextlib
import datetime
import shutil
import socket
import struct

import pytest
from platform_parts import Relay
from product import Edge, Plane, Process, ROOT, free_port, make_edge, make_project, wait_for

SETPOINT, WRITES, HOLD, READS = 6, 8, 10, 12  # Places of the plant's registers.
MOST_SAMPLES = 10_000
DATABASE = ("ecpd.db", "ecpd.db-wal", "ecpd.db-shm")
CHECKPOINTS = "audit-checkpoints.jsonl"


class Device:
    """The plant as its own controls show it, past our agent."""

    def __init__(self, folder):
        self.port = free_port()
        arguments = ["/usr/bin/python3", ROOT / "tools" / "plant" / "plant.py", "--port", self.port, "--count-reads"]
        self.process = Process("plant", arguments, folder).start()
        wait_for("the plant", lambda: "ready" in self.process.text(), 15)

    def ask(self, function, rest):
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as plant:
            plant.sendall(struct.pack(">HHHBB", 1, 0, len(rest) + 2, 1, function) + rest)
            answer = plant.recv(256)
        assert answer[7] == function, answer
        return answer[9:]

    @contextlib.contextmanager
    def held(self):
        """Nothing is counted; give the last number that was given out."""
        self.ask(6, struct.pack(">HH", HOLD, 1))
        yield self.number(READS)
        self.ask(6, struct.pack(">HH", HOLD, 0))

    def number(self, register):
        return struct.unpack(">I", self.ask(3, struct.pack(">HH", register, 2)))[0]

    def turn(self, setpoint):
        self.ask(16, struct.pack(">HHBf", SETPOINT, 2, 4, setpoint))


def config(port, *more_tags):
    tags = [
        {"name": "counter", "address": "1!400005", "type": "uint32"},
        {"name": "setpoint", "address": "1!400007", "type": "float32", "writable": True, "min": 0, "max": 900},
        *more_tags,
    ]
    told_once = [{**tag, "report_unchanged": False} for tag in tags]
    group = {"name": "fast", "interval_ms": 50, "tags": told_once}
    return {"drivers": [{"name": "plc", "type": "modbus-tcp", "host": "127.0.0.1", "port": port,
                         "timeout_ms": 5000, "groups": [group]}]}


class Line:
    """A device, an agent that reads it, and a plane behind a link that can be cut."""

    def __init__(self, folder):
        self.folder, self.relay = folder, Relay(0)
        self.device = Device(folder)
        self.plane = Plane(folder, heartbeat_s=1, broker_advertise=self.relay.port)
        self.plane.process.environment["ECPD_AGENTS_RECONNECT_CAP"] = "1s"
        self.relay.target_port = self.plane.broker_port
        self.edges = []

    def begin(self):
        self.plane.start()
        self.api = self.plane.bootstrap()
        _, self.place = make_project(self.api)
        self.edge = make_edge(self.plane, self.api, self.place, self.folder, "gateway")
        self.edges.append(self.edge)
        service = self.api.post(
            self.place + "/edgeservices",
            {"name": "furnace", "node": self.edge.node, "kind": "pipeline", "runtime": "builtin",
             "config": config(self.device.port)})
        self.service, self.path = service["id"], f"{self.place}/edgeservices/{service['id']}"
        self.pass_some()

    def close(self):
        for edge in self.edges:
            edge.stop()
        self.plane.stop()
        self.device.process.stop()
        self.relay.close()

    # --- samples ---

    def numbers(self):
        """Of the device's, those that are stored, in order; one that is stored twice is there twice."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = ((now + datetime.timedelta(days=days)).isoformat() for days in (-1, 1))
        items = self.api.get(self.path + "/samples", tag="plc/fast/counter", limit=MOST_SAMPLES,
                             **{"from": begin, "to": end})["items"]
        assert len(items) < MOST_SAMPLES
        return sorted(item["value"] for item in items if item["value"])  # 0 is none; the device is held.

    def pass_some(self, count=10):
        """Wait until so many new numbers have come all the way."""
        wanted = self.device.number(READS) + count
        wait_for("new samples", lambda: (self.numbers() or [0])[-1] >= wanted, 30)

    def check_all_stored(self, last, without=frozenset()):
        """Each number up to the last one was stored, and once, also when nothing is on its way any more."""
        self.edge.drained()
        wanted = [number for number in range(1, last + 1) if number not in without]
        assert self.numbers() == wanted

    def gather(self, count=10):
        """Cut the link until so many samples wait in the agent, and end it."""
        self.relay.cut()
        wait_for("samples that wait", lambda: self.edge.counters()[0] >= count, 20)
        with self.device.held() as last:
            self.end(self.edge)
        return last

    @staticmethod
    def end(edge):
        """End an agent that has nothing more to read, so that it knows each number that it was given."""
        seen = []

        def still():
            seen.append(edge.counters()[1])
            return len(seen) > 10 and len(set(seen[-10:])) == 1

        wait_for("the last sample", still, 20)
        edge.stop()

    # --- what is told ---

    def told(self, event):
        return [entry for entry in self.audited("edge_node.event") if event in str(entry["details"])]

    def audited(self, operation):
        return [entry for entry in self.api.items("/api/v1/audit") if entry["operation"] == operation]

    def alarm(self, name, state):
        alarms = self.api.items(self.place + "/alarms", state=state)
        return next((alarm for alarm in alarms if alarm["name"] == name), None)

    def wait_for_alarms(self, cleared, active):
        wait_for("the end of the alarm", lambda: self.alarm(cleared, "cleared"), 15)
        wait_for("the other alarm", lambda: self.alarm(active, "active"), 15)
        assert not self.alarm(cleared, "active") and not self.alarm(active, "cleared")

    # --- desired state ---

    def watch(self, name, operator, threshold):
        self.api.post(self.place + "/alarmrules",
                      {"name": name, "service": self.service, "tag": "plc/fast/setpoint", "operator": operator,
                       "threshold": threshold, "hysteresis": 1, "for_ms": 0, "severity": "critical"})

    def change(self, wanted):
        revision = self.api.get(self.path)["revision"]
        self.api.call("PATCH", self.path, {"config": wanted}, {"If-Match": f'"{revision}"'})

    def applied(self):
        """Epoch and generation in force at the edge, once these are what the plane wants."""
        node = next(n for n in self.api.items(self.place + "/edgenodes") if n["id"] == self.edge.node)
        service = self.api.get(self.path)
        is_applied = node["applied_generation"] == node["generation"] and service["config_state"] == "applied"
        return tuple(int(part) for part in self.edge.status()["generation"].split(".")) if is_applied else None

    def applied_after(self, other):
        applied = self.applied()
        return applied if applied and applied > other else None

    def write(self, value):
        made = self.api.post(self.path + "/writes", {"tag": "plc/fast/setpoint", "value": value})
        return self.ended(made["id"])

    def ended(self, command):
        def end():
            found = self.api.get(f"{self.place}/commands/{command}")
            return found if found["state"] != "pending" else None

        return wait_for("the outcome", end, 15)

    # --- backups ---

    def copy(self, source, target, names):
        """Copy files of a stopped plane; one that the source has not is gone from the target, too."""
        target.mkdir(exist_ok=True)
        for name in names:
            (target / name).unlink(missing_ok=True)
            if (source / name).exists():
                shutil.copy2(source / name, target / name)

    def put_disk_back(self, backup):
        shutil.rmtree(self.folder / self.edge.name)
        shutil.copytree(backup, self.folder / self.edge.name)


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path)
    try:
        made.begin()
        yield made
    finally:
        made.close()


def live_on_after_the_backup(line):
    """What the database will have forgotten: a change, a write, and two alarms that changed."""
    before = line.applied()
    with line.device.held():  # A read that the change interrupts is nobody's.
        line.change(config(line.device.port, {"name": "writes", "address": "1!400009", "type": "uint32"}))
        later = wait_for("the change", lambda: line.applied_after(before), 15)
    assert later[0] == before[0]
    assert line.write(100.0)["state"] == "done"
    line.wait_for_alarms(cleared="too high", active="too low")
    line.pass_some()
    wait_for("the checkpoint", lambda: " 0 unsealed" in line.plane.command("audit", "verify").stdout, 15)
    return later


def check_what_is_told(line, token):
    assert len(line.audited("platform.restored")) == 1
    assert line.alarm("control plane restored from a backup", "active")
    # The edge tells again what the database has never heard.
    line.wait_for_alarms(cleared="too high", active="too low")
    wait_for("the events", lambda: line.told("agent.buffer_renewed"), 15)
    assert line.told("journal.more_told_than_known")
    refused = Edge(line.plane, line.folder, "late").enroll(token["token"])
    assert refused.returncode == 1 and "too old" in refused.stderr, refused.stderr


@pytest.mark.parametrize("values", ["kept", "put back, too"])
def test_a_database_put_back_goes_on_where_the_edge_is(line, values):
    """[R38]"""
    plane, backup = line.plane, line.folder / "backup"
    line.device.turn(600)
    line.pass_some()
    line.watch("too high", ">", 500)
    line.watch("too low", "<", 200)
    wait_for("the alarm", lambda: line.alarm("too high", "active"), 15)
    token = line.api.post(line.place + "/enrollment-tokens", {"name": "spare", "uses": 5, "expires_in_s": 3600})
    wait_for("the desired state", line.applied, 15)
    plane.stop()
    line.copy(plane.data, backup, [*DATABASE, CHECKPOINTS])
    shutil.copytree(plane.data / "series", backup / "series")
    plane.start()
    later = live_on_after_the_backup(line)
    writes = line.device.number(WRITES)

    # A newer file of checkpoints beside the database proves what is missing in it.
    plane.stop()
    given = line.device.number(READS)
    line.copy(backup, plane.data, DATABASE)
    assert "has been cut" in plane.command("audit", "verify").stdout
    line.copy(backup, plane.data, [CHECKPOINTS])
    if values == "put back, too":
        shutil.rmtree(plane.data / "series")
        shutil.copytree(backup / "series", plane.data / "series")
    with line.device.held():
        plane.start()
        after = wait_for("the next epoch", lambda: line.applied_after((later[0] + 1, 0)), 30)
        line.edge.drained()
        lost = set(range(1, given + 1)) - set(line.numbers())
        assert bool(lost) == (values != "kept")
    assert after[0] == later[0] + 1 and line.api.get(line.path)["config"] == config(line.device.port)
    check_what_is_told(line, token)
    assert line.device.number(WRITES) == writes, "a write was done again"

    line.pass_some()
    assert line.write(110.0)["state"] == "done"
    with line.device.held() as last:
        line.check_all_stored(last, lost)
    plane.stop()
    verified = plane.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_an_agents_disk_put_back_loses_and_doubles_nothing(line):
    backup = line.folder / "backup"
    line.gather()
    shutil.copytree(line.folder / line.edge.name, backup)
    line.relay.heal()
    line.edge.start()
    line.pass_some()
    with line.device.held() as last:
        line.check_all_stored(last)
        line.edge.stop()

    # At once on the link: its connection counter is an old one.
    line.put_disk_back(backup)
    line.edge.start()
    wait_for("the event", lambda: line.told("agent.buffer_renewed"), 20)
    assert line.told("presence.counter_not_above")
    line.pass_some()
    with line.device.held() as last:
        line.check_all_stored(last)
        line.edge.stop()

    # Away for a while: it has given the old numbers to new samples when it comes back.
    renewals = len(line.told("agent.buffer_renewed"))
    line.put_disk_back(backup)
    line.relay.cut()
    line.edge.start()
    wait_for("new samples", lambda: line.edge.counters()[0] >= 40, 20)
    line.relay.heal()
    wait_for("the event", lambda: len(line.told("agent.buffer_renewed")) > renewals, 20)
    line.pass_some()
    with line.device.held() as last:
        line.check_all_stored(last)


def test_a_copied_agent_is_told_and_leaves_no_harm(line):
    line.gather()
    copy = Edge(line.plane, line.folder, "copy")
    line.edges.append(copy)
    shutil.copytree(line.folder / line.edge.name, line.folder / copy.name)
    line.relay.heal()
    line.edge.start()
    copy.start()
    wait_for("the alarm", lambda: line.alarm("edge node identity used twice", "active"), 60)
    assert len(line.told("presence.counter_not_above")) >= 3
    wait_for("the event", lambda: line.told("agent.buffer_renewed"), 20)

    with line.device.held() as last:
        line.end(copy)
        waiting = copy.counters()[0]
        line.edge.drained()
        lost = set(range(1, last + 1)) - set(line.numbers())
    assert len(lost) <= waiting, "only what the copy never sent may be missing"
    line.pass_some(20)
    with line.device.held() as last:
        line.check_all_stored(last, lost)
