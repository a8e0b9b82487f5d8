#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Make an Asio of another version out of the one that is installed: another number, and objects of another layout, so
that a program in which both met under one name would overwrite its own memory.

  other_asio.py FOLDER [INSTALLED]
"""
import pathlib
import re
import shutil
import sys

VERSION = 199900
CHANGES = {
    "asio/version.hpp": (r"#define ASIO_VERSION \d+.*", f"#define ASIO_VERSION {VERSION}"),
    # In front of all members of what runs handlers, of each socket and of each descriptor that is waited for.
    "asio/detail/scheduler.hpp": (r"(  const bool one_thread_;)", r"  unsigned char other_[512] = {1};\n\1"),
    "asio/detail/reactive_socket_service_base.hpp": (
        r"(  struct base_implementation_type\n  \{\n)", r"\1    unsigned char other_[256];\n"),
    "asio/detail/epoll_reactor.hpp": (
        r"(    descriptor_state\* next_;)", r"    unsigned char other_[128];\n\1"),
}


def make(folder, installed=pathlib.Path("/usr/include")):
    shutil.copytree(installed / "asio", folder / "asio")
    shutil.copy(installed / "asio.hpp", folder / "asio.hpp")
    for place, (pattern, replacement) in CHANGES.items():
        path = folder / place
        text, count = re.subn(pattern, replacement, path.read_text(), count=1)
        if count != 1:
            raise SystemExit(f"{place} has nothing like {pattern}: this Asio is unknown")
        path.write_text(text)


if __name__ == "__main__":
    make(*map(pathlib.Path, sys.argv[1:]))
