# SPDX-License-Identifier: Apache-2.0
"""A furnace to poll, and planes and agents to poll it with."""
import json
import pathlib
import socket
import subprocess
import sys
import time

import pytest

import ecp

ROOT = pathlib.Path(__file__).resolve().parents[3]
PASSWORD = "correct horse battery staple"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def wait_for(what, condition, seconds=30):
    """What `condition` returns as soon as that is something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError(f"{what} did not happen within {seconds} s")


@pytest.fixture(scope="session")
def furnace():
    """Port of a simulated furnace behind a Modbus server."""
    port = free_port()
    with subprocess.Popen([sys.executable, ROOT / "tools/plant/plant.py", "--port", str(port)],
                          stdout=subprocess.PIPE, text=True) as plant:
        try:
            assert "ready" in plant.stdout.readline()
            yield port
        finally:
            plant.terminate()


class Works:
    """A control plane in a folder, its first admin, an organization and a project."""

    def __init__(self, folder, store_url=""):
        self.folder = folder
        self.env = ecp.RealEnv.open(worker_threads=2, log=ecp.LogLevel.error)
        self.network = ecp.LoopbackNetwork(self.env)
        config = ecp.PlaneConfig(data_folder=str(folder / "plane"), store_url=store_url)
        self.plane = ecp.ControlPlane.open(config, self.env, self.network)
        secret = pathlib.Path(self.plane.bootstrap_secret_path()).read_text().strip()
        self.user = self.plane.bootstrap.complete(secret, "admin@example.com", "Admin", PASSWORD)
        self.admin = self.plane.as_user(self.user)
        self.organization = self.admin.organizations.create("Works")
        self.project = self.admin.projects.create(self.organization.id, "Hall")
        self.hall = self.admin.within(self.project)

    def enroll(self, name):
        token = self.hall.enrollment_tokens.create(name)
        csr = ecp.make_csr(ecp.make_p256_key(), name)
        return self.plane.enrollment.enroll(token.text, csr, name)

    def agent(self, name):
        link = self.enroll(name).link
        return ecp.Agent.open(str(self.folder / name), link, self.env, self.network)

    def poll(self, node, port, name="furnace"):
        tags = [{"name": "temperature", "address": "1!400001", "type": "float32"},
                {"name": "setpoint", "address": "1!400007", "type": "float32", "writable": True,
                 "min": 20, "max": 900}]
        driver = {"name": "plc", "type": "modbus-tcp", "host": "127.0.0.1", "port": port,
                  "groups": [{"name": "fast", "interval_ms": 100, "tags": tags}]}
        return self.hall.edge_services.create(name, node, json.dumps({"drivers": [driver]}))


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    made = Works(tmp_path_factory.mktemp("works"))
    with made.plane:
        yield made
