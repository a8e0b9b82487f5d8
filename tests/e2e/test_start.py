# SPDX-License-Identifier: Apache-2.0
"""Starting, and refusing to start, with words that say what to do."""
import os
import pathlib
import re
import socket
import stat
import subprocess

import pytest
from product import PASSWORD, Plane, find, wait_for
from platform_parts import Refused, free_port


def ends(plane):
    """The output of an ecpd that must refuse to start."""
    plane.process.start()
    wait_for("the refusal", lambda: not plane.process.running, 15)
    assert plane.process.child.returncode != 0
    return plane.process.text()


def test_a_port_in_use_is_named(tmp_path):
    plane = Plane(tmp_path)
    with socket.create_server(("127.0.0.1", plane.https_port)):
        assert str(plane.https_port) in ends(plane)


def test_a_missing_mosquitto_names_the_package(tmp_path):
    text = ends(Plane(tmp_path, extra="  mosquitto: /nowhere/mosquitto\n"))
    assert "/nowhere/mosquitto" in text and "package" in text


def test_an_unwritable_folder_is_named(tmp_path):
    plane = Plane(tmp_path)
    plane.data.write_text("a file where the folder should be")
    assert str(plane.data) in ends(plane)


@pytest.mark.parametrize(
    "line, word",
    [("data_folder: /d\nhttp:\n  listenn: 1", "listenn"), ("data_folder: [1]", "data_folder"),
     ("a: &x 1\nb: *x", "anchor"), ("data_folder: /d\nhttp:\n  listen: 0.0.0.0:99999", "listen")],
)
def test_a_broken_configuration_names_line_and_key(tmp_path, line, word):
    file = tmp_path / "broken.yaml"
    file.write_text(line + "\n")
    answer = subprocess.run(
        [find("ecpd"), "check-config", "--config", file], capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0
    assert "broken.yaml:" in answer.stderr and word in answer.stderr, answer.stderr


@pytest.mark.parametrize("program", ["ecpd", "ecp-edge"])
def test_a_program_names_its_version(program):
    answer = subprocess.run([find(program), "--version"], capture_output=True, text=True, check=True)
    assert re.fullmatch(program + r" \d+\.\d+\.\d+\n", answer.stdout)


def test_plain_http_is_for_loopback_only(tmp_path):
    file = tmp_path / "plain.yaml"
    file.write_text(f"data_folder: {tmp_path / 'd'}\nhttp:\n  listen: 0.0.0.0:{free_port()}\n  tls: false\n")
    answer = subprocess.run(
        [find("ecpd"), "check-config", "--config", file], capture_output=True, text=True, check=False
    )
    assert answer.returncode != 0 and "loopback" in answer.stderr, answer.stderr


def test_nothing_is_known_or_readable_after_a_fresh_start(tmp_path):
    """[R01] [R02] [R37] no default account, keys of one's own, files for the owner alone."""
    planes = [Plane(tmp_path / name) for name in ("a", "b") if not (tmp_path / name).mkdir()]
    try:
        for plane in planes:
            plane.start()
            for email in ("admin", "admin@example.com", "root@localhost", "ecp@example.com"):
                for password in ("", "admin", "0000", "public", "ecp", "password"):
                    with pytest.raises(Refused) as refused:
                        plane.log_in(email, password)
                    assert refused.value.status in (400, 401)
            for path in plane.data.rglob("*"):
                mode = stat.S_IMODE(os.lstat(path).st_mode)
                if path.name != "root-ca.pem":
                    assert mode & 0o077 == 0, f"{path} has mode {mode:o}"
        seen = {}
        for plane in planes:
            for path in plane.data.rglob("*"):
                if path.is_file() and ("key" in path.name or "secret" in path.name):
                    content = path.read_bytes()
                    assert content not in seen.values(), f"{path} equals {seen}"
                    seen[path] = content
    finally:
        for plane in planes:
            plane.stop()


def test_the_bootstrap_secret_works_once(tmp_path):
    """[R01]"""
    plane = Plane(tmp_path).start()
    try:
        secret = (plane.data / "bootstrap-secret").read_text().strip()
        assert len(secret) >= 22  # 128 bits in base64.
        plane.bootstrap()
        with pytest.raises(Refused):
            plane.anonymous.post(
                "/api/v1/bootstrap",
                {"email": "eve@example.com", "name": "Eve", "password": PASSWORD, "secret": secret},
            )
        assert not (plane.data / "bootstrap-secret").exists()
    finally:
        plane.stop()


def test_only_the_documented_ports_listen(plane):
    """[R39]"""
    ports = set()
    family = {plane.process.child.pid, plane.broker_pid()}
    listing = subprocess.run(["ss", "-lntupH"], capture_output=True, text=True, check=True).stdout
    for line in listing.splitlines():
        if any(f"pid={pid}," in line for pid in family):
            ports.add(int(line.split()[4].rsplit(":", 1)[1]))
    assert ports == {plane.https_port, plane.broker_port}
    with pytest.raises(Refused) as refused:
        plane.anonymous.get("/api/v1/platform")
    assert refused.value.status in (401, 404)


def test_a_stop_is_clean_and_the_broker_ends_with_it(tmp_path):
    plane = Plane(tmp_path).start()
    broker = pathlib.Path(f"/proc/{plane.broker_pid()}")
    plane.stop()
    assert plane.process.child.returncode == 0, plane.process.text()[-1000:]
    wait_for("the broker's end", lambda: not broker.exists(), 5)
