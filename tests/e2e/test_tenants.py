# SPDX-License-Identifier: Apache-2.0
"""Every documented endpoint, called by every role of one organization with the ids of another."""
import json
import re

import pytest
import yaml
from product import PASSWORD, ROOT, add_pipeline, make_edge, make_project, wait_for
from platform_parts import Refused
from test_hostile import GOOD, operations as operations_with_a_body

CANARY = "canary-7f3a"
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
STRETCH = "?tag=plc/fast/temperature&from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
BODIES = {(method, path): GOOD[schema] for method, path, schema in operations_with_a_body()}


@pytest.fixture(scope="module")
def operations():
    document = yaml.safe_load((ROOT / "docs" / "api" / "openapi.yaml").read_text())
    return [
        (method.upper(), path)
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "post", "put", "patch", "delete")
    ]


@pytest.fixture(scope="module")
def world(plane, admin, plant, folder):
    """Organization B with something of every noun, and a person of each role in organization A."""
    org_b, place_b = make_project(admin, f"B {CANARY}", f"hall {CANARY}")
    edge = make_edge(plane, admin, place_b, folder, f"{CANARY}-gateway")
    service = add_pipeline(admin, place_b, edge.node, plant.port, f"{CANARY} service")
    rule = admin.post(
        place_b + "/alarmrules",
        {"name": f"{CANARY} rule", "service": service["id"], "tag": "plc/fast/temperature", "operator": ">",
         "threshold": -1000, "hysteresis": 0, "for_ms": 0, "severity": "critical"},
    )
    webhook = admin.post(
        place_b + "/webhooks",
        {"name": f"{CANARY} hook", "url": "https://example.com/", "secret": f"{CANARY}-secret-of-the-hook"},
    )
    wait_for("values of B", lambda: admin.get(f"{place_b}/edgeservices/{service['id']}/values")["items"], 10)
    command = admin.post(
        f"{place_b}/edgeservices/{service['id']}/writes", {"tag": "plc/fast/setpoint", "value": 100}
    )
    token = admin.post(place_b + "/enrollment-tokens", {"name": f"{CANARY} t", "uses": 1, "expires_in_s": 60})
    user_b = admin.post(
        "/api/v1/users", {"email": f"{CANARY}@example.com", "name": f"{CANARY} person", "password": PASSWORD}
    )
    admin.post(f"/api/v1/orgs/{org_b}/members", {"user": user_b["id"], "role": "member"})
    org_a, place_a = make_project(admin, "A", "own hall")
    people = {}
    for role in ("organization_admin", "project_admin", "member"):
        user = admin.post(
            "/api/v1/users", {"email": f"{role}@a.example.com", "name": role, "password": PASSWORD}
        )
        if role == "organization_admin":
            admin.post(f"/api/v1/orgs/{org_a}/members", {"user": user["id"], "role": role})
        else:
            admin.post(f"/api/v1/orgs/{org_a}/members", {"user": user["id"], "role": "member"})
            admin.post(f"{place_a}/members", {"user": user["id"], "role": role})
        people[role] = plane.log_in(f"{role}@a.example.com")
    ids = {
        "org": org_b, "project": place_b.rsplit("/", 1)[1], "node": edge.node, "service": service["id"],
        "rule": rule["id"], "webhook": webhook["id"], "command": command["id"], "token": token["id"],
        "user": user_b["id"], "alarm": None,
    }
    alarms = wait_for("an alarm of B", lambda: admin.items(place_b + "/alarms", state="active"), 20)
    ids["alarm"] = alarms[0]["id"]
    yield {"people": people, "ids": ids, "place_a": place_a, "org_a": org_a, "place_b": place_b, "admin": admin}
    edge.stop()


def unknown(known):
    """An id of the same form that does not exist."""
    last = known[-1]
    other = ALPHABET[(ALPHABET.index(last) + 7) % len(ALPHABET)]
    return known[:-1] + other


def body_for(method, path, ids):
    """A good body that names the node and service, so that nothing but ids can be what is refused.

    A user belongs to the platform: any organization may take one in by the id.
    """
    good = BODIES.get((method, path))
    return good and {**good, **{name: ids[name] for name in ("node", "service") if name in good}}


def answer(api, method, path, body=None):
    headers = {"If-Match": '"1"'} if method in ("PUT", "PATCH", "DELETE") else {}
    try:
        return 200, json.dumps(api.call(method, path, body, headers))
    except Refused as refused:
        return refused.status, refused.reason


def filled(path, ids):
    """The path with ids, and with the query that it cannot do without."""
    query = STRETCH if path.endswith(("/history", "/samples")) else ""
    return re.sub(r"{(\w+)}", lambda match: ids.get(match[1]) or "x", path) + query


def test_foreign_ids_answer_exactly_like_unknown_ones(world, operations):
    """[R12]"""
    foreign = world["ids"]
    absent = {name: unknown(known) for name, known in foreign.items()}
    checked = 0
    for method, path in operations:
        names = re.findall(r"{(\w+)}", path)
        if not path.startswith("/api/") or not names or path.endswith("/events"):
            continue
        for role, api in world["people"].items():
            # The whole path foreign, and the foreign object under one's own organization and project.
            own = {"org": world["org_a"], "project": world["place_a"].rsplit("/", 1)[1]}
            for known, void in ((foreign, absent), ({**foreign, **own}, {**absent, **own})):
                asked, vain = ((filled(path, ids), body_for(method, path, ids)) for ids in (known, void))
                if asked == vain:
                    continue
                seen, expected = answer(api, method, *asked), answer(api, method, *vain)
                assert seen == expected, f"{role} {method} {path}: foreign {seen}, unknown {expected}"
                assert seen[0] in (403, 404), f"{role} {method} {path}: {seen}"
                checked += 1
    assert checked > 100


def test_nothing_of_the_other_organization_shows_and_nothing_goes_missing(world, operations):
    """[R16]"""
    ids = {"org": world["org_a"], "project": world["place_a"].rsplit("/", 1)[1]}
    for method, path in operations:
        names = set(re.findall(r"{(\w+)}", path))
        if method != "GET" or not names <= set(ids) or path.endswith("/events") or not path.startswith("/api/"):
            continue
        for role, api in world["people"].items():
            assert CANARY not in answer(api, method, filled(path, ids))[1], f"{role} {path}"
    for noun in ("edgenodes", "edgeservices", "alarmrules", "webhooks", "commands"):
        assert world["admin"].items(f"{world['place_b']}/{noun}"), f"{noun} of B went missing"


def test_a_right_taken_away_is_gone_with_the_next_call(plane, world):
    """[R07] [R15]"""
    admin, place, org = world["admin"], world["place_a"], world["org_a"]
    user = admin.post("/api/v1/users", {"email": "gone@a.example.com", "name": "Gone", "password": PASSWORD})
    admin.post(f"/api/v1/orgs/{org}/members", {"user": user["id"], "role": "member"})
    admin.post(f"{place}/members", {"user": user["id"], "role": "member"})
    api = plane.log_in("gone@a.example.com")
    assert api.get(place + "/edgenodes")["total"] == 0
    admin.call("DELETE", f"/api/v1/orgs/{org}/members/{user['id']}")
    with pytest.raises(Refused) as refused:
        api.get(place + "/edgenodes")
    assert (refused.value.status, refused.value.reason) == (401, "identity.rights_changed")
    with pytest.raises(Refused) as refused:
        plane.log_in("gone@a.example.com").get(place + "/edgenodes")
    assert refused.value.status == 404


def test_refusals_are_in_the_audit_log(world):
    """[R12] [R34]"""
    api = world["people"]["member"]
    with pytest.raises(Refused) as refused:
        api.post(world["place_a"] + "/enrollment-tokens", {"name": "t", "uses": 1, "expires_in_s": 60})
    assert refused.value.status == 403
    entries = world["admin"].items(f"/api/v1/orgs/{world['org_a']}/audit")
    assert any(entry["outcome"] == "denied" for entry in entries)
