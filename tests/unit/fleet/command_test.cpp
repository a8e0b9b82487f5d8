// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

constexpr std::string_view setpoint = "plc/fast/setpoint";

struct Site {
  World world;
  EdgeNodeId id = world.add_node("press").id;
  EdgeServiceId service = world.add_service(id).id;

  Result<Command> write(Milliseconds patience = 30 * second) {
    auto made = world.plane->services.write(world.grant(), service, setpoint, "450.5", patience);
    world.run();
    return made;
  }
  Command command(CommandId command) {
    return must(world.plane->services.get_command(world.grant(), command));
  }
  static void answer(Agent& agent, CommandId command, link::CommandState state,
                     std::int64_t number = 1, const std::string& buffer_id = "journal") {
    link::ReportedBatch batch;
    batch.buffer_id = buffer_id;
    batch.first = number;
    link::ReportedItem item;
    item.command =
        link::CommandResult{command, state, "pipeline.guard: max", "450.5", from_ms(1), {}};
    batch.items.push_back(item);
    agent.send(transport::ChannelKind::reported, link::to_json(batch));
  }
};

}  // namespace

TEST_SUITE("fleet.CommandEngine") {
  TEST_CASE("a write is sent once committed, and its result finishes it") {
    Site site;
    Agent agent(site.world, site.id);
    const auto made = must(site.write());
    REQUIRE(agent.commands.size() == 1);
    CHECK(agent.commands[0].id == made.what.id);
    CHECK(agent.commands[0].tag == setpoint);
    CHECK(agent.commands[0].value_json == "450.5");
    Site::answer(agent, made.what.id, link::CommandState::done);
    const auto done = site.command(made.what.id);
    CHECK(done.state == link::CommandState::done);
    CHECK(done.value_json == "450.5");
    CHECK(done.finished_at);
    CHECK(site.world.audited().back() == "command.result");
  }

  TEST_CASE("a refusal at the edge names the guard and is audited as denied") {
    Site site;
    Agent agent(site.world, site.id);
    const auto made = must(site.write());
    Site::answer(agent, made.what.id, link::CommandState::refused);
    CHECK(site.command(made.what.id).reason == "pipeline.guard: max");
    CHECK(site.world.audited().back() == "command.result:denied");
  }

  TEST_CASE("a command that was never sent expires, since it cannot have run") {
    Site site;
    const auto made = must(site.write());
    CHECK_FALSE(site.command(made.what.id).sent_at);
    site.world.pass(40 * second);
    CHECK(site.command(made.what.id).state == link::CommandState::expired);
    Agent agent(site.world, site.id);
    CHECK(agent.commands.empty());
  }

  TEST_CASE("what a database that was put back holds for never sent is asked for") {
    Site site;
    const auto early = must(site.write());
    site.world.pass(40 * second);
    const auto late = must(site.write());
    REQUIRE(site.command(early.what.id).state == link::CommandState::expired);

    Agent agent(site.world, site.id);
    agent.commands.clear();
    Site::answer(agent, early.what.id, link::CommandState::done, 7);  // 1 to 6 are not known here.
    CHECK(agent.acks.back().renew);
    REQUIRE(agent.commands.size() == 1);  // The late one was sent when it connected.
    CHECK(agent.commands[0].id == early.what.id);
    CHECK(site.command(early.what.id).state == link::CommandState::unknown);
    CHECK(site.command(late.what.id).state == link::CommandState::pending);
    const auto audited = site.world.audited();
    CHECK(std::count(audited.begin(), audited.end(), "command.result") == 2);
    CHECK(std::count(audited.begin(), audited.end(), "edge_node.event") == 1);

    Site::answer(agent, early.what.id, link::CommandState::done, 1, "renewed");
    CHECK(site.command(early.what.id).state == link::CommandState::done);
  }

  TEST_CASE("a result is believed though the command is held for never sent") {
    Site site;
    const auto made = must(site.write());
    site.world.pass(40 * second);
    REQUIRE(site.command(made.what.id).state == link::CommandState::expired);

    Agent agent(site.world, site.id);  // It got the command before the database was put back.
    Site::answer(agent, made.what.id, link::CommandState::done);
    CHECK(site.command(made.what.id).state == link::CommandState::done);
    Site::answer(agent, made.what.id, link::CommandState::refused, 2);
    CHECK(site.command(made.what.id).state == link::CommandState::done);
  }

  TEST_CASE("a new buffer that the database does not remember asking for has it ask, too") {
    Site site;
    const auto made = must(site.write());
    site.world.pass(40 * second);
    Agent agent(site.world, site.id);
    const auto sent = must(site.write());
    agent.commands.clear();
    agent.telemetry(site.service, 1, 5);
    SUBCASE("by samples") { agent.telemetry(site.service, 1, 2, "renewed"); }
    SUBCASE("by a journal") {
      Site::answer(agent, CommandId{IdBytes{9}}, link::CommandState::done, 1, "renewed");
    }
    CHECK(site.command(made.what.id).state == link::CommandState::unknown);
    CHECK(site.command(sent.what.id).state == link::CommandState::unknown);
    REQUIRE(agent.commands.size() == 1);
    CHECK(agent.commands[0].id == made.what.id);
  }

  TEST_CASE("a command that was sent and not answered ends as unknown, never as expired") {
    Site site;
    Agent agent(site.world, site.id);
    const auto made = must(site.write());
    site.world.pass(40 * second);
    CHECK(site.command(made.what.id).state == link::CommandState::pending);
    site.world.pass(40 * second);
    CHECK(site.command(made.what.id).state == link::CommandState::unknown);
    const auto entries = site.world.audited().size();
    Site::answer(agent, made.what.id, link::CommandState::unknown);
    CHECK(site.world.audited().size() == entries);

    Agent again(site.world, site.id, 7);  // Connects anew, and is asked once more.
    REQUIRE(again.commands.size() == 1);
    Site::answer(again, made.what.id, link::CommandState::done, 2);
    CHECK(site.command(made.what.id).state == link::CommandState::done);
  }

  TEST_CASE("what was sent to a disk that was put back is unknown, and does not run twice") {
    Site site;
    auto agent = std::make_unique<Agent>(site.world, site.id, 10);
    const auto early = must(site.write());
    site.world.pass(70 * second);
    REQUIRE(site.command(early.what.id).state == link::CommandState::unknown);
    agent->beat();
    const auto late = must(site.write());
    REQUIRE(agent->commands.back().id == late.what.id);
    agent.reset();
    const auto unsent = must(site.write());

    Agent restored(site.world, site.id, 4);  // Before it ran either of them.

    for (const auto& [id, state] : {std::pair(early.what.id, link::CommandState::unknown),
                                    std::pair(late.what.id, link::CommandState::unknown),
                                    std::pair(unsent.what.id, link::CommandState::pending)}) {
      CHECK(site.command(id).state == state);
    }
    CHECK(site.command(late.what.id).reason.starts_with("command.disk_put_back"));
    const auto was_sent = [&](CommandId id) {
      return std::any_of(restored.commands.begin(), restored.commands.end(),
                         [&](const auto& command) { return command.id == id; });
    };
    CHECK(was_sent(early.what.id));  // To be asked for: it has expired.
    CHECK_FALSE(was_sent(late.what.id));
    CHECK(was_sent(unsent.what.id));

    Site::answer(restored, early.what.id, link::CommandState::expired);
    CHECK(site.command(early.what.id).state == link::CommandState::unknown);
    Site::answer(restored, late.what.id, link::CommandState::done, 2);  // It remembered after all.
    CHECK(site.command(late.what.id).state == link::CommandState::done);
  }

  TEST_CASE("a node that does not know how a command ended is not asked again") {
    Site site;
    Agent agent(site.world, site.id);
    const auto made = must(site.write());
    Site::answer(agent, made.what.id, link::CommandState::unknown);
    CHECK(site.command(made.what.id).state == link::CommandState::unknown);
    Agent again(site.world, site.id, 7);
    CHECK(again.commands.empty());
  }

  TEST_CASE("a command waits for a node that is away and leaves when it connects") {
    Site site;
    const auto made = must(site.write());
    site.world.pass(10 * second);
    Agent agent(site.world, site.id);
    REQUIRE(agent.commands.size() == 1);
    CHECK(agent.commands[0].id == made.what.id);
    CHECK(site.command(made.what.id).sent_at);
  }

  TEST_CASE("a lost command is sent again with the same id") {
    Site site;
    Agent agent(site.world, site.id);
    const auto made = must(site.write());
    site.world.pass(12 * second);
    REQUIRE(agent.commands.size() >= 2);
    CHECK(agent.commands.back().id == made.what.id);
  }

  TEST_CASE("[R23] a node has at most its bound of live commands") {
    Site site;
    for (std::size_t i = 0; i < limits::commands_per_node; ++i) must(site.write());
    CHECK(failure(site.write()) == "command.too_many");
  }

  TEST_CASE("[R12] a node cannot finish the command of another") {
    Site site;
    Agent agent(site.world, site.id);
    Agent other(site.world, site.world.add_node("other").id);
    const auto made = must(site.write());
    Site::answer(other, made.what.id, link::CommandState::done);
    CHECK(site.command(made.what.id).state == link::CommandState::pending);
  }

  TEST_CASE("stopping a service is an effect now and the desired state for good") {
    Site site;
    Agent agent(site.world, site.id);
    const auto made =
        must(site.world.plane->services.control(site.world.grant(), site.service, "stop"));
    site.world.run();
    CHECK(agent.commands.back().action == "stop");
    CHECK_FALSE(site.world.service(site.service).running);
    CHECK(agent.manifests.back().bodies.begin()->second.find("\"running\":false") !=
          std::string::npos);
    CHECK(made.state == link::CommandState::pending);
    CHECK(failure(site.world.plane->services.control(site.world.grant(), site.service,
                                                     "explode")) == "core.bad_field");
  }

  TEST_CASE("a write to a tag that the configuration does not have is refused") {
    Site site;
    CHECK(failure(site.world.plane->services.write(site.world.grant(), site.service, "plc/fast/no",
                                                   "1", 30 * second)) ==
          "edge_service.unknown_tag");
  }
}
