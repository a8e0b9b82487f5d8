# SPDX-License-Identifier: Apache-2.0
"""docs/api/openapi.yaml tells the truth: every answer has the status and the fields that it says."""
import json
import re
import threading
import time
import urllib.error
import urllib.request

import pytest
import yaml
from product import PASSWORD, ROOT, Api, add_pipeline, make_edge, make_project, wait_for

DOCUMENT = yaml.safe_load((ROOT / "docs/api/openapi.yaml").read_text())

# Answers that are not JSON, or that only an agent or the command line can ask for.
NOT_WALKED = {
    "get /", "get /assets/{file}", "get " + "/api/v1/orgs/{org}/projects/{project}/events",
    "post /api/v1/session/link", "post /agent/v1/enroll", "post /agent/v1/renew",
    "get /agent/v1/link", "get /agent/v1/resources/{sha256}",
}


def resolve(node):
    while "$ref" in node:
        place = DOCUMENT
        for word in node["$ref"][2:].split("/"):
            place = place[word]
        node = place
    return node


def type_of(value):
    if isinstance(value, bool):
        return {"boolean"}
    if isinstance(value, int):
        return {"integer", "number"}
    names = {float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
    return {names[type(value)]}


def merged(schema):
    """One schema of an object, with what `allOf` adds."""
    schema = resolve(schema)
    if "allOf" not in schema:
        return schema
    parts = [merged(part) for part in schema["allOf"]]
    return {
        "type": "object",
        "required": [name for part in parts for name in part.get("required", [])],
        "properties": {name: body for part in parts for name, body in part["properties"].items()},
    }


def check(value, schema, where):
    """Fail unless the value fits; a field that is not described does not fit either."""
    schema = merged(schema)
    wanted = schema.get("type")
    if wanted:
        wanted = {wanted} if isinstance(wanted, str) else set(wanted)
        assert type_of(value) & wanted, f"{where} is {value!r}, not {wanted}"
    if "const" in schema:
        assert value == schema["const"], where
    if "enum" in schema:
        assert value in schema["enum"], f"{where} is {value!r}"
    if isinstance(value, str) and "pattern" in schema:
        assert re.search(schema["pattern"], value), f"{where} is {value!r}"
    if isinstance(value, str) and schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", value), f"{where} is {value!r}"
    if isinstance(value, list):
        for index, item in enumerate(value):
            check(item, schema["items"], f"{where}[{index}]")
    if isinstance(value, dict):
        for name in schema.get("required", []):
            assert name in value, f"{where}.{name} is missing"
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, item in value.items():
            if name in known:
                check(item, known[name], f"{where}.{name}")
            else:
                assert isinstance(others, dict), f"{where}.{name} is not described"
                check(item, others, f"{where}.{name}")


def operation_of(method, path):
    found = []
    for template, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", template)
        if re.fullmatch(pattern, path) and method in operations:
            found.append(template)
    assert found, f"{method} {path} is not described"
    return min(found, key=lambda template: template.count("{"))


class CheckedApi(Api):
    """Compares every answer with the document."""

    seen = set()

    def call(self, method, path, body=None, headers=None, timeout=15, status=None):
        template = operation_of(method.lower(), path.split("?")[0])
        responses = DOCUMENT["paths"][template][method.lower()]["responses"]
        request = urllib.request.Request(self.url + path, method=method, headers=headers or {})
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            answer = urllib.request.urlopen(request, context=self.context, timeout=timeout)
        except urllib.error.HTTPError as error:
            answer = error
        content = answer.read()
        where = f"{method} {template} {answer.status}"
        assert str(answer.status) in responses, f"{where} is not described: {content[:300]}"
        if status:
            assert answer.status == status, f"{where}: {content[:300]}"
        described = resolve(responses[str(answer.status)]).get("content", {})
        value = json.loads(content) if content else None
        if "application/json" in described:
            check(value, described["application/json"]["schema"], where)
        else:
            assert value is None, f"{where} has a body that is not described"
        if "ETag" in resolve(responses[str(answer.status)]).get("headers", {}):
            assert answer.headers["ETag"] == f'"{value["revision"]}"', where
        else:
            assert "ETag" not in answer.headers, f"{where} has an ETag that is not described"
        if answer.status < 300:
            self.seen.add(f"{method.lower()} {template}")
        return value


def change(api, path, body):
    record = api.get(path)
    return api.call("PATCH", path, body, {"If-Match": f'"{record["revision"]}"'}, status=200)


def remove(api, path, revision=True):
    headers = {"If-Match": f'"{api.get(path)["revision"]}"'} if revision else {}
    api.call("DELETE", path, headers=headers, status=204)


@pytest.fixture(scope="module")
def api(plane, admin):
    checked = CheckedApi(plane.url, plane.data / "root-ca.pem")
    checked.call("GET", "/health", status=200)
    checked.call("GET", "/agent/v1/nonce", status=200)
    log_in = {"email": "ada@example.com", "password": PASSWORD}
    tokens = checked.call("POST", "/api/v1/session", log_in)
    tokens = checked.call("POST", "/api/v1/session/refresh", {"refresh_token": tokens["refresh_token"]})
    checked.token = tokens["access_token"]
    return checked


def test_people_and_places(api):
    api.call("GET", "/api/v1/session", status=200)
    person = {"email": "ben@example.com", "name": "Ben", "password": "purple monkey dishwasher"}
    user = api.call("POST", "/api/v1/users", person)
    api.call("POST", "/api/v1/users", person, status=409)
    change(api, f"/api/v1/users/{user['id']}", {"name": "Benjamin"})
    api.call("POST", f"/api/v1/users/{user['id']}/password", {"password": "yellow submarine sandwich"})
    api.get("/api/v1/users")
    org, place = make_project(api, "Documented", "Hall")
    places = (f"/api/v1/orgs/{org}", place)
    for path in places:
        change(api, path, {"description": "x"})
        api.call("POST", path + "/members", {"user": user["id"], "role": "member"}, status=201)
        api.get(path + "/members")
        api.get(path + "/audit")
    for path in reversed(places):
        remove(api, f"{path}/members/{user['id']}", revision=False)
    api.get("/api/v1/orgs")
    api.get(f"/api/v1/orgs/{org}/projects")
    api.get("/api/v1/audit")
    for template in DOCUMENT["paths"]:
        if template.startswith("/api/v1/members"):
            api.call("POST", "/api/v1/members", {"user": user["id"], "role": "system_admin"})
            api.get("/api/v1/members")
            remove(api, f"/api/v1/members/{user['id']}", revision=False)
            break
    remove(api, place)
    remove(api, f"/api/v1/orgs/{org}")
    remove(api, f"/api/v1/users/{user['id']}")


class Events(threading.Thread):
    """Reads a project's event stream and compares every event with the document."""

    def __init__(self, api, place):
        super().__init__(daemon=True)
        template = "/api/v1/orgs/{org}/projects/{project}/events"
        answer = DOCUMENT["paths"][template]["get"]["responses"]["200"]["content"]["text/event-stream"]
        self.described, self.seen, self.problem = answer["x-events"], set(), None
        request = urllib.request.Request(api.url + place + "/events")
        request.add_header("Authorization", "Bearer " + api.token)
        self.stream = urllib.request.urlopen(request, context=api.context, timeout=60)
        assert self.stream.headers["Content-Type"] == "text/event-stream"
        self.start()

    def run(self):
        name = None
        try:
            for line in self.stream:
                word, _, rest = line.decode().rstrip("\n").partition(": ")
                if word == "event":
                    name = rest
                elif word == "data":
                    check(json.loads(rest), self.described[name], f"event {name}")
                    self.seen.add(name)
        except (AssertionError, KeyError, ValueError) as problem:
            self.problem = problem
        except (OSError, AttributeError, urllib.error.URLError):
            pass  # The product was stopped.


def test_edge_nodes_services_and_alarms(plane, api, plant, folder):
    _, place = make_project(api, "Works", "Furnace")
    events = Events(api, place)
    token = api.post(place + "/enrollment-tokens", {"name": "spare"})
    api.get(place + "/enrollment-tokens")
    remove(api, f"{place}/enrollment-tokens/{token['id']}", revision=False)
    edge = make_edge(plane, api, place, folder, "documented")
    try:
        node = f"{place}/edgenodes/{edge.node}"
        change(api, node, {"description": "by the door"})
        path = f"{place}/edgeservices/{add_pipeline(api, place, edge.node, plant.port)['id']}"
        wait_for("values", lambda: api.get(path + "/values")["items"], 10)
        wait_for("the service's state", lambda: api.get(path)["state"] == "running", 10)
        api.get(place + "/edgeservices")
        change(api, path, {"name": "renamed"})
        walk_values(api, path)
        walk_commands(api, place, path)
        walk_alarms(api, place, path)
        remove(api, path)
        api.call("POST", node + "/revoke", status=200)
        remove(api, node)
        wait_for("every kind of event", lambda: events.problem or events.seen == set(events.described), 10)
        assert events.problem is None, events.problem
    finally:
        edge.stop()


def walk_values(api, path):
    now = time.time()
    begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (now - 60, now + 1))
    period = {"tag": "plc/fast/temperature", "from": begin, "to": end}
    assert api.get(path + "/samples", **period, limit=10)["items"]
    assert api.get(path + "/history", **period, points=10)["points"]


def walk_commands(api, place, path):
    command = api.call("POST", path + "/writes", {"tag": "plc/fast/setpoint", "value": 120}, status=202)
    one = f"{place}/commands/{command['id']}"
    wait_for("the write", lambda: api.get(one)["state"] == "done", 10)
    api.call("POST", path + "/commands", {"action": "restart"}, status=202)
    api.get(place + "/commands")


def walk_alarms(api, place, path):
    settings = api.get(place + "/alarmsettings")
    tag = {"If-Match": f'"{settings["revision"]}"'}
    api.call("PUT", place + "/alarmsettings", {"node_offline": True, "service_failed": True}, tag, status=200)
    rule = api.post(
        place + "/alarmrules",
        {"name": "always", "service": path.rsplit("/", 1)[1], "tag": "plc/fast/temperature",
         "operator": ">", "threshold": -1000, "severity": "critical"},
    )
    change(api, f"{place}/alarmrules/{rule['id']}", {"for_ms": 0})
    api.get(place + "/alarmrules")
    alarm = wait_for("the alarm", lambda: api.get(place + "/alarms?state=active")["items"], 15)[0]
    api.get(f"{place}/alarms/{alarm['id']}")
    remove(api, f"{place}/alarmrules/{rule['id']}")
    hook = api.call(
        "POST", place + "/webhooks",
        {"name": "hook", "url": "https://example.com/hook", "secret": "0123456789abcdef0123456789abcdef"},
        status=201,
    )
    change(api, f"{place}/webhooks/{hook['id']}", {"name": "hooked"})
    api.get(place + "/webhooks")
    remove(api, f"{place}/webhooks/{hook['id']}")


def test_every_operation_was_tried(api):
    api.call(
        "PUT", "/api/v1/session/password",
        {"current": PASSWORD, "next": "another horse battery staple"}, status=204,
    )
    log_in = {"email": "ada@example.com", "password": "another horse battery staple"}
    api.token = api.call("POST", "/api/v1/session", log_in)["access_token"]
    api.call("DELETE", "/api/v1/session", status=204)
    api.call("GET", "/api/v1/session", status=401)
    described = {f"{method} {path}" for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert described - api.seen - NOT_WALKED == {"post /api/v1/bootstrap"}
