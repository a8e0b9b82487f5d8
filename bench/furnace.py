# SPDX-License-Identifier: Apache-2.0
"""A simulated furnace polled by a real agent of a real ecpd, while a benchmark looks on."""
import contextlib

from edge_line import edge_line
from product import add_pipeline, wait_for


@contextlib.contextmanager
def polled_furnace(folder, interval_ms):
    """Has `plane`, `edge`, `api`, `place`, `service` (its path) and the furnace's `port`; ends all after."""
    with edge_line(folder) as line:
        (line.edge,) = line.edges
        made = add_pipeline(line.api, line.place, line.edge.node, line.port, "bench", interval_ms)
        line.service = f"{line.place}/edgeservices/{made['id']}"
        wait_for("values", lambda: len(line.api.get(line.service + "/values")["items"]) >= 3, 15)
        yield line
