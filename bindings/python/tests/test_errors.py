# SPDX-License-Identifier: Apache-2.0
"""What goes wrong is an exception that says what."""
import datetime
import pickle

import pytest
from conftest import Works

import ecp


def test_a_failure_is_an_exception_with_code_reason_and_params(works):
    with pytest.raises(ecp.AlreadyExistsError) as taken:
        works.admin.projects.create(works.organization.id, "hall")

    error = taken.value
    assert isinstance(error, ecp.Error)
    assert (error.code, error.reason) == (ecp.ErrorCode.already_exists, "core.name_taken")
    assert error.params == {"noun": "project", "field": "name"}
    assert error.message == "there is already a project of that name"
    assert str(error).startswith("core.name_taken: there is already a project")
    assert not error.is_retryable


def test_every_class_of_failure_has_its_exception():
    for name in ecp.ErrorCode.__members__:
        shown = "".join(part.capitalize() for part in name.split("_")) + "Error"
        assert issubclass(getattr(ecp, shown), ecp.Error), shown


def test_a_foreign_or_unknown_id_is_not_found(works):
    with pytest.raises(ecp.NotFoundError):
        works.hall.edge_nodes.get(ecp.EdgeNodeId("node_" + "0" * 25 + "1"))


def test_a_stale_revision_is_a_conflict_that_may_be_tried_again(works):
    project = works.admin.projects.get(works.hall.scope)
    works.admin.projects.update(works.hall.scope, project.revision, description="warm")

    with pytest.raises(ecp.ConflictError) as stale:
        works.admin.projects.update(works.hall.scope, project.revision, description="cold")

    assert stale.value.reason == "core.stale_revision" and stale.value.is_retryable


def test_the_context_tells_where_a_configuration_is_wrong(works):
    node = works.enroll("bare").agent

    with pytest.raises(ecp.InvalidArgumentError) as bad:
        works.hall.edge_services.create("bad", node, '{"drivers": 7}')

    assert "drivers" in bad.value.params["field"]


@pytest.mark.parametrize("limit, offset", [(0, 0), (201, 0), (-1, 0), (10, -1)])
def test_a_page_has_bounds(works, limit, offset):
    with pytest.raises(ecp.InvalidArgumentError) as bad:
        works.hall.edge_nodes.list(limit=limit, offset=offset)

    assert bad.value.params["field"] in ("limit", "offset")


def test_wrong_types_are_type_errors(works):
    node = works.enroll("typed").agent

    for call in (lambda: works.hall.edge_services.get(node), lambda: works.hall.edge_nodes.get(str(node)),
                 lambda: works.hall.edge_nodes.get(None), lambda: works.hall.edge_nodes.list("", "online"),
                 lambda: works.hall.enrollment_tokens.create("x", expires_in=60), lambda: ecp.PlaneConfig(folder="x"),
                 lambda: ecp.PlaneConfig(workers="four"), lambda: works.plane.as_user("admin"),
                 lambda: ecp.ControlPlane.open(ecp.PlaneConfig(), None)):
        with pytest.raises(TypeError):
            call()


def test_a_time_without_its_zone_is_refused(works):
    node = works.enroll("timed").agent
    service = works.hall.edge_services.create("timed", node, '{"drivers": []}')
    naive = datetime.datetime(2026, 1, 1)

    with pytest.raises(ValueError, match="time zone"):
        works.hall.edge_services.samples(service.id, "a/b/c", naive, naive)


def test_ids_are_values_of_their_own_noun(works):
    node = works.enroll("valued").agent

    assert ecp.EdgeNodeId(str(node)) == node and hash(ecp.EdgeNodeId(str(node))) == hash(node)
    assert {node: 1}[ecp.EdgeNodeId(str(node))] == 1
    assert repr(node) == f"EdgeNodeId('{node}')"
    assert node != works.project.id and not node.is_nil()
    with pytest.raises(ecp.InvalidArgumentError) as bad:
        ecp.EdgeServiceId(str(node))
    assert bad.value.reason == "core.bad_id"


def test_records_cannot_be_changed(works):
    with pytest.raises(AttributeError):
        works.project.name = "other"
    with pytest.raises(TypeError):
        ecp.Project()


def test_a_secret_does_not_show_itself(works):
    secret = works.hall.enrollment_tokens.create("shown once").text

    assert "ecpt_" not in repr(secret) + str(secret)
    assert secret.view().startswith("ecpt_")
    assert secret.equals(secret.view()) and not secret.equals("ecpt_")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_use_after_stop_is_an_error_not_a_crash(tmp_path):
    works = Works(tmp_path)
    agent = works.agent("late")
    agent.start()
    works.plane.stop()
    works.plane.stop()

    for call in (works.hall.edge_nodes.list, works.plane.is_listening, works.plane.sessions.make_login_link,
                 lambda: works.admin.users.get(works.user.id), lambda: works.enroll("more")):
        with pytest.raises((ecp.FailedPreconditionError, TypeError)) as stopped:
            call()
        assert isinstance(stopped.value, TypeError) or stopped.value.reason == "plane.stopped"
    agent.stop()
    agent.stop()
    assert not agent.status().linked


def test_objects_outlive_the_names_they_came_from(tmp_path):
    def listing():
        works = Works(tmp_path)
        return works.hall.edge_nodes

    assert listing().list().total == 0


def test_two_planes_cannot_share_a_folder(works):
    config = ecp.PlaneConfig(data_folder=str(works.folder / "plane"))

    with pytest.raises(ecp.FailedPreconditionError) as used:
        ecp.ControlPlane.open(config, works.env, ecp.LoopbackNetwork(works.env))

    assert used.value.reason == "plane.folder_in_use"
