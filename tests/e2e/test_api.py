# SPDX-License-Identifier: Apache-2.0
"""The API as a client meets it: bounds, unknown fields, revisions, repeated requests, garbage."""
import json
import socket
import ssl
import subprocess

import pytest
from product import PASSWORD, make_project
from platform_parts import Api, Refused


def refusal(call, *arguments, **named):
    with pytest.raises(Refused) as refused:
        call(*arguments, **named)
    return refused.value


def test_every_error_has_the_one_body(plane, admin):
    for path in ("/api/v1/nothing", "/nothing", "/api/v1/orgs/org_0", "/api/v1/users/user_zzz"):
        with pytest.raises(Refused) as refused:
            admin.get(path)
        assert refused.value.status == 404 and refused.value.reason not in (None, "http"), path


def test_unknown_fields_are_refused_by_name(admin):
    """[R14]"""
    for field in ("tenant_id", "role", "authority", "owner", "created_at", "nonsense"):
        refused = refusal(admin.post, "/api/v1/orgs", {"name": "Acme", field: "x"})
        assert refused.status == 400 and field in str(refused)


@pytest.mark.parametrize("name", ["", "x" * 51, "a\nb", "a\u0000b", None, 7, ["x"], {"a": 1}, True])
def test_a_bad_name_is_refused_naming_the_field(admin, name):
    refused = refusal(admin.post, "/api/v1/orgs", {"name": name})
    assert refused.status == 400 and "name" in str(refused)


def test_the_id_of_nothing_is_not_taken_for_every_service(admin):
    _, place = make_project(admin, "Nil works", "Hall")
    rule = {"name": "high", "service": "svc_" + 26 * "0", "tag": "a/b/c", "operator": ">", "threshold": 1}
    refused = refusal(admin.post, place + "/alarmrules", rule)
    assert refused.status == 400 and "service" in json.dumps(refused.body), refused.body
    assert admin.get(place + "/alarmrules")["total"] == 0


def test_a_stale_revision_changes_nothing(admin):
    org = admin.post("/api/v1/orgs", {"name": "Revisions"})
    path = f"/api/v1/orgs/{org['id']}"
    tag = f'"{org["revision"]}"'
    renamed = admin.call("PATCH", path, {"name": "Renamed"}, {"If-Match": tag})
    assert renamed["name"] == "Renamed" and renamed["revision"] > org["revision"]
    assert refusal(admin.call, "PATCH", path, {"name": "Again"}, {"If-Match": tag}).status == 409
    assert refusal(admin.call, "PATCH", path, {"name": "Again"}).status == 400
    assert refusal(admin.call, "DELETE", path).status == 400
    assert admin.get(path)["name"] == "Renamed"


def test_a_repeated_post_with_its_key_acts_once(admin):
    key = {"Idempotency-Key": "0d1f6f2e-first"}
    first = admin.call("POST", "/api/v1/orgs", {"name": "Once"}, key)
    again = admin.call("POST", "/api/v1/orgs", {"name": "Once"}, key)
    assert first == again
    assert refusal(admin.call, "POST", "/api/v1/orgs", {"name": "Other"}, key).status == 409
    assert sum(org["name"] == "Once" for org in admin.items("/api/v1/orgs")) == 1


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "offset=-1", "limit=1e9", "colour=red"])
def test_a_bad_page_names_its_parameter(admin, query):
    refused = refusal(admin.get, "/api/v1/orgs?" + query)
    assert refused.status == 400 and query.split("=")[0] in str(refused)


def test_methods_that_are_not_offered_answer_405(plane, admin):
    """[R13]"""
    assert refusal(admin.call, "PUT", "/api/v1/orgs").status == 405
    assert refusal(admin.call, "DELETE", "/health").status == 405


def test_without_a_session_everything_answers_401(plane):
    for path in ("/api/v1/orgs", "/api/v1/users", "/api/v1/audit", "/api/v1/session"):
        assert refusal(plane.anonymous.get, path).status == 401


def test_a_foreign_page_cannot_change_anything(plane, admin):
    """[R08]"""
    refused = refusal(admin.call, "POST", "/api/v1/orgs", {"name": "X"}, {"Origin": "https://evil.example"})
    assert refused.status == 403
    simple = subprocess.run(
        ["curl", "-sS", "--cacert", plane.data / "root-ca.pem", "-o", "/dev/null", "-w", "%{http_code}",
         "-H", "Content-Type: text/plain", "-H", f"Authorization: Bearer {admin.token}",
         "-d", '{"name":"X"}', plane.url + "/api/v1/orgs"],
        capture_output=True, text=True, check=True,
    )
    assert simple.stdout == "415"


def test_a_log_out_ends_the_token_at_once(plane, admin):
    """[R07]"""
    api = plane.log_in("ada@example.com")
    api.get("/api/v1/session")
    api.call("DELETE", "/api/v1/session")
    assert refusal(api.get, "/api/v1/session").status == 401


def raw(plane, octets, timeout=10):
    """Send octets over TLS and return all that comes back."""
    context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
    with socket.create_connection(("127.0.0.1", plane.https_port), timeout=timeout) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as secured:
            received = b""
            try:
                secured.sendall(octets)
                while piece := secured.recv(65536):
                    received += piece
            except (ssl.SSLError, ConnectionError):
                pass
            return received


def test_garbage_is_answered_or_cut_and_the_server_stays(plane):
    """[R23] [R24]"""
    head = b"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    cases = [
        (b"\x00\xff" * 500 + b"\r\n\r\n", (b"400", b"")),
        (b"GET / HTTP/9.9\r\n\r\n", (b"400", b"505", b"")),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (b"414", b"431")),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 25000 + b"\r\n\r\n", (b"431",)),
        (head + b"Content-Length: 99999999\r\n\r\n", (b"413",)),
        (head + b"Content-Length: -1\r\n\r\n", (b"400",)),
        (head + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", (b"400",)),
        (b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (b"400", b"404")),
        (b"GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (b"400", b"404")),
        (b"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", (b"400", b"404")),
    ]
    for body in (b"", b"null", b"[]", b"{", b'{"email":1e999}', b'{"a":1,"a":2}', b'"\\ud800"',
                 b"[" * 200_000, b'{"email":"\xff\xfe"}', b'{"email":NaN,"password":"x"}'):
        cases.append((head + b"Content-Length: %d\r\n\r\n" % len(body) + body, (b"400",)))
    for octets, wanted in cases:
        try:
            answer = raw(plane, octets)
        except TimeoutError:
            raise AssertionError(f"no answer to {octets[:120]}") from None
        status = answer.split(b" ", 2)[1] if answer.startswith(b"HTTP/") else b""
        assert status in wanted, (octets[:80], answer[:200])
    assert plane.healthy()


def test_a_password_is_long_unusual_and_not_ones_name(plane, admin):
    """[R03]"""
    def create(password, email="some.person@example.com"):
        return admin.post("/api/v1/users", {"email": email, "name": "Passworder", "password": password})

    for bad in ("x" * 14, "x1" * 65, "passwordpassword", "some.person@example.com"):
        assert refusal(create, bad).status == 400, bad
    create("abcdefghijklmnopqrst", "lower@example.com")
    emoji = "ü🙂" * 60 + "12345678"
    create(emoji, "emoji@example.com")
    plane.log_in("emoji@example.com", emoji)


def test_the_audit_log_names_who_did_what_and_keeps_no_secret(plane, admin):
    """[R34] [R36]"""
    org, place = make_project(admin, "Audited", "Hall")
    inside = admin.items(f"/api/v1/orgs/{org}/audit")
    platform = admin.items("/api/v1/audit")
    operations = {entry["operation"] for entry in inside + platform}
    assert {"organization.create", "project.create", "session.log_in"} <= operations, operations
    everything = json.dumps(inside + platform)
    assert PASSWORD not in everything and admin.token not in everything
    log = plane.process.text()
    assert PASSWORD not in log and admin.token not in log


def test_the_audit_log_verifies_while_serving(plane):
    """[R35]"""
    answer = plane.command("audit", "verify")
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "verified" in answer.stdout


def test_a_session_outlives_its_access_token_by_a_refresh(plane, admin):
    """What a program does that runs for longer than an access token is good."""
    api = Api(plane.url, plane.data / "root-ca.pem").log_in("ada@example.com", PASSWORD)
    first = api.refresh_token
    api.token = "run out"
    assert api.get("/api/v1/session")["user"]["email"] == "ada@example.com"
    assert api.refresh_token != first and api.token != "run out"
