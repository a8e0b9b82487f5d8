# SPDX-License-Identifier: Apache-2.0
"""What becomes of a set-point when the cloud or its writer is lost, on a real device."""
import socket
import struct

import pytest

from product import add_pipeline, make_edge, make_project, pipeline_config, wait_for

SETPOINT_REGISTER, SAFE = 6, 25.0  # 400007


@pytest.fixture(scope="module")
def plane(relayed_plane):
    return relayed_plane


def setpoint(port):
    """Of the device itself, past our agent."""
    unit = struct.pack(">BBHH", 1, 3, SETPOINT_REGISTER, 2)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as device:
        device.sendall(struct.pack(">HHH", 1, 0, len(unit)) + unit)
        return struct.unpack(">f", device.recv(64)[9:13])[0]


def config_with(port, rules):
    config = pipeline_config(port)
    config["drivers"][0]["groups"][0]["tags"][2].update(rules)
    return config


def write(api, place, service, value):
    command = api.post(f"{place}/edgeservices/{service}/writes", {"tag": "plc/fast/setpoint", "value": value})
    path = f"{place}/commands/{command['id']}"
    return wait_for("the outcome", lambda: (lambda c: c if c["state"] != "pending" else None)(api.get(path)), 10)


def events(api, name):
    entries = api.items("/api/v1/audit")
    return [entry for entry in entries if entry["operation"] == "edge_node.event" and name in str(entry["details"])]


@pytest.fixture
def furnace(plane, admin, plant, tmp_path, request):
    """An agent with a service whose set-point has rules; gives place, service id and the agent."""

    def made(rules):
        place = make_project(admin, request.node.name[:40])[1]
        edge = make_edge(plane, admin, place, tmp_path, "gateway")
        request.addfinalizer(edge.stop)
        service = add_pipeline(admin, place, edge.node, plant.port)
        path = f"{place}/edgeservices/{service['id']}"
        admin.call("PATCH", path, {"config": config_with(plant.port, rules)},
                   {"If-Match": f'"{admin.get(path)["revision"]}"'})
        wait_for("the configuration", lambda: admin.get(path)["config_state"] == "applied", 20)
        return place, service["id"], edge

    return made


def test_a_lost_cloud_brings_the_safe_value_to_the_device_and_is_told_when_it_is_back(
        furnace, admin, plant, relay):
    place, service, _ = furnace({"on_loss": {"cloud": {"after_ms": 2000, "safe_value": SAFE}}})
    assert write(admin, place, service, 300.0)["state"] == "done"

    relay.cut()
    try:
        wait_for("the safe value on the device", lambda: setpoint(plant.port) == SAFE, 15)
        assert not events(admin, "agent.safe_value_written")
    finally:
        relay.heal()

    told = wait_for("the event", lambda: events(admin, "agent.safe_value_written"), 90)
    assert len(told) == 1
    assert "plc/fast/setpoint" in str(told[0]["details"]) and "cloud" in str(told[0]["details"])
    assert "agent.safe_value" in wait_for(
        "the reason", lambda: admin.get(f"{place}/edgeservices/{service}")["reason"], 30)
    assert setpoint(plant.port) == SAFE, "nobody wrote since"


def test_a_lost_writer_brings_the_safe_value_also_over_a_kill_of_the_agent(furnace, admin, plant):
    place, service, edge = furnace({"on_loss": {"writer": {"after_ms": 4000, "safe_value": SAFE}}})
    assert write(admin, place, service, 310.0)["state"] == "done"

    edge.process.kill()
    assert setpoint(plant.port) == 310.0
    edge.start()

    wait_for("the safe value on the device", lambda: setpoint(plant.port) == SAFE, 15)


def test_guards_refuse_too_large_and_too_early_writes_by_name(furnace, admin):
    place, service, _ = furnace({"max_step": 50, "min_interval_ms": 5000})
    current = {}

    def known():
        items = admin.get(f"{place}/edgeservices/{service}/values")["items"]
        current.update({item["tag"]: item["value"] for item in items})
        return "plc/fast/setpoint" in current

    wait_for("the set-point", known, 10)
    now = current["plc/fast/setpoint"]
    refused = write(admin, place, service, now + 51)
    assert refused["state"] == "refused" and refused["reason"].startswith("pipeline.write_step_too_large")
    assert write(admin, place, service, now + 49)["state"] == "done"
    refused = write(admin, place, service, now + 49)
    assert refused["state"] == "refused" and refused["reason"].startswith("pipeline.write_too_soon")
    audited = [e for e in admin.items("/api/v1/audit") if "pipeline.write_too_soon" in str(e["details"])]
    assert audited and audited[0]["outcome"] == "denied"
