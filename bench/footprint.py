#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P15: private memory, RSS and start of both programs.

Beside a program that links the same libraries, collectd that polls the same plant, and Node-RED. A
goal that is missed makes the exit code 1.
"""
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import (  # noqa: E402
    ROOT, Plane, Process, add_pipeline, find, free_port, make_edge, make_project, wait_for,
)
from peers import start_collectd, start_node_red, stop_collectd  # noqa: E402
from report import absent, code, figure  # noqa: E402

IDLE_S, POLLING_S = 60, 10
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


def limit(name, value, unit, most, ratio=None, peer="none"):
    figure(f"P15 {name}", f"{value:.2f} {unit}", ratio, peer, f"<= {most:g}", (value if ratio is None else ratio) <= most)


def judge(name, pid, floor, most_anon, most_ratio):
    rss, anon = memory(pid)
    limit(f"{name} anon", anon, "MiB", most_anon)
    limit(f"{name} RSS", rss, "MiB", most_ratio, rss / floor, f"hello with the same libraries {floor:.1f} MiB")
    return rss


def idle_and_polling(folder):
    """Both programs idle for a minute; then the edge polls what collectd polls."""
    edge_floor, ecpd_floor = hello(folder, find("ecp-edge")), hello(folder, find("ecpd"))
    port = free_port()
    plant = Process("plant", ["/usr/bin/python3", ROOT / "tools/plant/plant.py", "--port", port], folder).start()
    wait_for("the plant", lambda: "ready" in plant.text(), 15)
    collectd, node_red = start_collectd(folder, port), start_node_red(folder)
    plane, edge = Plane(folder, heartbeat_s=15).start(), None
    try:
        api = plane.bootstrap()
        _, place = make_project(api)
        edge = make_edge(plane, api, place, folder, "gateway-1")
        time.sleep(IDLE_S)
        idle = judge("ecp-edge", edge.process.child.pid, edge_floor, EDGE_ANON_MIB, EDGE_RATIO)
        judge("ecpd", plane.process.child.pid, ecpd_floor, ECPD_ANON_MIB, ECPD_RATIO)
        if node_red:
            assert node_red.running, node_red.text()[-2000:]
            red = memory(node_red.child.pid)[0]
            limit("ecp-edge RSS beside Node-RED", idle, "MiB", 0.25, idle / red, f"Node-RED idle {red:.1f} MiB")
        service = add_pipeline(api, place, edge.node, port, "peer", 1000)
        path = f"{place}/edgeservices/{service['id']}/values"
        wait_for("values", lambda: len(api.get(path)["items"]) >= 3, 15)
        time.sleep(POLLING_S)
        rss, anon = memory(edge.process.child.pid)
        if collectd:
            assert collectd.running, collectd.text()[-2000:]
            theirs = memory(collectd.child.pid)
            figure("P15 ecp-edge polling 3 tags each second", f"RSS {rss:.1f} MiB, anon {anon:.1f} MiB",
                   rss / theirs[0], f"collectd (modbus, mqtt) RSS {theirs[0]:.1f} MiB, anon {theirs[1]:.1f} MiB")
        else:
            figure("P15 ecp-edge polling 3 tags each second", f"RSS {rss:.1f} MiB, anon {anon:.1f} MiB")
    finally:
        if edge:
            edge.stop()
        plane.stop()
        stop_collectd(collectd)
        for process in (node_red, plant):
            if process:
                process.stop()


def start_time(folder):
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
    limit("ecpd ready with its broker, median of 5", statistics.median(starts), "ms", READY_MS)


def main():
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        idle_and_polling(pathlib.Path(name))
        start_time(pathlib.Path(name))
    for peer in ("KubeEdge edgecore", "EMQX Neuron"):
        absent("P15", peer, "no Debian package")
    return code()


if __name__ == "__main__":
    sys.exit(main())
