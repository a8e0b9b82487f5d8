#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compile each file here twice: as it is, which must work, and with ECP_WRONG, which must fail for the reason that the
file's second line tells ("// Refused: <regular expression of the compiler's message>").

  check_compile.py --compiler c++ --include DIR
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

FOLDER = pathlib.Path(__file__).resolve().parent


def compiled(options, source, *more):
    command = [options.compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror=unused-result",
               f"-I{options.include}", *more, source]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})


def problem(options, source):
    reason = re.search(r"^// Refused: (.*)$", source.read_text(), re.M)[1]
    right = compiled(options, source)
    if right.returncode != 0:
        return f"does not compile as it is:\n{right.stderr}"
    wrong = compiled(options, source, "-DECP_WRONG")
    if wrong.returncode == 0:
        return "compiles with ECP_WRONG"
    if not re.search(reason, wrong.stderr):
        return f"is refused for another reason than {reason}:\n{wrong.stderr}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--compiler", default="c++")
    parser.add_argument("--include", type=pathlib.Path, required=True)
    options = parser.parse_args()
    sources = sorted(FOLDER.glob("*.cpp"))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda source: problem(options, source), sources))
    for source, what in zip(sources, found):
        print(f"{source.stem}: {what or 'ok'}")
    return 1 if any(found) or len(sources) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
