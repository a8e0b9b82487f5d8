#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""P20: the room that values over time take, and how soon a chart of them is there.

The furnace's temperature once a second for 30 days, its other signals for the last 7, in ecpd's
series store, VictoriaMetrics and InfluxDB; then each is asked over HTTP for 1,000 points, in turns.
Ours answers with least, greatest, mean, first, last and count of each, and with the gaps, over TLS.
"""
import contextlib
import http.client
import json
import os
import pathlib
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import types
import urllib.parse

from furnace import polled_furnace
from history_peers import InfluxDb, VictoriaMetrics, cpu_ms, octets_of
from product import find
from report import code, figure, peer_program

DAYS = int(os.environ.get("ECP_BENCH_HISTORY_DAYS", "30"))
DAYS_OF_ALL, POINTS, ROUNDS = min(7, DAYS), 1000, 15
DAY_MS, DAY_CHART_MS, MOST_OCTETS, MOST_RANDOM_OCTETS = 86_400_000, 20, 3, 10
SAMPLES = (DAYS + 3 * DAYS_OF_ALL) * 86_400


class Ours:
    """The series of one edge service in an ecpd that runs."""

    name = "ecpd"

    def __init__(self, here):
        context = ssl.create_default_context(cafile=str(here.plane.data / "root-ca.pem"))
        self.connection = http.client.HTTPSConnection("127.0.0.1", here.plane.https_port, context=context, timeout=60)
        self.path, self.token, self.process = here.service + "/history", here.api.token, here.plane.process

    def chart(self, tag, begin_ms, end_ms, points):
        question = {"tag": f"furnace/fast/{tag}", "from": moment(begin_ms), "to": moment(end_ms), "points": points}
        self.connection.request("GET", f"{self.path}?{urllib.parse.urlencode(question)}",
                                headers={"Authorization": f"Bearer {self.token}"})
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status == 200, text[:500]
        return text

    @staticmethod
    def points_in(answer):
        return sum(1 for point in json.loads(answer)["points"] if point["count"] > 0)


def moment(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03d}Z"


def fill_ours(here, folder, end_ms):
    """Put the samples into the store of a stopped ecpd, and start it again; the octets they took."""
    here.edge.stop()
    here.plane.stop()
    series = here.plane.data / "series"
    before = octets_of(series)
    project, service = here.service.split("/")[-3], here.service.split("/")[-1]
    with open(folder / "lines", "wb") as lines:
        subprocess.run([find("ecp-history"), "fill", series, project, service, str(end_ms), str(DAYS),
                        str(DAYS_OF_ALL)], stdout=lines, check=True)
    octets = octets_of(series) - before
    here.plane.start()
    return octets


def random_octets(folder, end_ms):
    """Octets a sample of two days of random numbers."""
    ids = "prj_00000000000000000000000001", "svc_00000000000000000000000002"
    subprocess.run([find("ecp-history"), "random", folder / "random", *ids, str(end_ms), "2"], check=True)
    return octets_of(folder / "random") / (2 * 86_400)


def milliseconds(store, days, end_ms):
    begun = time.monotonic()
    answer = store.chart("temperature", end_ms - days * DAY_MS, end_ms, POINTS)
    took = (time.monotonic() - begun) * 1000
    found = store.points_in(answer)
    assert POINTS - 1 <= found <= POINTS + 1, f"{store.name}: {found} points"
    return took


def ask(stores, days, end_ms):
    """By store: milliseconds of each chart, and of CPU for a chart. They have turns; the first is for warmth."""
    for store in stores:
        milliseconds(store, days, end_ms)
    before = [cpu_ms(store.process) for store in stores]
    rounds = [[milliseconds(store, days, end_ms) for store in stores] for _ in range(ROUNDS)]
    cpu = [(cpu_ms(store.process) - used) / ROUNDS for store, used in zip(stores, before)]
    return {store.name: ([times[i] for times in rounds], cpu[i]) for i, store in enumerate(stores)}


def tell_room(ours, random, peers):
    least = min(peers.values(), default=None)
    told = ", ".join(f"{name} {octets:.2f}" for name, octets in peers.items()) or "none"
    figure("P20 octets a sample on the disk", f"{ours:.2f}", ours / least if least else None, told,
           f"<= {MOST_OCTETS}", ours <= MOST_OCTETS)
    figure("P20 octets a sample, random numbers", f"{random:.2f}", goal=f"<= {MOST_RANDOM_OCTETS}",
           good=random <= MOST_RANDOM_OCTETS)


def tell_times(name, asked, goal_ms=None):
    """The ratio says how many times as fast as the faster peer ours is."""
    medians = {store: statistics.median(times) for store, (times, _) in asked.items()}
    told = {store: f"median {median:.1f} ms (CPU {asked[store][1]:.0f})" for store, median in medians.items()}
    value, ours = told.pop("ecpd"), medians.pop("ecpd")
    ratio = None
    if medians:
        faster = asked[min(medians, key=medians.get)][0]
        ratio = statistics.median(theirs / mine for mine, theirs in zip(asked["ecpd"][0], faster))
    peers = ", ".join(f"{store} {text}" for store, text in told.items()) or "none"
    if goal_ms:
        figure(name, value, ratio, peers, f"<= {goal_ms} ms", ours <= goal_ms)
    else:
        figure(name, value, ratio, peers, "ratio >= 1" if ratio else None, ratio >= 1 if ratio else None)


@contextlib.contextmanager
def filled_peers(folder):
    """The peers that are here, with the same samples, and the octets a sample they take."""
    with contextlib.ExitStack() as running:
        found, room = [], {}
        for kind in (VictoriaMetrics, InfluxDb):
            if not peer_program("P20", kind.name, kind.package):
                continue
            home = folder / kind.name
            home.mkdir()
            peer = kind(home)
            running.callback(peer.stop)
            peer.write(folder / "lines")
            peer.settle()
            room[peer.name] = octets_of(home) / SAMPLES
            found.append(peer)
        yield types.SimpleNamespace(all=found, room=room)


def main():
    with tempfile.TemporaryDirectory(prefix="ecp-bench-") as name:
        folder = pathlib.Path(name)
        end_ms = int(time.time()) // 60 * 60_000
        random = random_octets(folder, end_ms)
        with polled_furnace(folder, 1000) as here:
            octets = fill_ours(here, folder, end_ms)
            with filled_peers(folder) as peers:
                stores = [Ours(here), *peers.all]
                tell_room(octets / SAMPLES, random, peers.room)
                tell_times(f"P20 {DAYS} days of a second's tag as {POINTS} points", ask(stores, DAYS, end_ms))
                tell_times(f"P20 24 h of a second's tag as {POINTS} points", ask(stores, 1, end_ms), DAY_CHART_MS)
    return code()


if __name__ == "__main__":
    sys.exit(main())
