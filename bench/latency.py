#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P17: from the change of a register to the event that the live page gets.

Writes a register of the simulated device directly, by Modbus, and waits for the value on the event
stream. Goal: p95 within the poll interval + 150 ms.
"""
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

from furnace import polled_furnace
from report import absent, code, figure, percentile

CHANGES, SLACK_MS = {100: 60, 1000: 30}, 150
SETPOINT_REGISTER = 6  # 400007


def write_register(port, value):
    """Write a float32 to the device, past our agent (Modbus function 16)."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    unit = struct.pack(">BBHHBHH", 1, 16, SETPOINT_REGISTER, 2, 4, high, low)
    with socket.create_connection(("127.0.0.1", port), timeout=5) as device:
        device.sendall(struct.pack(">HHH", 1, 0, len(unit)) + unit)
        device.recv(64)


def follow(plane, api, place, events):
    """Put (value, arrival) of the set-point's events into a queue."""
    context = ssl.create_default_context(cafile=str(plane.data / "root-ca.pem"))
    with socket.create_connection(("127.0.0.1", plane.https_port)) as plain:
        with context.wrap_socket(plain, server_hostname="127.0.0.1") as stream:
            request = f"GET {place}/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n\r\n"
            stream.sendall(request.encode())
            for line in stream.makefile("rb"):
                if line.startswith(b"data: ") and b'"items"' in line:
                    arrived = time.monotonic()
                    for item in json.loads(line[6:])["items"]:
                        if item["tag"] == "plc/fast/setpoint" and item["quality"] != "bad":
                            events.put((item["value"], arrived))


def measure(interval_ms, folder):
    with polled_furnace(folder, interval_ms) as here:
        events = queue.Queue()
        threading.Thread(target=follow, args=(here.plane, here.api, here.place, events), daemon=True).start()
        times = []
        for number in range(CHANGES[interval_ms]):
            time.sleep(random.uniform(0.2, 0.2 + 2 * interval_ms / 1000))
            wanted = 100.0 + number
            begun = time.monotonic()
            write_register(here.port, wanted)
            while True:
                value, arrived = events.get(timeout=10 + interval_ms / 500)
                if value == wanted:
                    break
            times.append((arrived - begun) * 1000)
        return times


def main():
    for interval_ms in CHANGES:
        with tempfile.TemporaryDirectory(prefix="ecp-bench-") as folder:
            times = measure(interval_ms, pathlib.Path(folder))
        p95 = percentile(times, 95)
        figure(f"P17 register to event, poll {interval_ms} ms",
               f"median {statistics.median(times):.0f} ms, p95 {p95:.0f} ms",
               goal=f"p95 <= {interval_ms + SLACK_MS} ms", good=p95 <= interval_ms + SLACK_MS)
    absent("P17", "Neuron > broker > eKuiper", "no Debian package")
    return code()


if __name__ == "__main__":
    sys.exit(main())
