# SPDX-License-Identifier: Apache-2.0
"""An agent inside a Python program, with a real ecpd: enrolled over HTTPS, linked over MQTT."""
import os
import subprocess
import sys

from product import add_pipeline, find, make_project, wait_for

AGENT = """
import sys
import ecp

url, token, folder = sys.argv[1:]
env = ecp.RealEnv.open()
link = ecp.enroll(url, "python", folder, token, env)
assert ecp.load_link_document(folder).agent == link.agent
with ecp.Agent.open(folder, link, env) as agent:
    print("started", flush=True)
    sys.stdin.readline()
    print(agent.status().linked)
try:
    ecp.enroll(url, "again", folder, token, env)
except ecp.AlreadyExistsError as error:
    print(error.reason)
"""


def online(admin, place):
    return next((node for node in admin.items(place + "/edgenodes") if node["state"] == "online"), None)


def test_an_agent_in_a_python_program_enrolls_links_and_sends_values(plane, admin, plant, folder):
    _, place = make_project(admin)
    token = admin.post(place + "/enrollment-tokens", {"name": "python", "uses": 1, "expires_in_s": 600})["token"]
    package = find("_ecp.cpython-311-x86_64-linux-gnu.so").parents[1]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    (folder / "python").mkdir(mode=0o700)

    with subprocess.Popen([sys.executable, "-c", AGENT, plane.url, token, str(folder / "python")], env=environment,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as agent:
        assert agent.stdout.readline() == "started\n"
        node = wait_for("the node", lambda: online(admin, place), 20)
        service = add_pipeline(admin, place, node["id"], plant.port)
        path = f"{place}/edgeservices/{service['id']}/values"
        values = wait_for("values", lambda: admin.get(path)["items"], 20)
        rest, _ = agent.communicate("\n", timeout=20)

    assert node["name"] == "python"
    assert {value["tag"] for value in values} >= {"plc/fast/temperature"}
    assert (rest, agent.returncode) == ("True\nagent.already_enrolled\n", 0)
