# SPDX-License-Identifier: Apache-2.0
"""[R24] Hostile JSON at every endpoint that takes a body, generated from the document and a good body of each kind."""
import copy
import http.client
import json
import re
import ssl

import pytest
import yaml
from product import PASSWORD, ROOT, add_pipeline, make_edge, make_project, pipeline_config

DOCUMENT = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text())
ID = "1" * 26
RULE = {"name": "r", "service": "svc_" + ID, "tag": "a/b/c", "operator": ">", "threshold": 1, "hysteresis": 0,
        "for_ms": 0, "severity": "critical", "enabled": True}
NAMING = {"name": "n", "description": "d"}
GOOD = {
    "Bootstrap": {"secret": "s", "email": "a@example.com", "name": "n", "password": PASSWORD},
    "LogIn": {"email": "a@example.com", "password": PASSWORD},
    "Refresh": {"refresh_token": "r"},
    "LinkCode": {"code": "c"},
    "PasswordChange": {"current": PASSWORD, "next": PASSWORD},
    "NewUser": {"email": "a@example.com", "name": "n", "password": PASSWORD},
    "UserChanges": {"email": "a@example.com", "name": "n", "enabled": True},
    "PasswordReset": {"password": PASSWORD},
    "Naming": NAMING,
    "NamingChanges": NAMING,
    "NewMember": {"user": "user_" + ID, "role": "member"},
    "NewEnrollmentToken": {"name": "n", "uses": 1, "expires_in_s": 600},
    "NodeChanges": NAMING,
    "NewEdgeService": {"name": "n", "node": "node_" + ID, "kind": "pipeline", "runtime": "builtin",
                       "config": pipeline_config(502)},
    "EdgeServiceChanges": {"name": "n", "config": pipeline_config(502)},
    "NewCommand": {"action": "start"},
    "NewWrite": {"tag": "a/b/c", "value": 1, "expires_in_s": 30},
    "NewAlarmRule": RULE,
    "AlarmRuleChanges": {key: value for key, value in RULE.items() if key not in ("service", "tag")},
    "NewAlarmSettings": {"node_offline": True, "service_failed": True},
    "NewWebhook": {"name": "n", "url": "https://example.com/", "secret": PASSWORD},
    "WebhookChanges": {"name": "n", "url": "https://example.com/", "secret": PASSWORD},
    "Enroll": {"token": "t", "csr": "c", "name": "n"},
    "Renew": {"certificate": "c", "csr": "c", "nonce": "n", "signature": "s"},
}
DEEP = "[" * 40 + "]" * 40
NUMBERS = ["1e999", "-1e999", "NaN", "Infinity"]
BY_TYPE = {
    str: ["1", "true", "[]", "{}", '"\\ud800"', '"\\udc00x"', "9223372036854775808", DEEP, *NUMBERS],
    bool: ["1", '"true"', "[]", "{}", DEEP, *NUMBERS],
    int: ['"1"', "true", "[]", "{}", DEEP, *NUMBERS],
    float: ['"1"', "true", "[]", "{}", DEEP, *NUMBERS],
    dict: ["1", '"x"', "true", "[]", DEEP, *NUMBERS],
    list: ["1", '"x"', "true", "{}", DEEP, *NUMBERS],
}
WHOLE = ["null", "[]", "1", '"x"', "true", "", "{", "{}}", '{"a":1,"a":2}', '{"a":NaN}', '{"\\ud800":1}', "[" * 200_000,
         '{"a":' * 100_000, '{"a":"\x00"}', "nul", "{'a':1}", '{"a":1,}', "\ufeff{}", '{"a":01}', '{"a":+1}']
MARK = "hostile-7f3a"


def operations():
    for path, methods in DOCUMENT["paths"].items():
        for method in ("post", "put", "patch"):
            body = methods.get(method, {}).get("requestBody")
            if body:
                schema = body["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
                yield method.upper(), path, schema


def places(value, path=()):
    """Every member of a body, however deep."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield (*path, key), item
        yield from places(item, (*path, key))


def spoiled(body, path, text):
    """The body's text with one member replaced by any text."""
    body = copy.deepcopy(body)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = MARK
    return json.dumps(body).replace(json.dumps(MARK), text)


def doubled(body, key):
    return json.dumps(body)[:-1] + f", {json.dumps(key)}: {json.dumps(body[key])}}}"


class Connection:
    """One kept connection: what was refused must not cost it."""

    def __init__(self, plane, token, ids):
        self.plane, self.token, self.ids, self.count = plane, token, ids, 0
        self.context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
        self.open()

    def open(self):
        self.link = http.client.HTTPSConnection("127.0.0.1", self.plane.https_port, context=self.context, timeout=15)

    def refused(self, method, path, text, names):
        path = re.sub(r"{(\w+)}", lambda match: self.ids[match[1]], path)
        fields = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        if method != "POST":
            fields["If-Match"] = '"1"'
        self.link.request(method, path, text.encode("utf-8", "surrogatepass"), fields)
        answer = self.link.getresponse()
        content = answer.read()
        if answer.getheader("Connection") == "close":
            self.link.close()
        where = f"{method} {path} {text[:200]}: {answer.status} {content[:300]}"
        assert 400 <= answer.status < 500, where
        body = json.loads(content)
        assert {"code", "reason", "message", "params"} <= body.keys(), where
        told = json.dumps(body["params"]) + body["message"]
        assert any(str(name) in told for name in (*names, "offset")), where
        self.count += 1


@pytest.fixture(scope="module")
def connection(plane, admin, folder):
    org, place = make_project(admin, "Hostile", "Hall")
    edge = make_edge(plane, admin, place, folder, "gateway")
    service = add_pipeline(admin, place, edge.node, 502)
    ids = {"org": org, "project": place.rsplit("/", 1)[1], "user": "user_" + ID, "node": edge.node,
           "service": service["id"], "rule": "rule_" + ID, "webhook": "hook_" + ID}
    yield Connection(plane, admin.token, ids)
    edge.stop()


def is_required(schema, path):
    """Elsewhere null stands for what is not given."""
    return len(path) == 1 and path[0] in DOCUMENT["components"]["schemas"][schema].get("required", [])


def test_each_kind_of_body_has_a_good_one_to_spoil():
    for _, path, schema in operations():
        described = DOCUMENT["components"]["schemas"][schema].get("properties", {})
        assert schema in GOOD, f"{path}: give a good {schema}"
        assert not GOOD[schema] or set(GOOD[schema]) <= set(described), schema


def test_a_body_that_is_no_object_is_refused(connection, plane):
    for method, path, schema in operations():
        for text in WHOLE:
            connection.refused(method, path, text, ("object", "field"))
    assert plane.healthy() and plane.alive()


def test_a_member_of_the_wrong_kind_is_refused_by_name_or_offset(connection, plane):
    pid, before = plane.process.child.pid, connection.count
    for method, path, schema in operations():
        for place, value in places(GOOD[schema]):
            texts = list(BY_TYPE[type(value)])
            if schema == "NewWrite" and place == ("value",):
                texts = ["[]", "{}", DEEP, '"\\ud800"', *NUMBERS]
            described = DOCUMENT["components"]["schemas"][schema]["properties"].get(place[0], {})
            if len(place) == 1 and described.get("type") == "integer":
                texts += ["1.5", "9223372036854775808", "-9223372036854775809"]
            if is_required(schema, place):
                texts.append("null")
            for text in texts:
                names = [key for key in place if isinstance(key, str)]
                connection.refused(method, path, spoiled(GOOD[schema], place, text), names)
        for key in GOOD[schema]:
            connection.refused(method, path, doubled(GOOD[schema], key), (key,))
    assert connection.count - before > 1_000
    assert plane.healthy() and plane.process.child.pid == pid
