# SPDX-License-Identifier: Apache-2.0
"""Octets of TCP connections, IP and TCP headers included, as nftables counts them on loopback."""
import json
import os
import shutil
import subprocess

OVERHEAD = 52  # IPv4 20, TCP 20 and its timestamps 12: of each segment.
SEGMENT = 1448  # What a segment of an Ethernet carries beside that.
TLS_RECORD = 22  # TLS 1.3: header 5, type 1, tag 16.


def why_not():
    """Why nothing can be counted here; none when it can."""
    if not shutil.which("nft") and not os.path.exists("/usr/sbin/nft"):
        return "Debian's package nftables is not installed and could not be"
    if os.geteuid() != 0:
        return "counting needs root"
    tried = nft("list", "tables")
    return None if tried.returncode == 0 else tried.stderr.strip()


def nft(*arguments):
    return subprocess.run(["/usr/sbin/nft", *arguments], capture_output=True, text=True, check=False)


def ports_of(pid, broker_port):
    """Local ports of a process's connections to the broker."""
    listing = subprocess.run(
        ["ss", "-tnpH", "state", "established", f"dport = :{broker_port}"],
        capture_output=True, text=True, check=True,
    ).stdout
    mine = [line.split() for line in listing.splitlines() if f"pid={pid}," in line]
    return [int(words[2].rsplit(":", 1)[1]) for words in mine]


class Counted:
    """Counts what passes between the broker and some local ports, both ways; each packet once."""

    def __init__(self, name, broker_port, ports=None, but=()):
        self.table = f"ecp_bench_{os.getpid()}_{name}"
        there = f"tcp dport {broker_port}" + chosen("sport", ports, but)
        back = f"tcp sport {broker_port}" + chosen("dport", ports, but)
        rules = (
            f"table ip {self.table} {{\ncounter up {{}}\ncounter down {{}}\n"
            "chain out {\ntype filter hook output priority 0\n"
            f"{there} counter name up\n{back} counter name down\n}}\n}}\n"
        )
        made = subprocess.run(["/usr/sbin/nft", "-f", "-"], input=rules, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr

    def read(self):
        """(octets up, octets down) so far."""
        listing = json.loads(nft("-j", "list", "counters", "table", "ip", self.table).stdout)
        found = {item["counter"]["name"]: item["counter"]["bytes"]
                 for item in listing["nftables"] if "counter" in item}
        return found["up"], found["down"]

    def end(self):
        nft("delete", "table", "ip", self.table)


def chosen(side, ports, but):
    if ports is not None:
        return f" tcp {side} {{ {', '.join(map(str, ports))} }}"
    return f" tcp {side} != {{ {', '.join(map(str, but))} }}" if but else ""


def framed(payload, topic):
    """Octets on the wire of one MQTT message of quality 0 over TLS, with the acknowledgements of TCP."""
    body = 2 + len(topic) + 1 + payload  # MQTT 5: topic, no properties.
    length = 1 if body < 128 else 2 if body < 16_384 else 3
    tls = 1 + length + body + TLS_RECORD
    segments = -(-tls // SEGMENT)
    return tls + segments * OVERHEAD + -(-segments // 2) * OVERHEAD
