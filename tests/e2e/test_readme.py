# SPDX-License-Identifier: Apache-2.0
"""What the README tells a newcomer to type, typed; and the example files against the tables of keys."""
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
import yaml
from product import PASSWORD, ROOT, find, free_port, wait_for

PORTS = ("8443", "8883", "1502")
# Stands between two blocks for the reader, who waits until `ecpd` says that it serves.
UNTIL_SERVED = "until curl -sf --cacert ~/ecp/data/root-ca.pem https://127.0.0.1:8443/health >&2; do sleep 0.2; done\n"
SHOW = 'printf "\\n=== %s\\n" end; api $P/edgeservices/$SERVICE/values; echo; echo ===; api $P/commands/$WRITE; echo\n'


def blocks(text):
    """The sh blocks of the tour with curl, in order."""
    tour = text.split("## Five minutes with curl")[1].split("\n## ")[0]
    found = re.findall(r"^( *)```sh\n(.*?)^\1```", tour, re.M | re.S)
    return [re.sub("^" + indent, "", block, flags=re.M) for indent, block in found]


def tour(home):
    """The blocks as one script on free ports, with what is built where ECP_BUILD says."""
    first, *others = blocks((ROOT / "README.md").read_text())
    script = "".join([first, UNTIL_SERVED, *others, SHOW])
    ports = {port: str(free_port()) for port in PORTS}
    assert all(port in script for port in ports)
    script = re.sub(r"\b(" + "|".join(ports) + r")\b", lambda match: ports[match[1]], script)
    plugin = "$PWD/build/release/lib/ecp_mosquitto_plugin.so"
    assert plugin in script
    script = script.replace(plugin, str(find("ecp_mosquitto_plugin.so")))
    path = home / "tour.sh"
    path.write_text("set -e -o pipefail; SOURCE=$PWD\n" + script)
    return path


def end_group(group):
    """End what the script started: its shell is the leader of a process group of its own."""
    for signal_ in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(group, signal_)
            wait_for("the end of the group", lambda: not alive(group), 20)
            return
        except ProcessLookupError:
            return
        except AssertionError:
            continue


def alive(group):
    """Whether a process of the group is still there; one that only waits to be read is not."""
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            return True
    return False


def test_the_tour_with_curl_shows_values_and_writes_a_set_point(tmp_path):
    programs = {str(find(name).parent) for name in ("ecpd", "ecp-edge")}
    environment = {
        "HOME": str(tmp_path), "PATH": ":".join([*programs, "/usr/bin", "/bin", "/usr/sbin"]), "LANG": "C.UTF-8",
    }
    output, errors = tmp_path / "output", tmp_path / "errors"
    with open(output, "wb") as out, open(errors, "wb") as err, subprocess.Popen(
            ["bash", tour(tmp_path)], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=out, stderr=err,
            start_new_session=True) as shell:
        try:
            shell.communicate(f"{PASSWORD}\n".encode(), timeout=90)
        finally:
            end_group(shell.pid)
    told = errors.read_text(errors="replace")[-3000:]
    assert shell.returncode == 0, told
    values, command = output.read_text().split("=== end\n")[1].split("\n===\n")
    shown = {item["tag"]: item for item in json.loads(values)["items"]}
    assert set(shown) == {"plc/fast/temperature", "plc/fast/setpoint"}, shown
    assert all(item["quality"] != "bad" for item in shown.values()), shown
    ended = json.loads(command)
    assert (ended["state"], float(ended["value"])) == ("done", 400.0), ended
    assert not (tmp_path / "ecp" / "data" / "bootstrap-secret").exists()


@pytest.mark.parametrize("program,heading", [("ecpd", "## ecpd"), ("ecp-edge", "## ecp-edge")])
def test_an_example_file_has_every_key_of_the_table(program, heading):
    text = (ROOT / "docs" / "configuration.md").read_text().split(heading + "\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z].*?) \|", text, re.M)
    documented = {key for row in rows for key in re.findall(r"`([a-z_.]+)`", row)}
    example = (ROOT / "apps" / program / f"{program}.example.yaml").read_text()
    # What is optional stands in a comment, indented like the keys beside it.
    spelled = yaml.safe_load(re.sub(r"^( *)# ([a-z_]+:.*?)  .*$", r"\1\2", example, flags=re.M))

    def keys(part, path):
        if not isinstance(part, dict):
            return {path}
        return set().union(*(keys(inner, f"{path}.{name}") for name, inner in part.items()))

    assert {key[1:] for key in keys(spelled, "")} == documented
