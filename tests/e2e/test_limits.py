# SPDX-License-Identifier: Apache-2.0
"""[R23] What is too much is refused within a second, and costs no memory that matters."""
import json
import socket
import ssl
import time

import pytest
from product import make_project, pipeline_config, wait_for

GROWTH_MIB = 32
REFUSAL_S = 1.0
CONNECTIONS = 512
JSON_TYPE = b"Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def place(admin):
    return make_project(admin, "Limited", "Hall")[1]


def tls(plane):
    context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
    plain = socket.create_connection(("127.0.0.1", plane.https_port), timeout=10)
    return context.wrap_socket(plain, server_hostname="127.0.0.1")


def memory_mib(plane, field):
    for line in open(f"/proc/{plane.process.child.pid}/status"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise AssertionError(field)


class Watch:
    """The highest memory of ecpd while something is done, above what it was before."""

    def __init__(self, plane):
        self.plane = plane
        with open(f"/proc/{plane.process.child.pid}/clear_refs", "w") as peak:
            peak.write("5")
        self.before = memory_mib(plane, "VmRSS")

    @property
    def growth(self):
        return memory_mib(self.plane, "VmHWM") - self.before


def ask(plane, pieces):
    """Send pieces until the server has had enough; its status, and the time from there."""
    with tls(plane) as link:
        begin, sent = time.monotonic(), 0
        link.settimeout(0.0)
        received = b""
        for piece in pieces:
            view = memoryview(piece)
            while view:
                try:
                    count = link.send(view)
                    view, sent = view[count:], sent + count
                    begin = time.monotonic()
                except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                    time.sleep(0.001)
                except (ssl.SSLError, ConnectionError, BrokenPipeError):
                    view = None
                received += some(link)
                if received or time.monotonic() - begin > 5:
                    view = None
            if view is None:
                break
        while b"\r\n\r\n" not in received and time.monotonic() - begin < 5:
            piece = some(link)
            if piece is None:
                break
            received += piece
            time.sleep(0.001)
        status = int(received.split(b" ", 2)[1]) if received.startswith(b"HTTP/") else 0
        return status, time.monotonic() - begin, sent


def some(link):
    """What has come by now."""
    try:
        return link.recv(65536)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return b""
    except (ssl.SSLError, ConnectionError):
        return b""


def request(admin, method, path, body=b"", fields=b""):
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {admin.token}\r\n".encode()
    return head + JSON_TYPE + fields + b"Content-Length: %d\r\n\r\n" % len(body) + body


def endless_chunks():
    yield b"POST /api/v1/orgs HTTP/1.1\r\nHost: x\r\n" + JSON_TYPE + b"Transfer-Encoding: chunked\r\n\r\n"
    while True:
        yield b"10000\r\n" + b" " * 65536 + b"\r\n"


def endless_head():
    yield b"GET / HTTP/1.1\r\nHost: x\r\n"
    while True:
        yield b"A: " + b"a" * 1000 + b"\r\n"


def endless_line():
    yield b"GET /"
    while True:
        yield b"a" * 1024


def many_tags(place):
    config = pipeline_config(502)
    tag = {"name": "t", "address": "1!400001", "type": "uint16"}
    config["drivers"][0]["groups"][0]["tags"] = [{**tag, "name": f"t{number}"} for number in range(12_000)]
    return json.dumps({"name": "n", "node": "node_" + "0" * 26, "kind": "pipeline", "runtime": "builtin",
                       "config": config}, separators=(",", ":")).encode()


def over_limit(admin, place):
    """Name, octets to send, statuses that may answer."""
    post = lambda body, path="/api/v1/orgs", fields=b"": [request(admin, "POST", path, body, fields)]  # noqa: E731
    get = lambda path: [request(admin, "GET", path)]  # noqa: E731
    return [
        ("a long target", get("/api/v1/orgs?" + "a" * 5_000), (414,)),
        ("an endless target", endless_line(), (414,)),
        ("a long field", [b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 20_000 + b"\r\n\r\n"], (431,)),
        ("10,000 fields", [b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 10_000 + b"\r\n"], (431,)),
        ("endless fields", endless_head(), (431,)),
        ("a body of 1 GiB announced", [b"POST /api/v1/orgs HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n"], (413,)),
        ("a body of 2^64 announced", [b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n"], (400, 413)),
        ("an endless chunked body", endless_chunks(), (413,)),
        ("a compressed body", post(b"\x1f\x8b" + b"\0" * 1_000, fields=b"Content-Encoding: gzip\r\n"), (400, 415)),
        ("depth 500,000", post(b"[" * 500_000), (400,)),
        ("depth 33", post(b'{"name":' + b"[" * 33 + b"]" * 33 + b"}"), (400,)),
        ("200,000 members", post(b"{" + b",".join(b'"%d":1' % number for number in range(90_000)) + b"}"), (400,)),
        ("500,000 items", post(b'{"name":[' + b"1," * 500_000 + b"1]}"), (400,)),
        ("a name of 1 MB", post(b'{"name":"' + b"a" * 1_000_000 + b'"}'), (400,)),
        ("12,000 tags of one service", post(many_tags(place), place + "/edgeservices"), (400, 404, 413, 422)),
        ("a long page", get("/api/v1/orgs?limit=201"), (400,)),
        ("a far page", get("/api/v1/orgs?offset=1000001"), (400,)),
        ("a page beyond numbers", get("/api/v1/orgs?limit=99999999999999999999"), (400,)),
        ("a long key", post(b'{"name":"x"}', fields=b"Idempotency-Key: " + b"k" * 201 + b"\r\n"), (400,)),
        ("a long token", [b"GET /api/v1/orgs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + b"a" * 16_000 + b"\r\n\r\n"],
         (401,)),
        ("a long password", post(b'{"email":"a@b.c","password":"' + b"a" * 900_000 + b'"}', "/api/v1/session"), (400, 401)),
    ]


def test_too_much_is_refused_at_once_and_costs_little(plane, admin, place):
    """[R23]"""
    ask(plane, over_limit(admin, place)[14][1])  # What the allocator keeps from the first time is no growth.
    for name, pieces, statuses in over_limit(admin, place):
        watch = Watch(plane)
        status, seconds, sent = ask(plane, pieces)
        assert status in statuses, f"{name}: {status} after {sent} octets"
        assert seconds < REFUSAL_S, f"{name}: {seconds:.2f} s"
        assert watch.growth < GROWTH_MIB, f"{name}: {watch.growth:.1f} MiB"
    assert plane.healthy()


def test_one_user_has_20_streams_at_most(plane, admin, place):
    """[R23]"""
    watch = Watch(plane)
    octets = request(admin, "GET", place + "/events")
    links = [tls(plane) for _ in range(21)]
    statuses = []
    for link in links:
        link.sendall(octets)
        statuses.append(int(link.recv(4096).split(b" ", 2)[1]))
    assert statuses == [200] * 20 + [429]
    for link in links:
        link.close()
    assert watch.growth < GROWTH_MIB
    other = plane.log_in("ada@example.com")
    assert other.get("/api/v1/orgs")["total"] >= 1


def test_connections_over_the_bound_are_closed_and_those_within_are_served(plane):
    """[R23]"""
    def connect(count):
        return [socket.create_connection(("127.0.0.1", plane.https_port), timeout=5) for _ in range(count)]

    within = connect(CONNECTIONS - 1)
    served = tls(plane)
    time.sleep(0.2)  # The server has taken them then, so that what is measured is the cost of the others.
    watch = Watch(plane)
    over = connect(200)
    begin = time.monotonic()
    for link in over:
        link.settimeout(REFUSAL_S)
        assert is_closed(link)
    assert time.monotonic() - begin < REFUSAL_S
    assert watch.growth < GROWTH_MIB
    served.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert served.recv(4096).startswith(b"HTTP/1.1 200")
    for link in (*within, *over, served):
        link.close()
    wait_for("places for others", plane.healthy, 5)


def is_closed(link):
    try:
        return link.recv(1) == b""
    except ConnectionError:
        return True
