#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""From a Modbus register to the operator's alarm: starts the whole platform on this machine beside a
simulated furnace and shows it working, step by step.

  demo.py --build build/release                 run by itself: one line per step, exit code 0 or 1
  demo.py --build build/release --interactive   stay up afterwards, print a log-in link, take keys
"""
import argparse
import os
import select
import shutil
import subprocess
import sys
import tempfile
import termios
import time
import tty

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from faults import Faults  # noqa: E402
from line import ROOT, Line  # noqa: E402
from platform_parts import Refused  # noqa: E402


class Demo:
    def __init__(self, build, folder):
        self.line = Line(build, folder)
        self.faults = Faults(self.line)
        self.step_number = self.failures = 0

    def step(self, sentence, action):
        """Run one step; a failed one ends the demo."""
        if not self.attempt(sentence, action):
            raise SystemExit(1)

    def attempt(self, sentence, action):
        """Run one step, say what was seen, and tell whether it held."""
        self.step_number += 1
        begun = time.monotonic()
        try:
            seen = action()
        except (AssertionError, Refused, OSError, KeyError, subprocess.SubprocessError) as error:
            self.failures += 1
            print(f"FAILED {self.step_number:2d}  {sentence}: {error}", flush=True)
            self.line.show_logs()
            return False
        took = time.monotonic() - begun
        print(f"ok   {self.step_number:2d}  {sentence}: {seen or 'done'} ({took:.1f} s)", flush=True)
        return True

    def run(self):
        self.step("plant: a furnace and a second device", self.line.start_plant)
        self.step("ecpd starts on an empty folder with its own broker", self.line.start_ecpd)
        self.step("people and places", self.line.first_admin)
        self.step("enrollment", self.line.enroll)
        self.step("pipeline: two drivers, three groups, six data tags", self.line.add_pipeline)
        self.step("set-point from the cloud, verified on the device", self.line.write_setpoint)
        self.step("the edge guards what may be written", self.line.guarded)
        self.step("alarm on temperature", self.line.alarm)
        self.step("link cut", self.faults.cut)
        self.step("agent killed", self.faults.kill_agent)
        self.step("agent back", self.faults.revive_agent)
        self.step("broker killed", self.faults.kill_broker)
        self.step("second device dies", self.faults.second_dies)

    def interact(self):
        keys = {
            "s": ("set-point", lambda: self.line.write_setpoint(float(100 + int(time.time()) % 500))),
            "c": ("link cut", self.faults.cut),
            "k": ("agent killed and back", lambda: f"{self.faults.kill_agent()}; {self.faults.revive_agent()}"),
            "b": ("broker killed", self.faults.kill_broker),
            "d": ("second device dies", self.faults.second_dies),
        }
        print("\nLive page (one log-in, within 5 minutes):\n ", self.line.link())
        print("keys: s set-point  c cut the link for 30 s  k kill the agent  b kill the broker")
        print("      d the second device dies  l another log-in link  q quit", flush=True)
        before = termios.tcgetattr(sys.stdin)
        tty.setcbreak(sys.stdin)
        try:
            while True:
                if not select.select([sys.stdin], [], [], 1)[0]:
                    continue
                key = sys.stdin.read(1)
                if key in ("q", ""):
                    return
                if key == "l":
                    print(self.line.link(), flush=True)
                elif key in keys:
                    print("...", keys[key][0], flush=True)
                    self.attempt(*keys[key])
                    if not self.line.edge.running:
                        self.line.start_edge()
        finally:
            termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default=ROOT / "build" / "release")
    parser.add_argument("--interactive", action="store_true")
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    options = parser.parse_args()
    if options.interactive and not sys.stdin.isatty():
        parser.error("--interactive needs a terminal")
    folder = tempfile.mkdtemp(prefix="ecp-demo-")
    demo = Demo(options.build, folder)
    print(f"data and logs: {folder}", flush=True)
    try:
        demo.run()
        if options.interactive:
            demo.interact()
        demo.step("every sample is counted at both ends", demo.faults.count_all)
        demo.step("the audit log verifies offline", demo.line.audit)
    finally:
        demo.line.close()
        if not options.keep and not demo.failures:
            shutil.rmtree(folder, ignore_errors=True)
    print("figures: " + ", ".join(f"{name} {value}" for name, value in demo.line.figures.items()))
    return 1 if demo.failures else 0


if __name__ == "__main__":
    sys.exit(main())
