# SPDX-License-Identifier: Apache-2.0
"""A broker that ecpd did not start: which one it takes, which one it refuses, and what it then says."""
import os
import pathlib
import re
import stat
import subprocess

import pytest

from product import Plane, Process, add_pipeline, find, free_port, make_edge, make_project, wait_for

MOSQUITTO = "/usr/sbin/mosquitto"

# What an integrator writes who knows MQTT and mosquitto's manual: everybody has his own branch.
STOCK_ACL = """pattern readwrite ecp/v1/agents/%u/#
pattern read $SYS/#
"""


class OwnBroker:
    """A mosquitto of ours, on files that ecpd wrote for it, beside an ecpd that is told its URL."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.kit = self.folder / "kit"
        self.port = free_port()
        self.plane = Plane(self.folder, own_broker=f"  url: mqtts://127.0.0.1:{self.port}\n")
        self.answer = self.plane.command(
            "broker-config", "--out", self.kit, "--plugin", find("ecp_mosquitto_plugin.so"))
        self.config = self.kit / "mosquitto.conf"
        self.process = Process("mosquitto", [MOSQUITTO, "-c", self.config], self.folder)

    def set_config(self, change):
        self.config.write_text(change(self.config.read_text()))

    def start(self):
        """mosquitto started by root becomes another user unless told whom; who else runs it stays."""
        if os.geteuid() == 0 and "user root" not in self.config.read_text():
            self.set_config(lambda text: "user root\n" + text)
        self.process.start()
        wait_for("mosquitto", self.listens, 10)
        return self

    def listens(self):
        assert self.process.running, self.process.text()
        listing = subprocess.run(["ss", "-lntH", f"sport = :{self.port}"], capture_output=True, text=True,
                                 check=True).stdout
        return str(self.port) in listing

    def stop(self):
        self.plane.stop()
        self.process.stop()


@pytest.fixture
def own(tmp_path):
    broker = OwnBroker(tmp_path)
    assert broker.answer.returncode == 0, broker.answer.stderr
    yield broker
    broker.stop()


def with_acl_file(own, acl):
    """The configuration without our plugin, with an ACL file instead."""
    path = own.kit / "acl"
    path.write_text(acl)
    own.set_config(lambda text: re.sub(r"plugin .*\n", f"acl_file {path}\n", text))


def refusal(own):
    own.plane.process.start()
    wait_for("the refusal", lambda: not own.plane.process.running, 30)
    assert own.plane.process.child.returncode == 1
    return own.plane.process.text()


def test_the_files_for_a_broker_are_private_and_say_what_to_do_next(own):
    """[R21] [R37]"""
    told = own.answer.stdout
    for path in (own.kit, *own.kit.iterdir()):
        assert stat.S_IMODE(os.lstat(path).st_mode) & 0o077 == 0, path
    assert {path.name for path in own.kit.iterdir()} == {"mosquitto.conf", "broker.pem", "roots.pem"}
    assert str(own.config) in told and "good until" in told and "ecpd serve" in told
    again = own.plane.command("broker-config", "--out", own.kit)
    assert again.returncode == 0, again.stderr
    assert "/usr/lib/ecp/ecp_mosquitto_plugin.so" in own.config.read_text()


def test_no_files_are_written_for_a_broker_that_ecpd_starts(tmp_path):
    plane = Plane(tmp_path)
    answer = plane.command("broker-config", "--out", tmp_path / "kit")
    assert answer.returncode == 1 and "broker.url" in answer.stderr
    assert not (tmp_path / "kit").exists()


def test_a_broker_with_a_stock_acl_file_is_refused_with_all_its_holes(own):
    """[R19] [R21]"""
    with_acl_file(own, STOCK_ACL)
    own.start()
    said = refusal(own)
    own_branch = r"ecp/v1/agents/node_[0-9a-z]{26}/"
    assert re.search("an agent may publish to " + own_branch + "down/desired", said), said
    for hole in ("subscribe to #", r"subscribe to \$SYS/#", r"subscribe to \$share/probe/ecp/v1/agents/\+/up/#"):
        assert re.search(hole, said), said
    for advice in (f"127.0.0.1:{own.port}", "plugin", "broker-config", "docs/own-broker.md"):
        assert advice in said, said


def test_a_broker_that_allows_everything_is_refused(own):
    """[R21]"""
    own.set_config(lambda text: re.sub(r"plugin .*\n", "", text))
    own.start()
    assert "an agent may publish to ecp/v1/agents/node_00000000000000000000000000/up/state" in refusal(own)


def test_a_broker_of_a_stranger_is_not_trusted_unless_his_root_is_named(own, tmp_path):
    """[R03] The certificate is judged, and the words say by what it can be."""
    key, cert = tmp_path / "stranger.key", tmp_path / "stranger.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=stranger",
         "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    own.set_config(lambda text: re.sub(r"certfile .*\nkeyfile .*\n", f"certfile {cert}\nkeyfile {key}\n", text))
    own.start()
    own.plane.process.start()
    wait_for("the complaint", lambda: "did not prove its identity" in own.plane.process.text(), 30)
    own.plane.stop()
    own.plane.config.write_text(own.plane.config.read_text() + f"  trust_file: {cert}\n")
    own.plane.start()
    api = own.plane.bootstrap()
    make_edge(own.plane, api, make_project(api)[1], tmp_path, "press-1").stop()


def test_agents_work_over_a_broker_with_our_plugin_and_outlive_its_restart(own, plant, tmp_path):
    """[R15] [R21] its guard is proven again, the revoked stay out, the others come back."""
    own.start()
    own.plane.start()
    api = own.plane.bootstrap()
    place = make_project(api)[1]
    good, bad = (make_edge(own.plane, api, place, tmp_path, name) for name in ("press-1", "press-2"))
    try:
        values = f"{place}/edgeservices/{add_pipeline(api, place, good.node, plant.port)['id']}/values"

        def latest():
            return max((each["time"] for each in api.get(values)["items"]), default="")

        def state(edge):
            return api.get(f"{place}/edgenodes/{edge.node}")["state"]

        def cut(edge):
            return own.process.text().count(f"revoked agent {edge.node} is cut")

        issued = [entry for entry in api.items("/api/v1/audit") if entry["operation"] == "broker.issue_certificate"]
        assert len(issued) == 1 and issued[0]["principal_kind"] == "system"
        before = wait_for("values", latest, 30)
        wait_for("newer values", lambda: latest() > before, 15)
        api.post(f"{place}/edgenodes/{bad.node}/revoke", None)
        wait_for("the cut", lambda: f"{bad.node} been disconnected by administrative" in own.process.text(), 5)
        wait_for("the reconnect's cut", lambda: cut(bad), 20)
        assert state(bad) == "offline"

        own.process.stop()
        wait_for("silence", lambda: not own.plane.healthy(), 15)
        cuts = cut(bad)
        own.start()
        wait_for("readiness", own.plane.healthy, 30)
        wait_for("press-1", lambda: state(good) == "online", 30)
        before = latest()
        wait_for("values again", lambda: latest() > before, 30)
        wait_for("another cut", lambda: cut(bad) > cuts, 30)
        assert state(bad) == "offline"
    finally:
        for edge in (good, bad):
            edge.stop()


def test_a_broker_that_loses_its_guard_at_a_restart_is_not_used_again(own):
    """[R21] Whoever runs the broker may change it at any time."""
    own.start()
    own.plane.start()
    guarded = own.config.read_text()
    own.process.stop()
    with_acl_file(own, STOCK_ACL)
    own.start()
    wait_for("the complaint", lambda: "an agent may publish to" in own.plane.process.text(), 30)
    assert not own.plane.healthy() and own.plane.process.running
    own.process.stop()
    own.set_config(lambda _: guarded)
    own.start()
    wait_for("readiness", own.plane.healthy, 30)
