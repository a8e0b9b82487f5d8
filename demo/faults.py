# SPDX-License-Identifier: Apache-2.0
"""What the demo breaks, and what is seen of it: each fault returns a sentence, or asserts."""
import os
import time

from line import FAST_MS, HEARTBEAT_S, seconds_of
from platform_parts import wait_for

OFFLINE_TOLD_S = 1.5 * HEARTBEAT_S + 5 + 5  # An offline alarm comes after 1.5 heartbeats + 5 s; and the telling.
CUT_S = 30
RECONNECT_S = 15  # The agents of a small fleet try again within 4 s.
LARGEST_GAP_S = 2.5 * FAST_MS / 1000


class Faults:
    def __init__(self, line):
        self.line = line
        self.killed_at = 0.0

    def cut(self, seconds=CUT_S):
        begun = time.time()
        self.line.broker_relay.cut()
        self.line.https_relay.cut()
        time.sleep(seconds)
        self.line.broker_relay.heal()
        self.line.https_relay.heal()
        healed = time.monotonic()
        end = begun + seconds
        wait_for("reconnection", self.line.online_node, RECONNECT_S)
        linked = time.monotonic()
        tag = "furnace/fast/counter"
        # Samples come in the order in which they were stored: the first later one ends the backlog.
        wait_for("the buffered samples", lambda: self.line.samples(tag, end, end + 5), 30)
        drained = time.monotonic() - linked
        found, missed, largest = self.reading(tag, begun, end)
        self.line.figures["cut_drained_s"] = round(drained, 1)
        return (
            f"{seconds} s cut: {found} samples of one tag came late, {missed} intervals missed, the largest"
            f" {largest * 1000:.0f} ms; link up {linked - healed:.1f} s after it healed, drained in {drained:.1f} s"
        )

    def reading(self, tag, begin, end):
        """Count of the samples of a stretch, intervals without one, largest interval; neither lost nor doubled."""
        around = [seconds_of(sample["time"]) for sample in self.line.samples(tag, begin - 2, end + 1)]
        assert len(around) == len(set(around)), "a sample is there twice"
        steps = [later - earlier for earlier, later in zip(around, around[1:])]
        largest = max(steps, default=float("inf"))
        assert largest <= LARGEST_GAP_S, f"a gap of {largest:.2f} s"
        missed = sum(round(step * 1000 / FAST_MS) - 1 for step in steps)
        return sum(begin <= at < end for at in around), missed, largest

    def kill_agent(self):
        killed = time.monotonic()
        self.killed_at = time.time()
        self.line.edge.kill()
        wait_for("the node offline", lambda: self.line.online_node() is None, OFFLINE_TOLD_S)
        shown = time.monotonic() - killed
        notice = wait_for(
            "the offline alarm at the webhook",
            lambda: self.line.receiver.find("edge node offline", "raised", killed),
            OFFLINE_TOLD_S,
        )
        told = notice["at"] - killed
        assert told <= OFFLINE_TOLD_S, f"told after {told:.1f} s"
        self.line.figures["offline_alarm_s"] = round(told, 1)
        return f"offline after {shown:.1f} s, webhook told after {told:.1f} s (stated: {OFFLINE_TOLD_S:g} s)"

    def revive_agent(self):
        tag = "furnace/fast/counter"
        waited, committed, dropped = self.line.counters()
        begun = time.time()
        self.line.start_edge()
        wait_for("the node online", self.line.online_node, RECONNECT_S)
        wait_for("fresh values", lambda: self.line.newest(tag) > begun, 15)
        wait_for("the clear at the webhook", lambda: self.line.receiver.find("edge node offline", "cleared"), 30)
        held = self.line.held(begun)
        assert (held, dropped) == (committed, 0), f"{committed} stored, {held} held, {dropped} dropped"
        gap = wait_for("the time of death as a gap", lambda: self.death_shown(tag, begun), 10)
        dead = begun - self.killed_at
        return f"back; {committed} were stored ({waited} waited), {held} are held; {dead:.0f} s dead, {gap:.0f} s shown as a gap"

    def death_shown(self, tag, begun):
        """Length of the gap in the history that covers most of the time that the agent was dead."""
        gaps = self.line.points(tag, self.killed_at - 5, time.time(), 10)["gaps"]
        lengths = [seconds_of(gap["to"]) - seconds_of(gap["from"]) for gap in gaps]
        return next((length for length in lengths if length > (begun - self.killed_at) * 0.6), None)

    def kill_broker(self):
        pid = int((self.line.data / "broker" / "broker.process").read_text().split()[0])
        os.kill(pid, 9)
        begun, killed = time.monotonic(), time.time()
        wait_for("values again", lambda: self.line.newest("furnace/fast/counter") > killed + 0.3, 30)
        took = time.monotonic() - begun
        time.sleep(1)
        found, missed, largest = self.reading("furnace/fast/counter", killed, killed + took)
        self.line.figures["broker_back_s"] = round(took, 1)
        return (
            f"values flow again after {took:.1f} s; {found} samples of one tag from then, {missed} intervals"
            f" missed, the largest {largest * 1000:.0f} ms"
        )

    def second_dies(self):
        plant = self.line.plants[1]
        plant.kill()
        try:
            wait_for("its error", lambda: "second/fast/counter" not in self.line.values(), 15)
            begun = time.time()
            time.sleep(5)
            _, _, largest = self.reading("furnace/fast/counter", begun, begun + 4)
        finally:
            plant.start()
        wait_for("its values again", lambda: "second/fast/counter" in self.line.values(), 45)
        return f"its tags show the error, the furnace's largest interval stayed {largest * 1000:.0f} ms; it is back"

    def count_all(self):
        """Stop collecting, let the buffer run empty, and compare the numbers of both ends."""
        self.line.finished(self.line.api.post(self.line.service + "/commands", {"action": "stop"}))

        def still():
            before = self.line.counters()
            time.sleep(0.5)
            return before if before == self.line.counters() and before[0] == 0 else None

        _, committed, dropped = wait_for("an empty buffer", still, 30)
        held = self.line.held(time.time() + 60)
        assert (held, dropped) == (committed, 0), f"{committed} stored, {held} held, {dropped} dropped"
        return f"{committed} stored at the edge, {held} held by the control plane, {dropped} dropped"
