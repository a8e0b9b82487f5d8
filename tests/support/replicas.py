# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL of one's own, and several ecpd on it and on one mosquitto with our plugin."""
import os
import pathlib
import secrets
import subprocess
import threading

from product import Plane, Process, ROOT, find, free_port, wait_for

MOSQUITTO = "/usr/sbin/mosquitto"


class Postgres:
    """A private server, as scripts/with-postgres.sh starts it; it lives as long as a file of ours."""

    def __init__(self, folder):
        self.told = pathlib.Path(folder) / "postgres.url"
        waiting = f'echo "$ECP_TEST_POSTGRES" > {self.told}.new; mv {self.told}.new {self.told}; ' \
                  f"while [ -e {self.told} ]; do sleep 0.1; done"
        self.process = Process("postgres", [ROOT / "scripts" / "with-postgres.sh", "sh", "-c", waiting], folder)

    def start(self):
        self.process.start()
        wait_for("PostgreSQL", self.told.exists, 30)
        self.url = self.told.read_text().strip()
        return self

    def rows(self, sql):
        """What a query answers, each row a list of texts."""
        answer = self._run("psql", "--no-psqlrc", "-qAt", "-F", "\t", "-c", sql, self.url)
        return [line.split("\t") for line in answer.splitlines()]

    def dump(self, file):
        self._run("pg_dump", "--format=custom", f"--file={file}", self.url)

    def put_back(self, file):
        self._run("pg_restore", "--clean", "--if-exists", f"--dbname={self.url}", file)

    @staticmethod
    def _run(program, *arguments):
        program = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{program}"))[-1]
        return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=20, check=True).stdout

    def stop(self):
        self.told.unlink(missing_ok=True)
        if self.process.child:
            self.process.child.wait(20)


class LeaseWatch:
    """Looks at the leases again and again: under one fencing number there must be one holder."""

    def __init__(self, postgres):
        self.postgres, self.holders, self.problems, self.over = postgres, {}, [], threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self):
        while not self.over.wait(0.1):
            for name, holder, fence in self.postgres.rows("SELECT name, holder, fence FROM ecp_leases"):
                known = self.holders.setdefault((name, int(fence)), holder)
                if holder and known and holder != known:
                    self.problems.append((name, fence, known, holder))
                self.holders[(name, int(fence))] = holder or known

    def stop(self):
        self.over.set()
        self.thread.join(20)


class Replicas:
    """`count` ecpd on one database and one broker; the first makes the broker's files and the first admin."""

    def __init__(self, folder, count=2, extra=""):
        self.folder = pathlib.Path(folder)
        self.postgres = Postgres(folder).start()
        self.broker_port = free_port()
        key = self.folder / "master.key"
        key.write_text(secrets.token_hex(32) + "\n")
        key.chmod(0o600)
        self.planes = [self._plane(number, key, extra) for number in range(count)]
        urls = ",".join(plane.url for plane in self.planes)
        for plane in self.planes:
            plane.process.environment["ECPD_AGENTS_URLS"] = urls
        kit = self.folder / "kit"
        made = self.planes[0].command("broker-config", "--out", kit, "--plugin", find("ecp_mosquitto_plugin.so"))
        assert made.returncode == 0, made.stderr
        config = kit / "mosquitto.conf"
        if os.geteuid() == 0:  # mosquitto started by root becomes another user unless told whom.
            config.write_text("user root\n" + config.read_text())
        self.broker = Process("mosquitto", [MOSQUITTO, "-c", config], folder)

    def _plane(self, number, key, extra):
        folder = self.folder / f"replica-{number}"
        folder.mkdir()
        return Plane(
            folder,
            f"store:\n  url: {self.postgres.url}\n  master_key: {key}\n{extra}",
            heartbeat_s=1,
            own_broker=f"  url: mqtts://127.0.0.1:{self.broker_port}\n",
        )

    def start(self):
        self.broker.start()
        self.planes[0].start()
        self.api = self.planes[0].bootstrap()
        for plane in self.planes[1:]:
            plane.start()
        return self

    def stop(self):
        for plane in self.planes:
            plane.stop()
        self.broker.stop()
        self.postgres.stop()
