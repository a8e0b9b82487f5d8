# SPDX-License-Identifier: Apache-2.0
"""How a benchmark says what it measured: one line a figure, with its peer and the machine."""
import os
import pathlib
import shutil

missed = []


def machine():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return f"{os.uname().machine}, {os.cpu_count()} cores"


def figure(name, value, ratio=None, peer="none", goal=None, good=None):
    """Print a figure; `good` says whether the goal is met, None that there is none."""
    parts = [f"{name}: {value}"]
    if ratio is not None:
        parts.append(f"ratio {ratio:.2f}")
    parts.append(f"peer: {peer}")
    if goal:
        parts.append(f"goal {goal} {'PASS' if good else 'MISS'}")
    if good is False:
        missed.append(name)
    print(" | ".join(parts) + f" | {machine()}", flush=True)


def absent(name, peer, why):
    print(f"{name}: peer {peer} absent: {why}", flush=True)


def peer_program(name, program, package):
    """The path of a peer's program; None, and a line that says so, when it is not here."""
    found = shutil.which(program) or shutil.which(f"/usr/sbin/{program}")
    if not found:
        absent(name, program, f"Debian's package {package} is not installed and could not be")
    return found


def code():
    return 1 if missed else 0


def percentile(values, share):
    """The value that a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))]
