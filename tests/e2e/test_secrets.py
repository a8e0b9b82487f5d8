# SPDX-License-Identifier: Apache-2.0
"""[R36] Secrets of every kind, through everything that takes or makes one, at log level debug; then none of them
shows anywhere but where it belongs."""
import base64
import json
import os
import re
import secrets
import signal
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from platform_parts import Receiver
from product import Edge, Plane, add_pipeline, find, make_project, wait_for

FEWEST_CANARIES = 40
DEBUG = "log:\n  level: debug\n"


class Vault:
    """What must not be seen, by name, with the file that is its home if it has one."""

    def __init__(self):
        self.canaries = {}

    def plant(self, name):
        return self.keep(name, "Kanari-" + secrets.token_urlsafe(24))

    def keep(self, name, text, home=None):
        assert name not in self.canaries and len(text) >= 16, name
        assert text not in (known for known, _ in self.canaries.values()), f"{name} is no other than one before"
        self.canaries[name] = (text, home)
        return text

    @staticmethod
    def disguises(text):
        """The octets as they are, in hexadecimal, in a URL, and in base64 at each of its three alignments."""
        octets = text.encode()
        forms = {octets, octets.hex().encode(), octets.hex().upper().encode(), urllib.parse.quote(text).encode()}
        for shift in range(3):
            size = (shift + len(octets)) // 3 * 3 - shift
            whole = base64.b64encode(b"\0" * shift + octets[:size])[4 if shift else 0:]
            forms |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
        return forms

    def found_in(self, places):
        hits = []
        for name, (text, home) in self.canaries.items():
            forms = self.disguises(text)
            for place, content in places.items():
                if place != home and any(form in content for form in forms):
                    hits.append(f"{name} in {place}")
        return hits


class Caller:
    """Calls the API and keeps every answer that refuses or shows something."""

    def __init__(self, plane):
        self.plane, self.heard, self.token = plane, [], None

    def raw(self, method, path, body=b"", headers=None, keep=True):
        request = urllib.request.Request(self.plane.url + path, method=method, data=body or None)
        fields = {"Authorization": "Bearer " + self.token} if self.token else {}
        for name, value in {**fields, "Content-Type": "application/json", **(headers or {})}.items():
            request.add_header(name, value)
        try:
            answer = urllib.request.urlopen(request, context=self.plane.anonymous.context, timeout=15)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read()
        if keep or answer.status >= 300:
            self.heard.append(str(answer.headers).encode() + content)
        return answer.status, json.loads(content) if content else None

    def call(self, method, path, body=None, headers=None, wanted=None, keep=True):
        status, value = self.raw(method, path, b"" if body is None else json.dumps(body).encode(), headers, keep)
        assert wanted is None or status == wanted, (method, path, status, value)
        return value


class Listener(threading.Thread):
    """Keeps what an event stream says."""

    def __init__(self, caller, place):
        super().__init__(daemon=True)
        request = urllib.request.Request(caller.plane.url + place + "/events")
        request.add_header("Authorization", "Bearer " + caller.token)
        self.heard = []
        self.stream = urllib.request.urlopen(request, context=caller.plane.anonymous.context, timeout=60)
        self.start()

    def run(self):
        try:
            for line in self.stream:
                self.heard.append(line)
        except OSError:
            pass


def log_in(vault, caller, email, password, name):
    tokens = caller.call("POST", "/api/v1/session", {"email": email, "password": password}, wanted=201, keep=False)
    return keep_tokens(vault, caller, tokens, name)


def keep_tokens(vault, caller, tokens, name):
    vault.keep(name + ": access token", tokens["access_token"])
    vault.keep(name + ": refresh token", tokens["refresh_token"])
    caller.token = tokens["access_token"]
    return tokens


def begin(vault, plane):
    """The first administrator: wrong and right secret, log-in, refresh, a refresh token shown twice."""
    caller = Caller(plane)
    person = {"email": "ada@example.com", "name": "Ada", "password": vault.plant("password of the admin")}
    wrong = {**person, "secret": vault.plant("wrong bootstrap secret")}
    caller.call("POST", "/api/v1/bootstrap", wrong, wanted=401)
    secret = vault.keep("bootstrap secret", (plane.data / "bootstrap-secret").read_text().strip())
    caller.call("POST", "/api/v1/bootstrap", {**person, "secret": secret}, wanted=201)
    caller.call("POST", "/api/v1/bootstrap", {**person, "secret": secret})
    tokens = log_in(vault, caller, "ada@example.com", person["password"], "admin")
    shown_twice = {"refresh_token": tokens["refresh_token"]}
    again = caller.call("POST", "/api/v1/session/refresh", shown_twice, wanted=201, keep=False)
    keep_tokens(vault, caller, again, "admin, refreshed")
    caller.call("POST", "/api/v1/session/refresh", shown_twice, wanted=401)
    log_in(vault, caller, "ada@example.com", person["password"], "admin, again")
    return caller


def try_log_ins(vault, caller, plane):
    """Whatever people and attackers send in place of a log-in."""
    anonymous = Caller(plane)
    anonymous.heard = caller.heard
    for email in ("ada@example.com", "nobody@example.com", "not an address"):
        body = {"email": email, "password": vault.plant(f"wrong password for {email}")}
        anonymous.call("POST", "/api/v1/session", body)
    typed = vault.plant("password typed as the address")
    anonymous.call("POST", "/api/v1/session", {"email": typed, "password": "x" * 20}, wanted=401)
    body = {"email": "ada@example.com", "pasword": vault.plant("password in an unknown field")}
    anonymous.call("POST", "/api/v1/session", body, wanted=400)
    body = {"email": "ada@example.com", vault.plant("password as a field's name"): 1}
    anonymous.call("POST", "/api/v1/session", body)
    broken = '{"email":"ada@example.com","password":"%s",}' % vault.plant("password in broken JSON")
    assert anonymous.raw("POST", "/api/v1/session", broken.encode())[0] == 400
    anonymous.call("GET", "/api/v1/session?access_token=" + vault.plant("token in a query"))
    anonymous.call("GET", "/api/v1/session", headers={"Authorization": "Bearer " + vault.plant("forged token")}, wanted=401)
    basic = base64.b64encode(("ada:" + vault.plant("password of Basic")).encode()).decode()
    anonymous.call("GET", "/api/v1/session", headers={"Authorization": "Basic " + basic}, wanted=401)
    anonymous.call("GET", "/api/v1/session", headers={"Cookie": "token=" + vault.plant("token in a cookie")}, wanted=401)
    forged = {"refresh_token": "ecpr_" + vault.plant("forged refresh token")}
    anonymous.call("POST", "/api/v1/session/refresh", forged, wanted=401)
    anonymous.call("POST", "/api/v1/session/link", {"code": "ecpl_" + vault.plant("forged link code")}, wanted=401)


def keep_people(vault, caller, plane):
    """Users and their passwords: made, refused, changed, reset by others, and links to log in by."""
    def create(email, password, wanted=201):
        body = {"email": email, "name": "Somebody", "password": password}
        return caller.call("POST", "/api/v1/users", body, {"Idempotency-Key": email}, wanted=wanted)

    first, second = vault.plant("password of ben"), vault.plant("second password of ben")
    ben = create("ben@example.com", first)
    create("ben@example.com", first)
    create("else@example.com", vault.plant("too long a password") * 5, wanted=400)
    create("not an address", vault.plant("password of nobody"), wanted=400)
    own = Caller(plane)
    own.heard = caller.heard
    log_in(vault, own, "ben@example.com", first, "ben")
    change = {"current": vault.plant("wrong current password"), "next": vault.plant("password not taken")}
    own.call("PUT", "/api/v1/session/password", change, {"If-Match": "*"}, wanted=401)
    own.call("PUT", "/api/v1/session/password", {"current": first, "next": second}, {"If-Match": "*"}, wanted=204)
    log_in(vault, own, "ben@example.com", second, "ben, changed")
    own.call("GET", "/api/v1/users", wanted=403)
    reset = {"password": vault.plant("password set by the admin")}
    caller.call("POST", f"/api/v1/users/{ben['id']}/password", reset)
    answer = subprocess.run(
        [find("ecpd"), "user", "reset-password", "ben@example.com", "--config", plane.config],
        input=vault.plant("password set at the console") + "\n", capture_output=True, text=True, timeout=30, check=True)
    caller.heard.append((answer.stdout + answer.stderr).encode())
    link = plane.command("user", "login-link", "ben@example.com").stdout
    code = vault.keep("code of a log-in link", re.search(r"#code=(\S+)", link)[1])
    linked = own.call("POST", "/api/v1/session/link", {"code": code}, wanted=201, keep=False)
    keep_tokens(vault, own, linked, "ben, by link")
    own.call("POST", "/api/v1/session/link", {"code": code}, wanted=401)
    own.call("DELETE", "/api/v1/session", headers={"If-Match": "*"}, wanted=204)
    own.call("GET", "/api/v1/session", wanted=401)
    return ben


def join(vault, caller, plane, place, folder):
    """Enrollment tokens: one used, shown again, one revoked, one forged; the node's own keys."""
    def token(name):
        wanted = {"name": name, "uses": 1, "expires_in_s": 600}
        made = caller.call("POST", place + "/enrollment-tokens", wanted, wanted=201, keep=False)
        secret = made["token"].split("_", 1)[1].split(".")[0]
        vault.keep(f"enrollment token {name}", secret)
        return made

    edge = Edge(plane, folder, "gateway", DEBUG)
    used, revoked = token("used"), token("revoked")
    caller.call("DELETE", f"{place}/enrollment-tokens/{revoked['id']}", headers={"If-Match": "*"})
    pin = used["token"].split(".", 1)[1]
    forged = "ecpt_" + vault.plant("forged enrollment token") + "." + pin
    for text, code in ((forged, 1), (revoked["token"], 1), (used["token"], 0)):
        answer = edge.enroll(text)
        caller.heard.append((answer.stdout + answer.stderr).encode())
        assert answer.returncode == code, answer.stderr
    other = Edge(plane, folder, "copycat", DEBUG)
    answer = other.enroll(used["token"])
    assert answer.returncode != 0
    caller.heard.append((answer.stdout + answer.stderr).encode())
    (folder / "gateway.token").unlink()
    (folder / "copycat.token").unlink()
    edge.start()

    def online():
        nodes = caller.call("GET", place + "/edgenodes")["items"]
        return next((node for node in nodes if node["name"] == "gateway" and node["state"] == "online"), None)

    edge.node = wait_for("the gateway online", online, 20)["id"]
    return edge


def hook(vault, caller, place, receiver, secret):
    """Webhooks: secrets given, refused and changed; one receiver that hears, one that is not there."""
    def make(name, url, text, wanted=201):
        return caller.call("POST", place + "/webhooks", {"name": name, "url": url, "secret": text}, wanted=wanted)

    make("good", f"http://127.0.0.1:{receiver.port}/", secret)
    lost = make("lost", "https://127.0.0.1:9/", vault.plant("secret of the lost webhook"))
    make("private", "https://192.168.1.1/", vault.plant("secret of a refused webhook"), wanted=400)
    make("userinfo", f"https://ada:{vault.plant('password in a URL')}@example.com/", vault.plant("its secret"), wanted=400)
    make("long", "https://example.com/", vault.plant("too long a secret") * 9, wanted=400)
    change = {"secret": vault.plant("changed secret of the webhook")}
    caller.call("PATCH", f"{place}/webhooks/{lost['id']}", change, {"If-Match": '"1"'}, wanted=200)


def operate(caller, place, edge, plant, receiver):
    """Values, a write, an alarm that both webhooks are told of, a dead broker."""
    service = add_pipeline(PlainApi(caller), place, edge.node, plant.port)
    path = f"{place}/edgeservices/{service['id']}"
    wait_for("values", lambda: caller.call("GET", path + "/values")["items"], 15)
    caller.call("POST", path + "/writes", {"tag": "plc/fast/setpoint", "value": 9e9}, wanted=202)
    caller.call("POST", path + "/writes", {"tag": "plc/fast/setpoint", "value": 300}, wanted=202)
    rule = {"name": "always", "service": service["id"], "tag": "plc/fast/temperature", "operator": ">",
            "threshold": -1000, "hysteresis": 0, "for_ms": 0, "severity": "critical"}
    caller.call("POST", place + "/alarmrules", rule, wanted=201)
    wait_for("the notice", lambda: any(notice["signed"] for notice in receiver.notices), 20)
    before = caller.plane.broker_pid()
    os.kill(before, signal.SIGKILL)

    def another():
        try:
            return caller.plane.broker_pid() != before
        except IndexError:
            return False

    wait_for("another broker", another, 15)
    return path


def calm(caller, place, path, edge):
    """Stop collecting and wait until the edge has told all; what it told has been written then."""
    command = caller.call("POST", path + "/commands", {"action": "stop"}, wanted=202)
    wait_for("the stop", lambda: caller.call("GET", f"{place}/commands/{command['id']}")["state"] == "done", 30)
    edge.drained()


class PlainApi:
    def __init__(self, caller):
        self.post = lambda path, body: caller.call("POST", path, body, wanted=201)


def keep_keys(vault, plane, edge):
    """Private keys and the master key, by the text that their files hold."""
    vault.keep("master key", (plane.data / "master.key").read_text().strip(), str(plane.data / "master.key"))
    files = [plane.data / name for name in ("https.pem", "broker.pem", "gateway.pem", "canary.pem")]
    for file in files + [edge.folder / edge.name / "identity.pem"]:
        body = re.search(r"PRIVATE KEY-----\n(.*?)\n-----END", file.read_text(), re.S)[1].replace("\n", "")
        # The private scalar of a P-256 key stands in octets 36 to 68 of its PKCS #8 form.
        scalar = base64.b64encode(base64.b64decode(body)[36:66]).decode()
        vault.keep(f"private key of {file.name} of {file.parent.name}", scalar, str(file))
        assert scalar in body, file


def processes(plane, edge):
    pids = {"ecpd": plane.process.child.pid, "broker": plane.broker_pid(), "ecp-edge": edge.process.child.pid}
    return {f"/proc: {name} {file}": open(f"/proc/{pid}/{file}", "rb").read()
            for name, pid in pids.items() for file in ("cmdline", "environ")}


def shown(caller, org, place):
    """Every list and log that the API shows."""
    paths = ["/api/v1/audit", "/api/v1/users", "/api/v1/members", "/api/v1/session", f"/api/v1/orgs/{org}/audit"]
    paths += [place + noun for noun in ("/audit", "/members", "/edgenodes", "/edgeservices", "/webhooks", "/alarms",
                                        "/alarmrules", "/enrollment-tokens", "/commands")]
    return {path: json.dumps(caller.call("GET", path + ("" if path.endswith("session") else "?limit=200"), wanted=200)).encode()
            for path in paths}


def files(folder):
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def receiver():
    made = Receiver("Kanari-" + secrets.token_urlsafe(24))
    yield made
    made.close()


def test_no_secret_shows_where_it_does_not_belong(tmp_path, plant, receiver):
    """[R36]"""
    vault = Vault()
    vault.keep("secret of the webhook", receiver.secret.decode())
    allowed = f"webhook:\n  allow: ['127.0.0.1:{receiver.port}', '127.0.0.1:9']\n"
    plane = Plane(tmp_path, extra=DEBUG + allowed).start()
    edge = None
    try:
        caller = begin(vault, plane)
        org, place = make_project(PlainApi(caller))
        listener = Listener(caller, place)
        try_log_ins(vault, caller, plane)
        keep_people(vault, caller, plane)
        edge = join(vault, caller, plane, place, tmp_path)
        hook(vault, caller, place, receiver, receiver.secret.decode())
        path = operate(caller, place, edge, plant, receiver)
        keep_keys(vault, plane, edge)
        verified = plane.command("audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        calm(caller, place, path, edge)
        places = {**shown(caller, org, place), **processes(plane, edge)}
    finally:
        if edge:
            edge.stop()
        plane.stop()
    places["audit verify"] = (verified.stdout + verified.stderr).encode()
    places["answers"] = b"\n".join(caller.heard)
    places["events"] = b"".join(listener.heard)
    places.update(files(tmp_path))

    assert len(vault.canaries) >= FEWEST_CANARIES, len(vault.canaries)
    assert b"event: value" in places["events"] and len(caller.heard) > 30
    assert b"ben@example.com" in places[str(plane.data / "ecpd.db")]
    assert str(plane.data / "broker" / "mosquitto.conf") in places
    hits = vault.found_in(places)
    assert not hits, "\n".join(hits)


def test_the_search_sees_through_disguises():
    vault = Vault()
    text = vault.plant("one")
    for shift in range(3):
        for code in (base64.b64encode, base64.urlsafe_b64encode):
            assert vault.found_in({"a place": b"x" + code(b"y" * shift + text.encode() + b"z")}) == ["one in a place"]
    assert vault.found_in({"a place": text.encode().hex().encode()}) == ["one in a place"]
    assert vault.found_in({"a place": b"nothing"}) == []
