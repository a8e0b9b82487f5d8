# SPDX-License-Identifier: Apache-2.0
"""A simulated device, a real ecpd and real agents of one project, while a benchmark looks on."""
import contextlib
import pathlib
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import Plane, Process, ROOT, free_port, make_edge, make_project, wait_for  # noqa: E402

PLANT = ("tools/plant/plant.py", "--port")


@contextlib.contextmanager
def edge_line(folder, device=PLANT, nodes=None, **plane_options):
    """Has `plane`, `api`, `place`, `edges` and the device's `port`; ends all after.

    `device`: program and arguments before its port; prints "ready". `nodes`: settings of each agent by its name.
    """
    port = free_port()
    with contextlib.ExitStack() as running:
        program, *arguments = device
        simulated = Process("device", ["/usr/bin/python3", ROOT / program, *arguments, port], folder).start()
        running.callback(simulated.stop)
        plane = Plane(folder, **plane_options).start()
        running.callback(plane.stop)
        wait_for("the device", lambda: "ready" in simulated.text(), 15)
        api = plane.bootstrap()
        _, place = make_project(api)
        edges = []
        for name, settings in (nodes or {"gateway-1": ""}).items():
            edges.append(make_edge(plane, api, place, folder, name, settings))
            running.callback(edges[-1].stop)
        yield types.SimpleNamespace(plane=plane, api=api, place=place, edges=edges, port=port)
