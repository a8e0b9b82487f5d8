# SPDX-License-Identifier: Apache-2.0
"""Several data tags written by one command, on a real device."""
from product import make_edge, make_project, wait_for


def config(port):
    """Free registers of the furnace."""
    tags = [{"name": f"t{i}", "address": f"1!4{21 + 2 * i:05}", "type": "float32", "writable": True, "min": 0,
             "max": 1000} for i in range(20)]
    return {"drivers": [{"name": "plc", "type": "modbus-tcp", "host": "127.0.0.1", "port": port,
                         "groups": [{"name": "g", "interval_ms": 200, "tags": tags}]}]}


def test_one_command_writes_many_tags_or_none(plane, admin, plant, tmp_path):
    place = make_project(admin, "Recipes", "Hall")[1]
    edge = make_edge(plane, admin, place, tmp_path, "recipes")
    try:
        service = admin.post(place + "/edgeservices", {"name": "recipe", "node": edge.node, "kind": "pipeline",
                                                       "runtime": "builtin", "config": config(plant.port)})
        path = f"{place}/edgeservices/{service['id']}"

        def values():
            return {item["tag"][6:]: item.get("value") for item in admin.get(path + "/values")["items"]}

        def write(wanted):
            body = {"writes": [{"tag": f"plc/g/{tag}", "value": value} for tag, value in wanted.items()]}
            command = f"{place}/commands/{admin.post(path + '/writes', body)['id']}"
            return wait_for("the end", lambda: (lambda c: c if c["state"] != "pending" else None)(admin.get(command)), 10)

        wait_for("all values", lambda: len(values()) == 20, 20)
        recipe = {f"t{i}": 10.5 + i for i in range(20)}
        done = write(recipe)
        assert done["state"] == "done" and done["action"] == "write_tags"
        assert [result["value"] for result in done["results"]] == list(recipe.values())
        wait_for("the recipe", lambda: values() == recipe, 10)

        refused = write({"t0": 1, "t1": 1001})
        assert refused["state"] == "refused" and refused["reason"].startswith("pipeline.write_out_of_range")
        assert refused["results"][0]["reason"].startswith("pipeline.not_written")
        assert refused["results"][1]["tag"] == "plc/g/t1"
        audited = admin.items("/api/v1/audit")
        assert any(e["outcome"] == "denied" and "write_out_of_range" in str(e["details"]) for e in audited)
        assert any("plc/g/t19" in str(e["details"]) for e in audited), "what was asked for is in the log"
        assert values() == recipe
    finally:
        edge.stop()
