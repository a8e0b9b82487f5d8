# SPDX-License-Identifier: Apache-2.0
"""Revoking through EMQX's REST API, against a recorded double of it.

The double is not EMQX. It gives the answers of EMQX 5.10 to the two calls that ecpd makes, as EMQX's documentation
and source show them; the MQTT side is a mosquitto with our plugin, which is not told who is revoked. So what is
proven is what ecpd says to such an API and what it makes of the answers, not what EMQX does with them.
"""
import base64
import http.server
import json
import threading
import time

import pytest

from product import Plane, add_pipeline, make_edge, make_project, wait_for
from test_own_broker import OwnBroker

KEY = "a4697a5c75a769f6:MzAyMjk3ODMwMDk0NjIz"


class EmqxDouble(http.server.ThreadingHTTPServer):
    """A recorded double of EMQX's REST API, not EMQX."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.illness = None  # None, 401, 500, 503 or "silence".
        self.calls, self.bans = [], {}
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def calls_about(self, node):
        return [call for call in self.calls if node in call]


class Answers(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None):
        text = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def is_ill(self):
        illness = self.server.illness
        key = "Basic " + base64.b64encode(KEY.encode()).decode()
        if illness == "silence":
            time.sleep(4)  # Longer than ecpd waits.
            self.close_connection = True
        elif illness in (500, 503):
            self.answer(illness, {"code": "INTERNAL_ERROR", "message": "{badrpc,nodedown}"})
        elif illness == 401 or self.headers["authorization"] != key:
            self.answer(401, {"code": "BAD_API_KEY_OR_SECRET", "message": "Check api_key/api_secret"})
        else:
            return False
        return True

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.calls.append(f"POST {self.path} {body['who']}")
        if self.is_ill():
            return
        assert self.path == "/api/v5/banned" and body["as"] == "clientid", (self.path, body)
        if body["who"] in self.server.bans:
            old = json.dumps(self.server.bans[body["who"]])
            self.answer(400, {"code": "ALREADY_EXISTS", "message": old})
            return
        self.server.bans[body["who"]] = {**body, "at": "2026-01-01T08:00:00+08:00"}
        self.answer(200, self.server.bans[body["who"]])

    def do_DELETE(self):
        self.server.calls.append(f"DELETE {self.path}")
        if self.is_ill():
            return
        if self.path.startswith("/api/v5/clients/"):
            self.answer(204)
        else:
            self.answer(404, {"code": "NOT_FOUND", "message": "Request Path Not Found"})


@pytest.fixture
def emqx():
    double = EmqxDouble()
    yield double
    double.shutdown()
    double.server_close()


@pytest.fixture
def site(tmp_path, emqx):
    own = OwnBroker(tmp_path)
    key = tmp_path / "emqx-key"
    key.write_text(KEY + "\n")
    key.chmod(0o600)
    config = own.plane.config
    config.write_text(f"{config.read_text()}  emqx:\n    url: {emqx.url}\n    key_file: {key}\n")
    own.start()
    own.plane.start()
    yield own
    own.stop()


@pytest.mark.parametrize("illness", [None, 401, 503, "silence"])
def test_a_revoked_agent_is_banned_and_kicked_as_soon_as_emqx_takes_it(site, emqx, plant, tmp_path, illness):
    """[R15] The row is the truth: what the agent sends counts for nothing, whatever the broker does."""
    api = site.plane.bootstrap()
    place = make_project(api)[1]
    edge = make_edge(site.plane, api, place, tmp_path, "press-1")
    try:
        values = f"{place}/edgeservices/{add_pipeline(api, place, edge.node, plant.port)['id']}/values"

        def latest():
            return max((each["time"] for each in api.get(values)["items"]), default="")

        wait_for("values", latest, 30)
        emqx.illness = illness
        api.post(f"{place}/edgenodes/{edge.node}/revoke", None)
        if illness is not None:
            wait_for("a second try", lambda: len(emqx.calls_about(edge.node)) >= 2, 30)
            wait_for("the complaint", lambda: "is not kept out yet" in site.plane.process.text(), 10)
            assert ("check the API key" in site.plane.process.text()) == (illness == 401)
            assert emqx.bans == {} and api.get(f"{place}/edgenodes/{edge.node}")["revoked"]
            emqx.illness = None
        wait_for("the ban", lambda: edge.node in emqx.bans, 5 if illness is None else 60)
        wait_for("the kick", lambda: f"DELETE /api/v5/clients/{edge.node}" in emqx.calls, 5)
        assert emqx.bans[edge.node]["until"].startswith("2999-")
        last = latest()
        time.sleep(1)  # The plugin was told nothing: the agent is still connected and sends.
        assert latest() == last
        assert KEY.split(":")[1] not in site.plane.process.text()
    finally:
        edge.stop()


def test_emqx_is_told_again_after_a_restart_and_nobody_is_let_in_again(site, emqx, tmp_path):
    """[R15]"""
    api = site.plane.bootstrap()
    place = make_project(api)[1]
    edge = make_edge(site.plane, api, place, tmp_path, "press-1")
    edge.stop()
    api.post(f"{place}/edgenodes/{edge.node}/revoke", None)
    wait_for("the ban", lambda: edge.node in emqx.bans, 10)
    site.plane.stop()
    emqx.calls.clear()
    site.plane.start()
    wait_for("the ban again", lambda: emqx.calls_about(edge.node), 10)
    assert not any("DELETE /api/v5/banned" in call for call in emqx.calls)


def test_without_the_key_of_emqx_ecpd_says_where_it_belongs(tmp_path):
    plane = Plane(tmp_path, own_broker="  url: mqtts://127.0.0.1:1\n  emqx:\n    url: https://127.0.0.1:2\n")
    plane.process.start()
    wait_for("the refusal", lambda: not plane.process.running, 15)
    assert "key_file" in plane.process.text() and "ECPD_EMQX_KEY" in plane.process.text()
