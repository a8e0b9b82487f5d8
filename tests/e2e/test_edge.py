# SPDX-License-Identifier: Apache-2.0
"""What an agent says and does when it is set up wrongly or its surroundings are."""
import os
import pathlib
import re
import subprocess

import pytest

from product import Edge, find, make_edge, make_project, wait_for


@pytest.fixture(scope="module")
def place(admin):
    return make_project(admin, "Edges", "Bad input")[1]


@pytest.fixture
def token(admin, place, request):
    made = admin.post(place + "/enrollment-tokens",
                      {"name": request.node.name[:50], "uses": 1, "expires_in_s": 3600})
    return made["token"]


def clock_off_by(offset):
    """Environment in which a program sees the time with an offset such as "-30d"."""
    library = next(pathlib.Path("/usr/lib").rglob("faketime/libfaketime.so.1"))
    return {**os.environ, "LD_PRELOAD": str(library), "FAKETIME": offset,
            "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


def run(config, seconds, environment=None):
    """Output of ecp-edge run, which is ended after `seconds`, and its exit code if it ended itself."""
    command = [find("ecp-edge"), "run", "--config", config]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env=environment) as process:
        try:
            return process.communicate(timeout=seconds)[0], process.returncode
        except subprocess.TimeoutExpired:
            process.terminate()
            return process.communicate(timeout=20)[0], None


def other(text):
    """A text of the same form."""
    return text[:-8] + ("a" * 8 if not text.endswith("a" * 8) else "b" * 8)


def enrollments(plane, admin):
    """How many enrollments the audit log and the plane's own log have seen, refused ones too."""
    audited = [entry for entry in admin.items("/api/v1/audit") if "enroll" in entry["operation"]]
    return len(audited) + plane.process.text().count("path=/agent/v1/enroll")


def refused(answer, *words):
    assert answer.returncode == 1, answer.stdout
    assert len(answer.stderr.splitlines()) == 1, answer.stderr
    for word in words:
        assert word in answer.stderr, answer.stderr


@pytest.mark.parametrize("text", ["nonsense", "", "ecpt_" + "a" * 20, "ecpt_" + "x" * 5000])
def test_a_text_that_is_no_token_is_refused_before_anything_is_sent(plane, tmp_path, text):
    refused(Edge(plane, tmp_path, "gateway").enroll(text), "token")


def test_a_token_of_another_plane_is_not_sent(plane, admin, token, tmp_path):
    edge = Edge(plane, tmp_path, "stranger")
    secret, pin = token.split(".")
    asked = enrollments(plane, admin)
    refused(edge.enroll(secret + "." + other(pin)), "not sent")
    assert enrollments(plane, admin) == asked, "the plane was asked"
    refused(edge.enroll(other(secret) + "." + pin), "401")
    assert enrollments(plane, admin) > asked, "what is sent would not have shown"


def test_a_used_token_says_to_ask_for_a_new_one(plane, token, tmp_path):
    assert Edge(plane, tmp_path, "first").enroll(token).returncode == 0
    refused(Edge(plane, tmp_path, "second").enroll(token), "409", "used up", "new one")


def test_an_enrolled_folder_is_not_enrolled_again(plane, admin, place, token, tmp_path):
    edge = Edge(plane, tmp_path, "gateway")
    assert edge.enroll(token).returncode == 0
    before = (tmp_path / "gateway" / "identity.pem").read_bytes()
    refused(edge.enroll(token), "agent.already_enrolled")
    assert (tmp_path / "gateway" / "identity.pem").read_bytes() == before


@pytest.mark.parametrize("url,word", [("https://127.0.0.1:1", "cannot be reached"),
                                      ("http://127.0.0.1:1", "https://"),
                                      ("nothing", "https://")])
def test_a_plane_that_is_not_there_is_named(plane, token, tmp_path, url, word):
    refused(Edge(plane, tmp_path, "gateway").enroll(token, url=url), word)


def test_an_agent_that_is_not_enrolled_says_what_to_run(plane, tmp_path):
    output, code = run(Edge(plane, tmp_path, "gateway").config, 10)
    assert code == 1 and "ecp-edge enroll" in output, output


def test_two_agents_do_not_share_a_folder(plane, admin, place, tmp_path):
    edge = make_edge(plane, admin, place, tmp_path, "shared-folder")
    try:
        output, code = run(edge.config, 10)
        assert code == 1 and "agent.folder_in_use" in output, output
    finally:
        edge.stop()


@pytest.mark.parametrize("line,word", [("writes: perhaps", "writes"), ("wirtes: off", "wirtes"),
                                       ("log:\n  level: loud", "log.level")])
def test_a_broken_configuration_names_the_key(plane, tmp_path, line, word):
    edge = Edge(plane, tmp_path, "gateway", extra=line)
    output, code = run(edge.config, 10)
    assert code == 1 and word in output and "gateway.yaml" in output, output


def is_online(admin, place, name):
    return any(n["name"] == name and n["state"] == "online" for n in admin.items(place + "/edgenodes"))


@pytest.mark.parametrize("offset", ["-30d", "-1h"])
def test_a_clock_that_lags_keeps_nobody_out_and_is_named(plane, admin, place, token, tmp_path, offset):
    """A gateway without a battery comes back with the time of its last shut-down or of 1970."""
    name = "lagging" + re.sub(r"\W", "", offset)
    edge = Edge(plane, tmp_path, name)
    assert edge.enroll(token).returncode == 0
    with open(tmp_path / "log", "w", encoding="utf-8") as log, subprocess.Popen(
            [find("ecp-edge"), "run", "--config", edge.config], env=clock_off_by(offset),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process:
        try:
            wait_for(name + " online", lambda: is_online(admin, place, name), 20)
            wait_for("the warning", lambda: "clock is off" in (tmp_path / "log").read_text(), 20)
        finally:
            process.terminate()


def test_a_clock_far_ahead_says_that_the_certificate_is_not_good(plane, token, tmp_path):
    edge = Edge(plane, tmp_path, "hasty")
    assert edge.enroll(token).returncode == 0
    output, code = run(edge.config, 4, clock_off_by("+400d"))
    assert code is None, output  # It goes on trying: the clock may be set any time.
    assert "certificate has expired" in output and "clock" in output, output


def test_without_its_plane_an_agent_runs_and_names_what_it_cannot_reach(plane, token, tmp_path):
    edge = Edge(plane, tmp_path, "lonely")
    assert edge.enroll(token).returncode == 0
    link = tmp_path / "lonely" / "link.json"
    link.write_text(link.read_text().replace(str(plane.broker_port), "1"))
    output, code = run(edge.config, 3)
    assert code is None and "127.0.0.1:1" in output, output
