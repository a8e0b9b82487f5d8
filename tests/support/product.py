# SPDX-License-Identifier: Apache-2.0
"""The product as processes on 127.0.0.1, for tests and benchmarks: ecpd with its broker, and agents."""
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "demo"))
from platform_parts import Api, Process, Refused, free_port, wait_for  # noqa: E402

BUILD = pathlib.Path(os.environ.get("ECP_BUILD", ROOT / "build" / "release")).resolve()
PASSWORD = "correct horse battery staple"


def find(name):
    for path in BUILD.rglob(name):
        if path.is_file():
            return path
    raise AssertionError(f"{name} is not in {BUILD}; build first")


class Plane:
    """One ecpd on a data folder of its own."""

    def __init__(self, folder, extra="", heartbeat_s=5, broker_advertise=None, own_broker=None):
        """`own_broker`: the lines below `broker:` for a broker that this ecpd does not start."""
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "ecpd"
        self.https_port, self.broker_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.https_port}"
        self.config = self.folder / "ecpd.yaml"
        advertise = broker_advertise or self.broker_port
        broker = own_broker or f"""  listen: 127.0.0.1:{self.broker_port}
  advertise: ["127.0.0.1:{advertise}"]
  plugin: {find('ecp_mosquitto_plugin.so')}
"""
        self.config.write_text(
            f"""data_folder: {self.data}
http:
  listen: 127.0.0.1:{self.https_port}
  page_folder: {ROOT / 'apps' / 'console' / 'dist'}
agents:
  heartbeat: {heartbeat_s}s
broker:
{broker}{extra}"""
        )
        self.process = Process("ecpd", [find("ecpd"), "serve", "--config", self.config], folder)

    def start(self):
        self.process.start()
        ca_file = self.data / "root-ca.pem"
        wait_for("the root certificate", lambda: self.alive() and ca_file.exists(), 20)
        self.anonymous = Api(self.url, ca_file)
        wait_for("readiness", lambda: self.alive() and self.healthy(), 20, step=0.01)
        return self

    def alive(self):
        assert self.process.running, self.process.text()[-2000:]
        return True

    def healthy(self):
        try:
            return self.anonymous.get("/health")["status"] == "ok"
        except (Refused, OSError):
            return False

    def bootstrap(self):
        secret = (self.data / "bootstrap-secret").read_text().strip()
        person = {"email": "ada@example.com", "name": "Ada", "password": PASSWORD, "secret": secret}
        self.anonymous.post("/api/v1/bootstrap", person)
        return self.log_in("ada@example.com")

    def log_in(self, email, password=PASSWORD):
        api = Api(self.url, self.data / "root-ca.pem")
        api.token = api.post("/api/v1/session", {"email": email, "password": password})["access_token"]
        return api

    def command(self, *arguments, timeout=30):
        return subprocess.run(
            [find("ecpd"), *arguments, "--config", self.config],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout, check=False,
        )

    def broker_pid(self):
        listing = subprocess.run(
            ["ss", "-lntpH", f"sport = :{self.broker_port}"], capture_output=True, text=True, check=True
        ).stdout
        return int(listing.split("pid=")[1].split(",")[0])

    def stop(self):
        self.process.stop()


class Edge:
    """One ecp-edge on a data folder of its own."""

    def __init__(self, plane, folder, name, extra=""):
        self.plane, self.name = plane, name
        self.folder = pathlib.Path(folder)
        self.config = self.folder / f"{name}.yaml"
        self.config.write_text(f"data_folder: {self.folder / name}\n{extra}")
        self.process = Process(name, [find("ecp-edge"), "run", "--config", self.config], folder)

    def enroll(self, token, url=None):
        token_file = self.folder / f"{self.name}.token"
        token_file.write_text(token)
        token_file.chmod(0o600)
        return subprocess.run(
            [find("ecp-edge"), "enroll", "--config", self.config, "--url", url or self.plane.url,
             "--token-file", token_file, "--name", self.name],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False,
        )

    def start(self):
        self.process.start()
        return self

    def status(self):
        answer = subprocess.run(
            [find("ecp-edge"), "status", "--config", self.config],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False,
        )
        return dict(line.split(":", 1) for line in answer.stdout.splitlines() if ":" in line)

    def counters(self):
        """Samples that wait for the plane, that were ever stored, and that were dropped."""
        told = self.status()
        return tuple(int(told[name].split()[0]) for name in ("buffered", "committed", "dropped"))

    def drained(self, seconds=60):
        """The counters once nothing more is stored and nothing waits; collecting must have been stopped."""

        def still():
            before = self.counters()
            time.sleep(0.5)
            return before if before[0] == 0 and before == self.counters() else None

        return wait_for("an empty buffer", still, seconds)

    def stop(self):
        self.process.stop()


def make_project(api, organization="Works", project="Hall 1"):
    org = api.post("/api/v1/orgs", {"name": organization})["id"]
    project = api.post(f"/api/v1/orgs/{org}/projects", {"name": project})["id"]
    return org, f"/api/v1/orgs/{org}/projects/{project}"


def make_edge(plane, api, place, folder, name, extra=""):
    token = api.post(place + "/enrollment-tokens", {"name": name, "uses": 1, "expires_in_s": 3600})
    edge = Edge(plane, folder, name, extra)
    answer = edge.enroll(token["token"])
    assert answer.returncode == 0, answer.stderr
    edge.start()

    def online():
        nodes = api.items(place + "/edgenodes")
        return next((n for n in nodes if n["name"] == name and n["state"] == "online"), None)

    edge.node = wait_for(f"{name} online", online, 20)["id"]
    return edge


def pipeline_config(port, interval_ms=100):
    return {
        "drivers": [
            {
                "name": "plc", "type": "modbus-tcp", "host": "127.0.0.1", "port": port, "timeout_ms": 500,
                "groups": [
                    {
                        "name": "fast", "interval_ms": interval_ms,
                        "tags": [
                            {"name": "temperature", "address": "1!400001", "type": "float32", "precision": 2},
                            {"name": "counter", "address": "1!400005", "type": "uint32"},
                            {"name": "setpoint", "address": "1!400007", "type": "float32",
                             "writable": True, "min": 20, "max": 900},
                        ],
                    }
                ],
            }
        ]
    }


def add_pipeline(api, place, node, port, name="furnace", interval_ms=100):
    return api.post(
        place + "/edgeservices",
        {"name": name, "node": node, "kind": "pipeline", "runtime": "builtin",
         "config": pipeline_config(port, interval_ms)},
    )
