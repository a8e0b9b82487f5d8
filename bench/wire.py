#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P21: octets a sample and octets of an idle node, with TLS, TCP and IP, of real agents.

nftables counts what passes between the broker and each agent's own port. The busy agent polls 100 tags
of the simulated furnace once a second and sends them every ten. Beside it stand the forms of two other
products for the very same values, computed: Neuron's JSON, one message a group and second, and Sparkplug
B with aliases, one message every ten seconds; both as MQTT of quality 0 over TLS.
"""
import argparse
import contextlib
import datetime
import json
import pathlib
import struct
import sys
import tempfile
import time

from edge_line import edge_line
from report import absent, code, figure
from octets import Counted, framed, ports_of, why_not
from product import wait_for

TAGS, BATCH_S, MONTH_S = 100, 10, 30 * 24 * 3600
MIX = (  # Register, type, decimals, and how many of the 100 tags read it.
    ("temperature", "1!400001", "float32", 2, 40),
    ("humidity", "1!400003", "float32", 2, 40),
    ("counter", "1!400005", "uint32", None, 10),
    ("setpoint", "1!400007", "float32", None, 10),
)
MONTHLY_MB = {15: 60, 300: 5}


def tag_list():
    tags = []
    for name, address, kind, decimals, count in MIX:
        for number in range(count):
            tag = {"name": f"{name}-{number}", "address": address, "type": kind}
            if decimals is not None:
                tag["precision"] = decimals
            tags.append(tag)
    return tags


def add_service(api, place, node, port):
    group = {"name": "fast", "interval_ms": 1000, "tags": tag_list()}
    driver = {"name": "plc", "type": "modbus-tcp", "host": "127.0.0.1", "port": port, "timeout_ms": 500,
              "groups": [group]}
    body = {"name": "furnace", "node": node, "kind": "pipeline", "runtime": "builtin", "config": {"drivers": [driver]}}
    return f"{place}/edgeservices/{api.post(place + '/edgeservices', body)['id']}"


@contextlib.contextmanager
def agents(folder, heartbeat_s):
    """A plane with an idle agent and one that collects."""
    nodes = {"idle": "", "busy": f"telemetry:\n  interval: {BATCH_S}s\n"}
    with edge_line(folder, nodes=nodes, heartbeat_s=heartbeat_s) as line:
        idle, busy = line.edges
        service = add_service(line.api, line.place, busy.node, line.port)
        wait_for("values", lambda: len(line.api.get(service + "/values")["items"]) >= TAGS, 40)
        yield line.plane, line.api, service, idle, busy


def one_batch(api, service):
    """Samples of ten seconds: (tag, seconds, value)."""
    end = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2 * BATCH_S)
    begin = end - datetime.timedelta(seconds=BATCH_S)
    bounds = {"from": begin.isoformat(timespec="milliseconds"), "to": end.isoformat(timespec="milliseconds")}
    samples = []
    for name in (tag["name"] for tag in tag_list()):
        for item in api.get(service + "/samples", tag="plc/fast/" + name, limit=100, **bounds)["items"]:
            at = datetime.datetime.fromisoformat(item["time"].replace("Z", "+00:00")).timestamp()
            samples.append((name, at, item["value"]))
    return samples


def neuron_json(samples):
    """Octets a sample: {"node","group","timestamp","values","errors"} of each second."""
    seconds = {}
    for name, at, value in samples:
        seconds.setdefault(round(at), {})[name] = value
    total = 0
    for at, values in seconds.items():
        message = {"timestamp": at * 1000, "node": "plc", "group": "fast", "values": values, "errors": {}}
        total += framed(len(json.dumps(message, separators=(",", ":"))), "/neuron/busy/plc/fast")
    return total / len(samples)


def varint(number):
    octets = b""
    while number >= 0x80:
        octets += bytes([number & 0x7F | 0x80])
        number >>= 7
    return octets + bytes([number])


def sparkplug(samples):
    """Octets a sample: an NDATA of metrics with alias, timestamp, datatype and value (protobuf)."""
    aliases = {name: alias for alias, name in enumerate(sorted({name for name, _, _ in samples}))}
    metrics = b""
    for name, at, value in samples:
        metric = b"\x10" + varint(aliases[name]) + b"\x18" + varint(round(at * 1000))
        if isinstance(value, float):
            metric += b"\x20\x09" + b"\x65" + struct.pack("<f", value)  # Float: field 12 of 32 bits.
        else:
            metric += b"\x20\x07" + b"\x50" + varint(int(value))  # UInt32: int_value.
        metrics += b"\x12" + varint(len(metric)) + metric
    payload = b"\x08" + varint(round(samples[-1][1] * 1000)) + metrics + b"\x18\x00"
    return framed(len(payload), "spBv1.0/works/NDATA/busy") / len(samples)


def measure(folder, heartbeat_s, seconds):
    with agents(folder, heartbeat_s) as (plane, api, service, idle, busy), contextlib.ExitStack() as counting:
        counters = {}
        for edge in (idle, busy):
            ports = ports_of(edge.process.child.pid, plane.broker_port)
            assert len(ports) == 1, f"{edge.name} has {len(ports)} connections"
            counters[edge.name] = Counted(edge.name, plane.broker_port, ports)
            counting.callback(counters[edge.name].end)
        time.sleep(2 * BATCH_S)  # The first batches and heartbeats are past.
        before = {name: counter.read() for name, counter in counters.items()}
        committed, begun = busy.counters()[1], time.monotonic()
        time.sleep(seconds)
        passed = {name: [now - then for now, then in zip(counter.read(), before[name])]
                  for name, counter in counters.items()}
        took, samples = time.monotonic() - begun, busy.counters()[1] - committed
        for edge in (idle, busy):
            assert ports_of(edge.process.child.pid, plane.broker_port), "an agent lost its connection"
        return passed, took, samples, one_batch(api, service)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--heartbeat", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=310)
    options = parser.parse_args()
    problem = why_not()
    if problem:
        absent("P21", "nftables", problem)
        return code()
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as folder:
        passed, took, samples, batch = measure(pathlib.Path(folder), options.heartbeat, options.seconds)
    month = sum(passed["idle"]) / took * MONTH_S / 1e6
    goal = MONTHLY_MB.get(options.heartbeat)
    figure(f"P21 idle node, heartbeat {options.heartbeat} s, over {took:.0f} s",
           f"{month:.1f} MB a month ({passed['idle'][0]} octets up, {passed['idle'][1]} down)",
           goal=f"<= {goal} MB" if goal else None, good=month <= goal if goal else None)
    each = sum(passed["busy"]) / samples
    peers = {"Neuron's JSON": neuron_json(batch), "Sparkplug B": sparkplug(batch)}
    stated = ", ".join(f"{name} {octets:.1f}" for name, octets in peers.items())
    figure(f"P21 octets a sample, {TAGS} tags at 1 Hz in batches of {BATCH_S} s, heartbeats and all",
           f"{each:.2f}", each / min(peers.values()), f"the same values computed: {stated}", "<= 6", each <= 6)
    return code()


if __name__ == "__main__":
    sys.exit(main())
