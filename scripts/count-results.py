#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Count what the stages of a run printed and end with "N passed, M failed".

Usage: count-results.py FOLDER DEMO_OK CODE
A run that failed without any failed test counted (a build error, say) counts as one failure.
"""
import pathlib
import re
import sys

folder, code = pathlib.Path(sys.argv[1]), int(sys.argv[3])
passed = failed = 0
for log in sorted(folder.glob("*.log")):
    text = log.read_text(errors="replace")
    for match in re.finditer(
        r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", text
    ):
        passed += int(match[1])
        failed += int(match[2])
    for match in re.finditer(r"^(?:\d+: )?(?:=+ )?(?:(\d+) failed, )?(\d+) passed\b.* in [\d.]+s", text, re.M):
        failed += int(match[1] or 0)
        passed += int(match[2])
    if log.name == "demo.log":
        passed += len(re.findall(r"^ok +\d+ ", text, re.M))
        failed += len(re.findall(r"^FAILED +\d+ ", text, re.M))
if code and not failed:
    failed = 1
print(f"{passed} passed, {failed} failed")
