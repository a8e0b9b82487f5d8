#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A control plane, an agent and a Modbus device in one Python program; and a picture of the last hour.

  plot_hour.py FOLDER MODBUS_HOST MODBUS_PORT PICTURE.png [SECONDS]

Polls for an hour, or for SECONDS, then draws what was stored. Needs the package ecp and matplotlib.
"""
import datetime
import json
import pathlib
import sys
import time

import matplotlib

matplotlib.use("Agg")  # A picture, no window.
from matplotlib import dates, pyplot  # noqa: E402

import ecp  # noqa: E402

TAG = "plc/fast/temperature"


# [open]
def open_plane(folder, env, network):
    """A control plane with a project in it."""
    config = ecp.PlaneConfig(data_folder=f"{folder}/plane")
    plane = ecp.ControlPlane.open(config, env, network)
    admin = plane.as_system()
    organization = admin.organizations.create("Works")
    project = admin.projects.create(organization.id, "Hall")
    return plane, admin.within(project)
# [open]


# [enroll]
def open_agent(folder, plane, hall, env, network):
    """An agent that was enrolled as an edge node of the project."""
    token = hall.enrollment_tokens.create("example")
    csr = ecp.make_csr(ecp.make_p256_key(), "gateway")
    answer = plane.enrollment.enroll(token.text, csr, "gateway")
    return ecp.Agent.open(f"{folder}/agent", answer.link, env, network)
# [enroll]


def poll(hall, host, port):
    """Have the node read the furnace's temperature ten times a second."""
    tag = {"name": "temperature", "address": "1!400001", "type": "float32"}
    driver = {"name": "plc", "type": "modbus-tcp", "host": host, "port": port,
              "groups": [{"name": "fast", "interval_ms": 100, "tags": [tag]}]}
    node = hall.edge_nodes.list()[0]
    return hall.edge_services.create("furnace", node.id, json.dumps({"drivers": [driver]}))


# [plot]
def plot_hour(hall, service, path):
    """Draw the mean of each second of the last hour, and the band between its least and greatest value."""
    to = datetime.datetime.now(datetime.timezone.utc)
    history = hall.edge_services.history(service.id, TAG, to - datetime.timedelta(hours=1), to, points=3600)
    points = [point for point in history.points if point.count]
    times = [point.from_ for point in points]

    figure, axes = pyplot.subplots(figsize=(9, 4), layout="constrained")
    axes.fill_between(times, [point.min for point in points], [point.max for point in points], alpha=0.3)
    axes.plot(times, [point.mean for point in points])
    for gap in history.gaps:
        axes.axvspan(gap.from_, gap.to, alpha=0.2, color="grey")
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.set(title=f"{service.name}: {TAG}", ylabel="°C")
    figure.savefig(path)
    return len(points)
# [plot]


def main(folder, host, port, path, seconds="3600"):
    pathlib.Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    env = ecp.RealEnv.open()
    network = ecp.LoopbackNetwork(env)
    try:
        plane, hall = open_plane(folder, env, network)
        with plane, open_agent(folder, plane, hall, env, network):
            service = poll(hall, host, int(port))
            time.sleep(float(seconds))
            print(f"{plot_hour(hall, service, path)} seconds with values are in {path}")
    except ecp.Error as problem:
        sys.exit(str(problem))


if __name__ == "__main__":
    if len(sys.argv) not in (5, 6):
        sys.exit(__doc__)
    main(*sys.argv[1:])
