# SPDX-License-Identifier: Apache-2.0
"""Fixtures: one running product per test module."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from product import Plane, Process, ROOT, free_port, wait_for  # noqa: E402
from platform_parts import Relay  # noqa: E402  After product, which says where it lies.


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("ecp")


@pytest.fixture(scope="module")
def plane(folder):
    running = Plane(folder).start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def relay():
    """On the agents' way to the broker of `relayed_plane`."""
    between = Relay(0)
    yield between
    between.close()


@pytest.fixture(scope="module")
def relayed_plane(folder, relay):
    """A `plane` whose agents come over a link that a test can break."""
    running = Plane(folder, broker_advertise=relay.port)
    relay.target_port = running.broker_port
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def admin(plane):
    return plane.bootstrap()


@pytest.fixture(scope="module")
def plant(folder):
    port = free_port()
    process = Process(
        "plant", ["/usr/bin/python3", ROOT / "tools" / "plant" / "plant.py", "--port", port], folder
    ).start()
    wait_for("the plant", lambda: "ready" in process.text(), 15)
    process.port = port
    yield process
    process.stop()
