# SPDX-License-Identifier: Apache-2.0
"""Many agents: processes of ecp-swarm, which speak the real protocol, and the raw floor beside them."""
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import PASSWORD, Api, Process, find, free_port, make_project, wait_for  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")
PER_PROCESS = 6_500  # libmosquitto takes three descriptors a client, and 20,000 is the usual hard limit.


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


class Child:
    """A process that takes commands on standard input and answers with a line each."""

    def __init__(self, arguments, log):
        self.log = open(log, "wb")
        self.child = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )

    def line(self):
        text = self.child.stdout.readline()
        assert text, "a process of the swarm ended"
        return text.strip()

    def expect(self, text):
        line = self.line()
        assert line == text, f"{line!r} where {text!r} was due"

    def say(self, command):
        self.child.stdin.write(command + "\n")
        self.child.stdin.flush()

    def ask(self, command):
        self.say(command)
        return self.line()

    def status(self):
        return {name: int(value) for name, value in (pair.split("=") for pair in self.ask("status").split())}

    def end(self):
        self.child.kill()
        self.child.wait()
        self.log.close()


class Group:
    """Some processes as one: counters are added up."""

    def __init__(self):
        self.parts = []

    def total(self, name):
        return sum(part.status()[name] for part in self.parts)

    def largest(self, name):
        return max(part.status()[name] for part in self.parts)

    def tell(self, command):
        """Give a command to all at once, then await every answer."""
        for part in self.parts:
            part.say(command)
        for part in self.parts:
            part.line()

    def end(self):
        for part in self.parts:
            part.end()


class Swarm(Group):
    """Agents of one project, enrolled and connected."""

    def __init__(self, plane, api, folder, count, options=()):
        super().__init__()
        self.plane, self.folder, self.options = plane, folder, options
        # So many enroll for longer than an access token lives: this one is refreshed.
        self.api = Api(plane.url, plane.data / "root-ca.pem").log_in("ada@example.com", PASSWORD)
        processes = max(2, -(-count // PER_PROCESS))
        self.each = count // processes
        self.count = self.each * processes
        _, self.place = make_project(api)
        self.firsts = [number * self.each for number in range(processes)]
        self.enrolled_s = 0.0

    def inner(self, first):
        return self.folder / f"swarm-{first}"

    def make_token(self, first):
        token = self.api.post(
            self.place + "/enrollment-tokens", {"name": f"swarm {first}", "uses": self.each, "expires_in_s": 7200}
        )
        token_file = self.folder / f"token-{first}"
        token_file.write_text(token["token"])
        token_file.chmod(0o600)
        return token_file

    def start(self):
        begun = time.monotonic()
        for first in self.firsts:
            self.inner(first).mkdir()
            self.parts.append(Child(
                [find("ecp-swarm"), self.plane.url, self.plane.data / "root-ca.pem", self.make_token(first),
                 self.inner(first), first, self.each, *self.options],
                self.folder / f"swarm-{first}.log",
            ))
        for part in self.parts:
            part.expect(f"enrolled {self.each}")
        self.enrolled_s = time.monotonic() - begun
        for part in self.parts:
            part.expect(f"connected {self.each}")
        self.wait_online()
        return self

    def wait_online(self):
        wait_for("all online", lambda: self.online() == self.count, 120)

    def online(self):
        return self.api.get(f"{self.place}/edgenodes?state=online&limit=1")["total"]

    def some_nodes(self, count):
        return self.api.get(f"{self.place}/edgenodes?state=online&limit={count}")["items"]

    def recovery(self, cut, patience_s):
        """Seconds from a cut until the plane has acknowledged a report, of every agent."""
        before = self.total("acknowledged")
        begun = time.monotonic()
        cut()
        self.tell("probe")
        times, done = [], 0
        while done < self.count:
            assert time.monotonic() - begun < patience_s, f"{done} of {self.count} are back"
            time.sleep(0.02)
            now_done = min(self.count, self.total("acknowledged") - before)
            times += [time.monotonic() - begun] * (now_done - done)
            done = max(done, now_done)
        return times


class RawFleet(Group):
    """The floor: the same identities on a mosquitto of their own, without any of our code."""

    def __init__(self, swarm):
        super().__init__()
        self.swarm, folder = swarm, swarm.folder / "raw"
        folder.mkdir()
        port = free_port()
        ours = (swarm.plane.data / "broker" / "mosquitto.conf").read_text()
        kept = [
            line for line in ours.splitlines()
            if not line.startswith(("plugin", "listener", "use_", "allow_anonymous", "connection_messages"))
        ]
        at = next(i for i, line in enumerate(kept) if line.startswith("cafile"))
        kept[at:at] = ["allow_anonymous true", "connection_messages false", f"listener {port} 127.0.0.1"]
        config = folder / "mosquitto.conf"
        config.write_text("\n".join(kept) + "\n")
        self.broker = Process("raw-broker", ["/usr/sbin/mosquitto", "-c", config], folder).start()
        wait_for("the floor's broker", lambda: self.listens(port), 10)
        first = swarm.firsts[0]
        self.publisher = Child(
            [find("ecp-raw-rollout"), "publisher", port, folder, swarm.inner(first) / f"sim-{first}"],
            folder / "publisher.log",
        )
        self.publisher.expect("connected 1")
        for first in swarm.firsts:
            self.parts.append(Child(
                [find("ecp-raw-rollout"), "devices", port, swarm.inner(first), folder, first, swarm.each],
                folder / f"devices-{first}.log",
            ))
        for part in self.parts:
            part.expect(f"connected {swarm.each}")
        time.sleep(1)  # The last subscriptions are under way.

    def listens(self, port):
        assert self.broker.running, self.broker.text()[-2000:]
        return f"socket on port {port}" in self.broker.text()

    def round(self):
        """(seconds, CPU seconds of publisher and broker) of one roll-out with messages as large as the swarm's."""
        pids = self.publisher.child.pid, self.broker.child.pid
        names = ("manifest_octets", "report_octets", "state_octets", "ack_octets")
        sizes = [self.swarm.largest(name) for name in names]
        before, cpu, begun = self.total("done"), sum(cpu_seconds(pid) for pid in pids), time.monotonic()
        self.publisher.ask(f"round {self.swarm.count} " + " ".join(str(size) for size in sizes))
        wait_for("the floor's roll-out", lambda: self.total("done") >= before + self.swarm.count, 300, 0.02)
        took = time.monotonic() - begun
        assert self.total("bad") == 0 and self.total("done") == before + self.swarm.count
        return took, sum(cpu_seconds(pid) for pid in pids) - cpu

    def end(self):
        super().end()
        self.publisher.end()
        self.broker.stop()
