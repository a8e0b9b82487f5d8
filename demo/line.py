# SPDX-License-Identifier: Apache-2.0
"""The demo's line: a simulated plant, ecpd with its broker, ecp-edge, and what is seen of them."""
import datetime
import pathlib
import subprocess
import sys
import time

from platform_parts import Api, Process, Receiver, Refused, Relay, free_port, wait_for

HEARTBEAT_S = 5
FAST_MS, SLOW_MS = 200, 1000
TAGS = (
    "furnace/fast/temperature", "furnace/fast/counter", "furnace/fast/setpoint", "furnace/slow/humidity",
    "second/fast/temperature", "second/fast/counter",
)
WEBHOOK_SECRET = "demo-webhook-secret-for-this-machine-only"
ROOT = pathlib.Path(__file__).resolve().parent.parent


def utc(when):
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).isoformat(timespec="milliseconds")


def seconds_of(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Line:
    """The parts of the demo, from the plant to the control plane, and what one sees through the API."""

    def __init__(self, build, folder):
        self.build, self.folder = pathlib.Path(build).resolve(), pathlib.Path(folder)
        self.figures = {}
        self.plants, self.parts = [], []
        self.https_port, self.broker_port = free_port(), free_port()
        self.plant_ports = free_port(), free_port()
        self.data, self.edge_data = self.folder / "ecpd", self.folder / "edge"

    def show_logs(self):
        for part in self.parts:
            lines = part.text().splitlines()[-25:]
            print(f"--- {part.name}: {part.log}", *lines, sep="\n", file=sys.stderr)

    def spawn(self, name, arguments, environment=None):
        part = Process(name, arguments, self.folder, environment)
        self.parts.append(part)
        return part.start()

    # --- starting ------------------------------------------------------------------------------

    def start_plant(self):
        program = ROOT / "tools" / "plant" / "plant.py"
        for name, port in zip(("furnace", "second-device"), self.plant_ports):
            plant = self.spawn(name, ["/usr/bin/python3", program, "--port", port, "--seed", 7])
            self.plants.append(plant)
        for plant in self.plants:
            wait_for(f"{plant.name} ready", lambda p=plant: "ready" in p.text(), 15)
        return f"two Modbus TCP servers on 127.0.0.1:{self.plant_ports[0]} and :{self.plant_ports[1]}"

    def start_ecpd(self):
        self.receiver = Receiver(WEBHOOK_SECRET)
        self.broker_relay = Relay(self.broker_port)
        self.https_relay = Relay(self.https_port)
        self.config = self.folder / "ecpd.yaml"
        self.config.write_text(
            f"""data_folder: {self.data}
http:
  listen: 127.0.0.1:{self.https_port}
  page_folder: {ROOT / 'apps' / 'console' / 'dist'}
agents:
  heartbeat: {HEARTBEAT_S}s
  urls: ["https://127.0.0.1:{self.https_relay.port}"]
broker:
  listen: 127.0.0.1:{self.broker_port}
  advertise: ["127.0.0.1:{self.broker_relay.port}"]
  plugin: {self.find('ecp_mosquitto_plugin.so')}
webhook:
  allow: ["127.0.0.1:{self.receiver.port}"]
"""
        )
        begun = time.monotonic()
        self.ecpd = self.spawn("ecpd", [self.find("ecpd"), "serve", "--config", self.config])
        ca_file = self.data / "root-ca.pem"
        wait_for("the root certificate", lambda: self.alive(self.ecpd) and ca_file.exists(), 20)
        self.api = Api(f"https://127.0.0.1:{self.https_port}", ca_file)
        wait_for("readiness", lambda: self.alive(self.ecpd) and self.healthy(), 20, step=0.01)
        self.figures["ready_ms"] = round((time.monotonic() - begun) * 1000)
        secret = self.data / "bootstrap-secret"
        assert secret.stat().st_mode & 0o777 == 0o600, "the admin secret is readable by others"
        assert secret.read_text().strip() not in self.ecpd.text(), "the admin secret is in the log"
        return f"{self.api.url} ready after {self.figures['ready_ms']} ms, secret in {secret} (0600)"

    def find(self, name):
        for path in self.build.rglob(name):
            if path.is_file():
                return path
        raise AssertionError(f"{name} is not in {self.build}; build first")

    @staticmethod
    def alive(part):
        assert part.running, f"{part.name} ended: {part.text()[-800:]}"
        return True

    def healthy(self):
        try:
            return self.api.get("/health")["status"] == "ok"
        except (Refused, OSError):
            return False

    # --- people and places ---------------------------------------------------------------------

    def first_admin(self):
        person = {"email": "ada@example.com", "name": "Ada", "password": "correct horse battery staple"}
        try:
            self.api.post("/api/v1/bootstrap", {**person, "secret": "A" * 43})
            raise AssertionError("a wrong secret made an admin")
        except Refused as refused:
            assert refused.status in (401, 403), refused
        secret = (self.data / "bootstrap-secret").read_text().strip()
        self.api.post("/api/v1/bootstrap", {**person, "secret": secret})
        self.api.log_in(person["email"], person["password"])
        organization = self.api.post("/api/v1/orgs", {"name": "Northern Steel"})
        place = f"/api/v1/orgs/{organization['id']}/projects"
        project = self.api.post(place, {"name": "Plant 7"})
        self.place = f"{place}/{project['id']}"
        return "admin made with the one-time secret, a wrong one refused; organization and project"

    def enroll(self):
        token = self.api.post(
            self.place + "/enrollment-tokens", {"name": "first edge node", "uses": 1, "expires_in_s": 3600}
        )
        token_file = self.folder / "token"
        token_file.write_text(token["token"])
        token_file.chmod(0o600)
        self.edge_config = self.folder / "ecp-edge.yaml"
        self.edge_config.write_text(f"data_folder: {self.edge_data}\n")
        url = f"https://127.0.0.1:{self.https_relay.port}"
        command = [self.find("ecp-edge"), "enroll", "--config", self.edge_config]
        command += ["--url", url, "--token-file", token_file, "--name", "edge-1"]
        subprocess.run(command, check=True, timeout=30, stdin=subprocess.DEVNULL, capture_output=True)
        second = self.folder / "second.yaml"
        second.write_text(f"data_folder: {self.folder / 'second'}\n")
        command[3] = second
        again = subprocess.run(command, timeout=30, stdin=subprocess.DEVNULL, capture_output=True)
        assert again.returncode != 0, "a used token enrolled a second machine"
        self.start_edge()
        node = wait_for("the node online", self.online_node, 15)
        self.node = node["id"]
        told = wait_for("an alarm about the used token", lambda: self.active("enrollment_token.used_again"), 10)
        return f"{node['name']} is {node['state']}; the used token is refused to another machine: {told[0]['name']}"

    def active(self, source):
        alarms = self.api.items(self.place + "/alarms", state="active")
        return [alarm for alarm in alarms if alarm["source"] == source]

    def start_edge(self):
        self.edge = self.spawn("ecp-edge", [self.find("ecp-edge"), "run", "--config", self.edge_config])

    def online_node(self):
        nodes = self.api.items(self.place + "/edgenodes")
        return next((node for node in nodes if node["state"] == "online"), None)

    # --- values --------------------------------------------------------------------------------

    def add_pipeline(self):
        furnace = [
            {"name": "temperature", "address": "1!400001", "type": "float32", "precision": 2},
            {"name": "counter", "address": "1!400005", "type": "uint32"},
            {
                "name": "setpoint", "address": "1!400007", "type": "float32",
                "writable": True, "min": 20, "max": 900,
            },
        ]
        air = [{"name": "humidity", "address": "1!400003", "type": "float32", "precision": 1}]
        second = [
            {"name": "temperature", "address": "1!400001", "type": "float32", "precision": 2},
            {"name": "counter", "address": "1!400005", "type": "uint32"},
        ]

        def driver(name, port, groups):
            return {
                "name": name, "type": "modbus-tcp", "host": "127.0.0.1", "port": port,
                "timeout_ms": 500, "groups": groups,
            }

        config = {
            "drivers": [
                driver(
                    "furnace", self.plant_ports[0],
                    [
                        {"name": "fast", "interval_ms": FAST_MS, "tags": furnace},
                        {"name": "slow", "interval_ms": SLOW_MS, "tags": air},
                    ],
                ),
                driver("second", self.plant_ports[1],
                       [{"name": "fast", "interval_ms": FAST_MS, "tags": second}]),
            ]
        }
        begun = time.monotonic()
        self.collects_since = time.time() - 60
        service = self.api.post(
            self.place + "/edgeservices",
            {"name": "furnace", "node": self.node, "kind": "pipeline", "runtime": "builtin", "config": config},
        )
        self.service = f"{self.place}/edgeservices/{service['id']}"
        self.service_id = service["id"]
        values = wait_for("six values", lambda: self.values(6), 10, step=0.02)
        took = time.monotonic() - begun
        self.figures["first_values_ms"] = round(took * 1000)
        assert took <= 2.0, f"the first values took {took:.1f} s"
        time.sleep(3)
        history = self.points("furnace/fast/temperature", time.time() - 10, time.time(), 10)
        filled = sum(1 for point in history["points"] if point["count"])
        assert filled >= 2, f"history has only {filled} filled intervals"
        temperature = values["furnace/fast/temperature"]["value"]
        return f"6 data tags after {took * 1000:.0f} ms, furnace at {temperature:.1f} °C, history filled"

    def values(self, count=0):
        found = {item["tag"]: item for item in self.api.get(self.service + "/values")["items"]}
        good = {tag: item for tag, item in found.items() if item["quality"] != "bad"}
        return good if len(good) >= count else None

    def value(self, tag):
        return self.values()[tag]["value"]

    def newest(self, tag):
        return seconds_of(self.values()[tag]["time"])

    def points(self, tag, begin, end, count):
        return self.api.get(
            self.service + "/history", **{"tag": tag, "from": utc(begin), "to": utc(end), "points": count}
        )

    def samples(self, tag, begin, end):
        """All samples of a tag in a stretch of time, oldest first."""
        found = []
        while True:
            page = self.api.get(
                self.service + "/samples",
                **{"tag": tag, "from": utc(begin), "to": utc(end), "limit": 1000},
            )["items"]
            found += page
            if len(page) < 1000:
                return found
            begin = seconds_of(page[-1]["time"]) + 0.001

    def write_setpoint(self, value=400.0):
        begun = time.monotonic()
        command = self.api.post(self.service + "/writes", {"tag": "furnace/fast/setpoint", "value": value})
        ended = self.finished(command)
        assert ended["state"] == "done", f"{ended['state']}: {ended['reason']}"
        took = (time.monotonic() - begun) * 1000
        assert abs(float(ended["value"]) - value) < 0.01, f"read back {ended['value']}"
        return f"{value:g} written and read back in {took:.0f} ms"

    def finished(self, command):
        path = f"{self.place}/commands/{command['id']}"

        def ended():
            answer = self.api.get(path)
            return answer if answer["state"] != "pending" else None

        return wait_for("the command's end", ended, 15, step=0.02)

    def guarded(self):
        command = None
        try:
            command = self.api.post(self.service + "/writes", {"tag": "furnace/fast/setpoint", "value": 5000})
        except Refused as refused:
            assert refused.status in (400, 422), refused
            return f"5000 refused ({refused.reason})"
        ended = self.finished(command)
        assert ended["state"] == "refused", ended["state"]
        return f"5000 refused at the edge ({ended['reason']})"

    # --- alarms --------------------------------------------------------------------------------

    def alarm(self):
        self.api.post(
            self.place + "/webhooks",
            {"name": "demo", "url": f"http://127.0.0.1:{self.receiver.port}/", "secret": WEBHOOK_SECRET},
        )
        threshold = self.value("furnace/fast/temperature") + 20
        self.api.post(
            self.place + "/alarmrules",
            {
                "name": "furnace too hot", "service": self.service_id, "tag": "furnace/fast/temperature",
                "operator": ">", "threshold": threshold, "hysteresis": 5, "for_ms": 400,
                "severity": "critical",
            },
        )
        self.write_setpoint(threshold + 300)
        wait_for("the raise", lambda: self.receiver.find("furnace too hot", "raised"), 60)
        active = self.active("threshold")
        assert [alarm["name"] for alarm in active] == ["furnace too hot"], active
        self.write_setpoint(20.0)
        wait_for("the clear", lambda: self.receiver.find("furnace too hot", "cleared"), 90)
        assert not self.active("threshold")
        return f"raised above {threshold:.0f} °C and cleared, both told to the webhook with a valid signature"

    # --- the end -------------------------------------------------------------------------------

    def counters(self):
        """The numbers of `ecp-edge status`: samples that wait, that were ever stored, and that were dropped."""
        command = [self.find("ecp-edge"), "status", "--config", self.edge_config]
        answer = subprocess.run(command, timeout=10, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        told = dict(line.split(": ", 1) for line in answer.stdout.splitlines() if ": " in line)
        return tuple(int(told[name].split()[0]) for name in ("buffered", "committed", "dropped"))

    def held(self, end):
        """How many samples of all tags the control plane holds up to a time, each of them once."""
        found = []
        for tag in TAGS:
            found += [(tag, sample["time"]) for sample in self.samples(tag, self.collects_since, end)]
        assert len(found) == len(set(found)), "a sample is there twice"
        return len(found)

    def audit(self):
        command = [self.find("ecpd"), "audit", "verify", "--config", self.config]
        self.ecpd.stop(20)
        answer = subprocess.run(command, timeout=60, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stdout + answer.stderr
        return answer.stdout.strip().splitlines()[-1]

    def link(self):
        command = [self.find("ecpd"), "user", "login-link", "--config", self.config, "ada@example.com"]
        answer = subprocess.run(command, timeout=20, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        return (answer.stdout + answer.stderr).strip()

    def close(self):
        for part in reversed(self.parts):
            part.stop()
        for each in ("broker_relay", "https_relay", "receiver"):
            if hasattr(self, each):
                getattr(self, each).close()
        left = [part.name for part in self.parts if part.running]
        assert not left, f"still running: {left}"
