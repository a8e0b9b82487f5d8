# SPDX-License-Identifier: Apache-2.0
"""What a newcomer does first: ask an unknown device what it holds, and collect that."""
import subprocess

import pytest
import yaml

from platform_parts import Process, free_port
from product import ROOT, find, make_edge, make_project, wait_for


@pytest.fixture(scope="module")
def device(folder):
    """Every type and order, holes from 400051 to 400060; unit 1 alone answers, as behind a gateway."""
    port = free_port()
    program = ROOT / "tests" / "unit" / "pipeline" / "modbus_device.py"
    process = Process("device", ["/usr/bin/python3", program, port], folder).start()
    wait_for("the device", lambda: str(port) in process.text(), 15)
    process.port = port
    yield process
    process.stop()


def probe(port, *options):
    return subprocess.run(
        [find("ecp-edge"), "probe", f"tcp://127.0.0.1:{port}", *options],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def tags_of(text):
    config = yaml.safe_load(text)
    return config, {tag["address"]: tag for tag in config["drivers"][0]["groups"][0]["tags"]}


def test_the_table_shows_units_holes_and_values(device):
    answer = probe(device.port, "--range", "400001-400064", "--units", "1-3", "--timeout", "200ms")
    assert answer.returncode == 0, answer.stderr
    lines = answer.stdout.splitlines()
    assert "Units that answer: 1" in lines
    assert any(line.startswith("400051   to 400060: ") and "illegal data address" in line for line in lines)
    assert any(line.startswith("400001   0xFF85") and "-123 *" in line for line in lines)
    floats = lines[lines.index("float32, from"):]
    assert any(line.startswith("400008") and "21.5 *" in line for line in floats)
    assert any(line.startswith("400014") and "21.5 *" in line for line in floats)
    assert any(line.split() == ["1!400008", "float32", "abcd", "21.5"] for line in lines), answer.stdout


def test_the_yaml_is_a_configuration_that_collects_the_values(device, plane, admin, tmp_path):
    config, tags = None, {}
    for part in ("400001-400013", "400014-400015", "400020-400023"):  # A device has one byte order as a rule.
        file = tmp_path / "tags.yaml"
        answer = probe(device.port, "--range", part, "--units", "1", "--yaml", file)
        assert answer.returncode == 0, answer.stderr
        config, found = tags_of(file.read_text())
        tags.update(found)
    assert tags["1!400008"] == {"name": "r400008", "address": "1!400008", "type": "float32", "byte_order": "abcd"}
    assert tags["1!400004"]["type"] == "int64" and tags["1!400010"]["type"] == "float64"
    assert tags["1!400014"]["byte_order"] == "cdab"
    assert tags["1!400020.4H"]["type"] == "text"
    config["drivers"][0]["groups"][0]["tags"] = list(tags.values())

    place = make_project(admin, "Probing", "Hall")[1]
    edge = make_edge(plane, admin, place, tmp_path, "prober")
    try:
        service = admin.post(place + "/edgeservices", {"name": "probed", "node": edge.node, "kind": "pipeline",
                                                       "runtime": "builtin", "config": config})
        path = f"{place}/edgeservices/{service['id']}/values"

        def values():
            return {item["tag"].split("/")[2]: item.get("value") for item in admin.get(path)["items"]}

        seen = wait_for("the values", lambda: (lambda v: v if len(v) == len(tags) else None)(values()), 20)
    finally:
        edge.stop()
    assert seen["r400008"] == 21.5 and seen["r400014"] == 21.5 and seen["r400010"] == 1234.5678
    assert seen["r400020"] == "furnace" and seen["r400004"] == -5_000_000_000 and seen["r400001"] == -123


def test_coils_and_inputs_are_read_by_their_own_numbers(device):
    answer = probe(device.port, "--range", "000001-000004", "--units", "1")
    assert answer.returncode == 0, answer.stderr
    assert "000002   true" in answer.stdout and "000001   false" in answer.stdout
    answer = probe(device.port, "--range", "300001-300002", "--units", "1", "--yaml", "-")
    assert set(tags_of(answer.stdout)[1]) == {"1!300001", "1!300002"}
    assert "0x004D" in answer.stderr


def test_a_probe_says_what_to_do_when_nothing_is_found(device):
    refused = probe(free_port())
    assert refused.returncode == 1 and "check address, port" in refused.stderr
    silent = probe(device.port, "--units", "2-4", "--timeout", "100ms")
    assert silent.returncode == 1 and "no unit from 2 to 4" in silent.stderr and "--timeout" in silent.stderr
    wrong = probe(device.port, "--range", "400020-400001")
    assert wrong.returncode == 1 and "400001-400020" in wrong.stderr
    assert probe(device.port, "--colour", "red").returncode == 2


def test_progress_is_told_on_standard_error(device):
    answer = probe(device.port, "--units", "1-30", "--timeout", "50ms")
    assert answer.returncode == 0 and "asked 20 of 30 units, 1 answered" in answer.stderr
