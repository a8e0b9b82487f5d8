# SPDX-License-Identifier: Apache-2.0
"""What the C++ headers offer, Python offers by the same name, or it stands here with the reason."""
import pathlib
import re
import subprocess
import sys

from conftest import ROOT

import ecp
from ecp import _ecp

PACKAGE = ROOT / "bindings/python"
REGISTRY = re.compile(r"^class ECP_EXPORT (\w+Registry)\b.*?^};", re.M | re.S)
OTHERS = {"plane/control_plane.hpp": "ControlPlane", "agent/agent.hpp": "Agent", "identity/bootstrap.hpp": "Bootstrap",
          "fleet/enrollment.hpp": "Enrollment", "transport/loopback.hpp": "LoopbackNetwork"}
COMPOSITION = "filled by C++ code at composition"
BY_GRANTS = "needs a Grant, which Python never holds: as_user and as_system make one for each call"
ENGINE = "an engine that works by itself, not a use-case"

UNBOUND = {
    "KindRegistry": COMPOSITION,
    "RuntimeRegistry": COMPOSITION,
    "PermissionRegistry": COMPOSITION,
    "SessionRegistry.sweep": "run by the control plane itself",
    "ControlPlane.config": "the program that opened it has it",
    "ControlPlane.store": "transactions are not for Python; the registries are",
    "ControlPlane.series": "EdgeServiceRegistry.values, samples and history check who asks",
    "ControlPlane.permissions": COMPOSITION,
    "ControlPlane.authorizer": BY_GRANTS,
    "ControlPlane.live_events": "its handlers run in C++ threads and must not wait, as for Python's lock",
    "ControlPlane.idempotency": "of HTTP requests",
    "ControlPlane.authority": "certificates are issued by enrollment alone",
    "ControlPlane.desired": ENGINE,
    "ControlPlane.fleet": ENGINE,
    "ControlPlane.notifier": ENGINE,
    "ControlPlane.server_tls": "for an HTTPS server, which Python does not open",
    "ControlPlane.on_server_tls": "for an HTTPS server, which Python does not open",
    "ControlPlane.may_have_replicas": "for an HTTPS server, which Python does not open",
    "Enrollment.nonce": "for an HTTPS server, which Python does not open",
    "Enrollment.renew": "for an HTTPS server, which Python does not open",
    "Enrollment.authenticate": "for an HTTPS server, which Python does not open",
    "Enrollment.link_document": "for an HTTPS server, which Python does not open",
    "Enrollment.record_refusals": "run by the control plane itself",
    "LoopbackNetwork.faults": "the program that set them has them",
    "LoopbackNetwork.gateway": "ControlPlane.open takes the network and makes its own",
    "LoopbackNetwork.link": "Agent.open takes the network and makes its own",
}


def public_methods(name, body):
    """Names of the functions between `public:` and what is private."""
    text = re.sub(r"//[^\n]*", "", body.split(" private:")[0])
    text = re.sub(r"\{[^{}]*\}", ";", text)  # Bodies and nested structs.
    found = set(re.findall(r"\b([a-z]\w*)\(", text))
    return {word for word in found if not word.endswith("_")} - {"explicit", "operator", "noexcept", "void", name}


def offered():
    for header in sorted((ROOT / "include/ecp").rglob("*.hpp")):
        text = header.read_text()
        classes = [match[1] for match in REGISTRY.finditer(text)]
        place = header.relative_to(ROOT / "include/ecp").as_posix()
        for name in classes + ([OTHERS[place]] if place in OTHERS else []):
            body = re.search(rf"^class ECP_EXPORT {name}\b(?! *;).*?^}};", text, re.M | re.S)[0]
            for method in sorted(public_methods(name, body)):
                yield name, method


def is_bound(name, method):
    if hasattr(getattr(ecp, name, None), method):
        return True
    return name == "ControlPlane" and hasattr(ecp.Access, method)


def test_every_registry_method_of_the_headers_is_in_python_or_named_with_a_reason():
    methods = list(offered())
    missing = [f"{name}.{method}" for name, method in methods
               if not is_bound(name, method) and name not in UNBOUND and f"{name}.{method}" not in UNBOUND]

    assert len(methods) > 80
    assert missing == []


def test_nothing_is_excused_that_is_bound_or_gone():
    methods = {f"{name}.{method}": is_bound(name, method) for name, method in offered()}
    classes = {name.split(".")[0] for name in methods}

    assert [name for name in UNBOUND if methods.get(name, name in classes and hasattr(ecp, name))] == []
    gone = [name for name in UNBOUND if name not in methods and name not in classes]
    assert gone in ([], ["ControlPlane.may_have_replicas"])


def test_documentation_comes_from_the_headers():
    assert "name_taken" not in ecp.EdgeNodeRegistry.revoke.__doc__
    assert "Refuse everything of the node from now on, for good" in ecp.EdgeNodeRegistry.revoke.__doc__
    assert "Lists, renames, revokes and removes edge nodes" in ecp.EdgeNodeRegistry.__doc__
    assert ecp.EdgeNode.revoked.__doc__ == "For good: nothing it sends is taken any more."


def test_the_stub_is_what_the_extension_says_of_itself():
    made = subprocess.run([sys.executable, PACKAGE / "src/make_stub.py"], capture_output=True, text=True, check=True)

    assert (PACKAGE / "ecp/_ecp.pyi").read_text() == made.stdout, "run bindings/python/src/make_stub.py"


def test_the_package_says_that_it_is_typed():
    assert (pathlib.Path(_ecp.__file__).parent / "py.typed").is_file()


PROGRAM = """
import datetime
import ecp
from typing import List

def names(access: ecp.Access) -> List[str]:
    return [node.name for node in access.edge_nodes.list(limit=10)]

def last_hour(access: ecp.Access, service: ecp.EdgeServiceId) -> List[float]:
    now = datetime.datetime.now(datetime.timezone.utc)
    history = access.edge_services.history(service, "a/b/c", now - datetime.timedelta(hours=1), now)
    return [point.mean for point in history.points]

def why(error: ecp.Error) -> str:
    return error.reason + error.params["field"]
"""


WRONG = PROGRAM + """
def wrong(access: ecp.Access, node: ecp.EdgeNodeId) -> None:
    access.edge_services.get(node)
    access.edge_nodes.list(nam="x")
    access.edge_nods
"""


def checked(folder, program):
    (folder / "program.py").write_text(program)
    return subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", folder, "program.py"], cwd=folder,
                          capture_output=True, text=True, check=False,
                          env={"MYPYPATH": str(PACKAGE), "PATH": "/usr/bin:/bin"})


def test_a_type_checker_takes_a_right_program_and_refuses_a_wrong_one(tmp_path):
    right, wrong = checked(tmp_path, PROGRAM), checked(tmp_path, WRONG)

    assert right.returncode == 0, right.stdout + right.stderr
    for problem in ('incompatible type "EdgeNodeId"', 'argument "nam"', 'no attribute "edge_nods"'):
        assert problem in wrong.stdout
    assert wrong.stdout.count("error:") == 3
