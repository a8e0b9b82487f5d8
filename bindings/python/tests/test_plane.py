# SPDX-License-Identifier: Apache-2.0
"""A control plane and an agent in one Python program."""
import datetime
import subprocess
import sys

import pytest
from conftest import PASSWORD, ROOT, Works, wait_for

import ecp

HOUR = datetime.timedelta(hours=1)


def now():
    return datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture(scope="module")
def polled(works, furnace):
    """A service that has values."""
    with works.agent("press-7") as agent:
        node = works.hall.edge_nodes.list().items[0]
        service = works.poll(node.id, furnace)
        wait_for("a value", lambda: works.hall.edge_services.values(service.id))
        yield agent, node, service


def test_an_enrolled_agent_is_listed_as_a_node_that_is_online(works, polled):
    agent, node, service = polled

    page = works.hall.edge_nodes.list(name_contains="PRESS", state=ecp.ConnectionState.online)

    assert (len(page), page.total, page[0].id, page[0].name) == (1, 1, node.id, "press-7")
    assert page[0].status.last_seen.tzinfo is not None
    assert works.hall.edge_nodes.list(name_contains="lathe").total == 0
    assert agent.status().linked
    assert [one.id for one in agent.status().services] == [service.id]


def test_values_are_python_numbers_with_their_time(works, polled):
    sample, setpoint = sorted(works.hall.edge_services.values(polled[2].id), key=lambda one: one.tag != "plc/fast/temperature")

    assert sample.tag == "plc/fast/temperature"
    assert isinstance(sample.value, float) and 0 < sample.value < 1000
    assert sample.quality == ecp.Quality.good
    assert abs(now() - sample.time) < datetime.timedelta(seconds=10)
    assert setpoint.value == 60.0


def test_history_is_a_list_of_points_over_the_time_asked_for(works, polled):
    wait_for("some samples", lambda: len(samples_of(works, polled)) > 5)
    to = now()

    history = works.hall.edge_services.history(polled[2].id, "plc/fast/temperature", to - HOUR, to, points=60)

    assert len(history.points) == 60 and history.points[1].from_ - history.points[0].from_ == HOUR / 60
    last = history.points[-1]
    assert last.count > 5 and last.min <= last.mean <= last.max
    assert history.points[0].count == 0
    assert history.gaps == []


def samples_of(works, polled):
    return works.hall.edge_services.samples(polled[2].id, "plc/fast/temperature", now() - HOUR, now() + HOUR)


def test_samples_are_in_the_order_of_their_times(works, polled):
    times = [sample.time for sample in samples_of(works, polled)]

    assert times == sorted(times) and len(set(times)) == len(times)


def test_a_write_arrives_at_the_device_and_is_read_back(works, polled):
    command = works.hall.edge_services.write(polled[2].id, "plc/fast/setpoint", 150.0)

    done = wait_for("the write's end", lambda: ended(works, command))
    assert done.state == ecp.CommandState.done and float(done.value_json) == 150.0
    assert command.what.tag == "plc/fast/setpoint"


def test_many_tags_are_written_at_once(works, polled):
    command = works.hall.edge_services.write_tags(polled[2].id, [("plc/fast/setpoint", 180.0)])

    done = wait_for("the writes' end", lambda: ended(works, command))
    assert done.state == ecp.CommandState.done
    assert [(one.tag, float(one.value_json)) for one in done.results] == [("plc/fast/setpoint", 180.0)]


def ended(works, command):
    found = works.hall.edge_services.get_command(command.what.id)
    return found if found.state != ecp.CommandState.pending else None


def test_an_alarm_is_raised_at_the_edge_and_shown(works, polled):
    rule = works.hall.alarm_rules.create("too hot", "plc/fast/temperature", 1.0, service=polled[2].id,
                                         severity=ecp.Severity.critical)

    alarm = wait_for("the alarm", lambda: works.hall.alarms.list(state=ecp.AlarmState.active))[0]

    assert alarm.rule == rule.id and alarm.severity == ecp.Severity.critical and alarm.value > 1.0
    cooled = works.hall.alarm_rules.update(rule.id, rule.revision, threshold=5000.0)
    assert cooled.condition.threshold == 5000.0 and cooled.revision > rule.revision
    wait_for("the clear", lambda: works.hall.alarms.list(state=ecp.AlarmState.cleared).total == 1)


def test_what_was_done_is_in_the_audit_log_with_who_did_it(works, polled):
    entry = works.hall.audit.list(operation="edge_service.create")[0].entry

    assert entry.subject_id == str(polled[2].id)
    assert (entry.principal_kind, entry.principal) == ("user", str(works.user.id))
    assert entry.outcome == ecp.Outcome.done
    assert works.hall.audit.list(to=entry.at - HOUR).total == 0


def test_a_cut_link_loses_nothing(works, polled):
    agent, node, _ = polled
    works.network.cut(node.id)
    wait_for("the cut", lambda: not agent.status().linked)
    began = now()
    wait_for("a backlog", lambda: agent.status().buffered > 20)
    ended = now()

    works.network.heal(node.id)

    wait_for("the backlog's end", lambda: agent.status().linked and agent.status().buffered < 3)
    assert len([sample for sample in samples_of(works, polled) if began < sample.time < ended]) > 5


def test_everybody_has_the_rights_of_his_role(works):
    guest = works.admin.users.create("guest@example.com", "Guest", PASSWORD)
    works.admin.members.put(works.admin.within(works.organization).scope, guest.id, ecp.Role.member)
    works.admin.members.put(works.hall.scope, guest.id, ecp.Role.member)
    seen = works.plane.as_user(guest.id).within(works.project)

    assert seen.edge_nodes.list().total >= 0
    with pytest.raises(ecp.PermissionDeniedError):
        seen.enrollment_tokens.create("mine")
    assert [place.role for place in seen.members.own_places()] == [ecp.Role.member] * 2


def test_a_log_in_gives_a_principal_to_act_as(works):
    tokens = works.plane.sessions.log_in("admin@example.com", PASSWORD)

    principal = works.plane.sessions.authenticate(tokens.access_token)

    assert principal.kind == ecp.PrincipalKind.user and principal.source == "session"
    assert works.plane.as_user(principal).users.own().email == "admin@example.com"
    works.plane.sessions.log_out(tokens.access_token)
    with pytest.raises(ecp.UnauthenticatedError) as refused:
        works.plane.sessions.authenticate(tokens.access_token)
    assert refused.value.reason == "identity.session_over"


def test_the_program_itself_acts_with_all_rights(works):
    assert works.plane.as_system().organizations.list().total == 1


def test_a_folder_can_be_opened_again(tmp_path):
    first = Works(tmp_path)
    first.plane.stop()

    config = ecp.PlaneConfig(data_folder=str(tmp_path / "plane"))
    with ecp.ControlPlane.open(config, first.env, ecp.LoopbackNetwork(first.env)) as again:
        assert again.bootstrap_secret_path() == ""
        assert [one.name for one in again.as_system().organizations.list()] == ["Works"]


def test_records_can_live_in_memory(tmp_path):
    works = Works(tmp_path, store_url="sqlite::memory:")
    with works.plane:
        assert works.admin.organizations.list().total == 1
    assert not (tmp_path / "plane" / "ecpd.db").exists()


def test_a_program_that_forgets_to_stop_ends_all_the_same(tmp_path):
    program = ("import pathlib, sys; sys.path.insert(0, sys.argv[2]); from conftest import Works;"
               "works = Works(pathlib.Path(sys.argv[1])); agent = works.agent('a'); agent.start(); print('fine')")

    done = subprocess.run([sys.executable, "-c", program, tmp_path, ROOT / "bindings/python/tests"],
                          capture_output=True, text=True, timeout=60, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "fine\n", "")
