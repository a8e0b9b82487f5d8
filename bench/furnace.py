# SPDX-License-Identifier: Apache-2.0
"""A simulated furnace polled by a real agent of a real ecpd, while a benchmark looks on."""
import contextlib
import pathlib
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "support"))
from product import Plane, Process, ROOT, add_pipeline, free_port, make_edge, make_project, wait_for  # noqa: E402


@contextlib.contextmanager
def polled_furnace(folder, interval_ms):
    """Has `plane`, `edge`, `api`, `place`, `service` (its path) and the furnace's `port`; ends all after."""
    port = free_port()
    with contextlib.ExitStack() as running:
        plant = Process("plant", ["/usr/bin/python3", ROOT / "tools/plant/plant.py", "--port", port], folder).start()
        running.callback(plant.stop)
        plane = Plane(folder).start()
        running.callback(plane.stop)
        wait_for("the plant", lambda: "ready" in plant.text(), 15)
        api = plane.bootstrap()
        _, place = make_project(api)
        edge = make_edge(plane, api, place, folder, "gateway-1")
        running.callback(edge.stop)
        service = f"{place}/edgeservices/{add_pipeline(api, place, edge.node, port, 'bench', interval_ms)['id']}"
        wait_for("values", lambda: len(api.get(service + "/values")["items"]) >= 3, 15)
        yield types.SimpleNamespace(plane=plane, edge=edge, api=api, place=place, service=service, port=port)
