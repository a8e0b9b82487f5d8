#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P19: from the API call of a write to its verification on the device, as the caller learns it.

1 and 100 data tags, while 1,000 others are polled every 100 ms from the same device. Each write has new
values; after each, the device itself is asked whether it holds them. Goal: p95 within 100 ms.
"""
import contextlib
import http.client
import json
import pathlib
import queue
import random
import socket
import ssl
import statistics
import struct
import sys
import tempfile
import threading
import time

from edge_line import edge_line
from report import absent, code, figure, percentile
from product import wait_for

TARGETS, POLLED, INTERVAL_MS = 100, 1000, 100
ROUNDS = {1: 100, 100: 50}
GOAL_MS = 100
NEURON_MS = 523  # Published for 100 tags.


def config(port):
    """100 set-points, and 1,000 other registers that are polled beside them."""
    setpoints = [{"name": f"s{i}", "address": f"1!4{2 * i + 1:05}", "type": "float32", "writable": True,
                  "min": 0, "max": 1e6} for i in range(TARGETS)]
    others = [{"name": f"p{i}", "address": f"1!4{2 * TARGETS + i + 1:05}", "type": "uint16"} for i in range(POLLED)]
    return {"drivers": [{"name": "plc", "type": "modbus-tcp", "host": "127.0.0.1", "port": port, "timeout_ms": 1000,
                         "groups": [{"name": "set", "interval_ms": INTERVAL_MS, "tags": setpoints},
                                    {"name": "load", "interval_ms": INTERVAL_MS, "tags": others}]}]}


def read_setpoints(port, count):
    """From the device, past our agent."""
    found = []
    with socket.create_connection(("127.0.0.1", port), timeout=5) as device:
        for first in range(0, count, 50):
            number = min(50, count - first)
            unit = struct.pack(">BBHH", 1, 3, 2 * first, 2 * number)
            device.sendall(struct.pack(">HHH", 1, 0, len(unit)) + unit)
            answer = b""
            while len(answer) < 9 + 4 * number:
                answer += device.recv(4096)
            found += struct.unpack(f">{number}f", answer[9:9 + 4 * number])
    return found


class Caller:
    """One kept connection to the API, as the live page has, and the event stream beside it."""

    def __init__(self, plane, api, place):
        self.context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
        self.port, self.token, self.place = plane.https_port, api.token, place
        self.connection = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context)
        self.ends, self.is_listening = queue.Queue(), threading.Event()
        threading.Thread(target=self.listen, daemon=True).start()
        assert self.is_listening.wait(10)

    def listen(self):
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            with self.context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
                request = (f"GET {self.place}/events HTTP/1.1\r\nHost: x\r\n"
                           f"Authorization: Bearer {self.token}\r\n\r\n")
                stream.sendall(request.encode())
                for line in stream.makefile("rb"):
                    self.is_listening.set()
                    if line.startswith(b"data: ") and b'"action":"write' in line:
                        self.ends.put((time.monotonic(), json.loads(line[6:])))

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {self.token}",
                                                                 "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        content = json.loads(answer.read())
        assert answer.status == 202, content
        return content

    def write(self, path, body):
        """Milliseconds until the command's end is told."""
        begun = time.monotonic()
        command = self.post(path, body)
        while True:
            arrived, end = self.ends.get(timeout=20)
            if end["id"] == command["id"] and end["state"] != "pending":
                assert end["state"] == "done", end
                return (arrived - begun) * 1000


@contextlib.contextmanager
def polled_device(folder):
    with edge_line(folder, ("bench/registers.py",)) as line:
        service = line.api.post(f"{line.place}/edgeservices", {
            "name": "plc", "node": line.edges[0].node, "kind": "pipeline", "runtime": "builtin",
            "config": config(line.port)})
        path = f"{line.place}/edgeservices/{service['id']}"
        wait_for("all values", lambda: len(line.api.get(path + "/values")["items"]) == TARGETS + POLLED, 30)
        yield line.plane, line.api, line.place, path, line.port


def measure(caller, path, port, count):
    times = []
    for number in range(ROUNDS[count]):
        values = [float(1000 * number + i + 1) for i in range(count)]
        if count == 1:
            body = {"tag": "plc/set/s0", "value": values[0]}
        else:
            body = {"writes": [{"tag": f"plc/set/s{i}", "value": value} for i, value in enumerate(values)]}
        time.sleep(random.uniform(0.05, 0.25))
        times.append(caller.write(path + "/writes", body))
        assert read_setpoints(port, count) == values, "what was called done is not on the device"
    return times


def main():
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as folder:
        with polled_device(pathlib.Path(folder)) as (plane, api, place, path, port):
            caller = Caller(plane, api, place)
            for count in ROUNDS:
                times = measure(caller, path, port, count)
                p95, noun = percentile(times, 95), "data tag" if count == 1 else "data tags"
                peer = f"Neuron {NEURON_MS} ms for 100 tags (published)" if count == 100 else "none published"
                figure(f"P19 write of {count} {noun} beside {POLLED} polled every {INTERVAL_MS} ms",
                       f"median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms",
                       ratio=p95 / NEURON_MS if count == 100 else None, peer=peer,
                       goal=f"p95 <= {GOAL_MS} ms", good=p95 <= GOAL_MS)
    absent("P19", "Neuron", "no Debian package")
    return code()


if __name__ == "__main__":
    sys.exit(main())
