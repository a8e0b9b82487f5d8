#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P15: private memory, RSS and start of both programs, beside a program that links the same libraries.

Prints one line per figure; a goal that is missed makes the exit code 1.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import BUILD, Plane, find, make_edge, make_project  # noqa: E402

IDLE_S = 60
EDGE_ANON_MIB, EDGE_RATIO = 5.0, 1.3
ECPD_ANON_MIB, ECPD_RATIO, READY_MS = 8.0, 1.6, 300
BENCH = pathlib.Path(__file__).resolve().parent


def memory(pid):
    """(RSS, RssAnon) in MiB."""
    fields = dict(
        line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line
    )
    return tuple(int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "RssAnon"))


def needed(program):
    """The shared libraries that a program names, as the linker wants them."""
    listing = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
    names = [line.split("[")[1].rstrip("]") for line in listing.splitlines() if "(NEEDED)" in line]
    return ["-l:" + name for name in names]


def hello(folder, program):
    """RSS in MiB of an empty program that links what `program` links and initialises it."""
    output = folder / f"hello-{program.name}"
    subprocess.run(
        ["gcc", "-O2", BENCH / "hello.c", "-o", output, "-Wl,--no-as-needed", *needed(program)], check=True
    )
    child = subprocess.Popen([output], stdout=subprocess.PIPE)
    child.stdout.readline()
    time.sleep(1)
    figures = memory(child.pid)
    child.kill()
    child.wait()
    return figures[0]


def main():
    missed = 0

    def goal(name, value, unit, limit):
        nonlocal missed
        good = value <= limit
        missed += not good
        print(f"P15 {name}: {value:.2f} {unit} (goal <= {limit:g}) {'PASS' if good else 'MISS'}")

    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        folder = pathlib.Path(name)
        edge_floor, ecpd_floor = hello(folder, find("ecp-edge")), hello(folder, find("ecpd"))
        print(f"P15 floor: hello as ecp-edge {edge_floor:.1f} MiB RSS, as ecpd {ecpd_floor:.1f} MiB")
        plane = Plane(folder, heartbeat_s=15).start()
        edge = None
        try:
            api = plane.bootstrap()
            _, place = make_project(api)
            edge = make_edge(plane, api, place, folder, "gateway-1")
            time.sleep(IDLE_S)
            rss, anon = memory(edge.process.child.pid)
            goal("ecp-edge anon", anon, "MiB", EDGE_ANON_MIB)
            goal("ecp-edge RSS", rss / edge_floor, f"x hello ({rss:.1f} MiB)", EDGE_RATIO)
            rss, anon = memory(plane.process.child.pid)
            goal("ecpd anon", anon, "MiB", ECPD_ANON_MIB)
            goal("ecpd RSS", rss / ecpd_floor, f"x hello ({rss:.1f} MiB)", ECPD_RATIO)
        finally:
            if edge:
                edge.stop()
            plane.stop()
        starts = []
        for number in range(5):
            inner = folder / f"start-{number}"
            inner.mkdir()
            Plane(inner).start().stop()  # Makes keys and files; the second start is the one timed.
            plane = Plane(inner)
            begun = time.monotonic()
            plane.start()
            starts.append((time.monotonic() - begun) * 1000)
            plane.stop()
        goal("ecpd ready with its broker, median of 5", sorted(starts)[2], "ms", READY_MS)
    print(f"build: {BUILD}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
