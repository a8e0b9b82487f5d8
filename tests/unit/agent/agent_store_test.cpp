// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <doctest/doctest.h>

#include <ecp/agent/agent_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/storage/sql/agent.hpp>

#include "support/backends.hpp"

using ecp::Result;
using ecp::agent::AgentStore;
using ecp::agent::JournaledCommand;
using ecp::agent::ResourceRow;
using ecp::link::CommandState;
using ecp::storage::Transaction;

namespace {

const std::array modules{&ecp::storage::agent_module()};

std::unique_ptr<ecp::storage::Store> opened(ecp_test::OpenedStore store) {
  REQUIRE(store);
  return std::move(*store);
}

JournaledCommand command(std::uint8_t number, CommandState state, std::int64_t at) {
  JournaledCommand made;
  made.result.command = ecp::link::CommandId(ecp::IdBytes{number});
  made.result.state = state;
  made.result.at = ecp::from_ms(at);
  return made;
}

}  // namespace

TEST_CASE_TEMPLATE("AgentStore: the manifest comes back octet for octet, the newest alone", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));
  ecp::agent::StoredManifest manifest;
  manifest.generation = {2, 7};
  manifest.signed_manifest.manifest = std::string("{ \"v\":1 }\0\xff", 11);
  manifest.signed_manifest.key_id = "0123456789abcdef";
  manifest.signed_manifest.signature = std::string(64, '\x80');

  const auto done = store->write([&](Transaction& transaction) -> Result<void> {
    auto& agent = transaction.get<AgentStore>();
    ECP_TRY(const auto none, agent.manifest());
    CHECK_FALSE(none);
    ECP_TRY_VOID(agent.put(ecp::agent::StoredManifest{}));
    ECP_TRY_VOID(agent.put(manifest));
    ECP_TRY(const auto found, agent.manifest());
    REQUIRE(found);
    CHECK(found->generation == manifest.generation);
    CHECK(found->signed_manifest.manifest == manifest.signed_manifest.manifest);
    CHECK(found->signed_manifest.signature == manifest.signed_manifest.signature);
    return {};
  });
  CHECK(done);
}

TEST_CASE_TEMPLATE("AgentStore: a body stays while any resource wants it or runs on it", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  const auto done = store->write([](Transaction& transaction) -> Result<void> {
    auto& agent = transaction.get<AgentStore>();
    ECP_TRY_VOID(agent.put(ResourceRow{"b", "wanted", "applied", "failed", "why"}));
    ECP_TRY_VOID(agent.put(ResourceRow{"a", "other", "", "", ""}));
    for (const auto* hash : {"wanted", "applied", "failed", "stray"}) {
      ECP_TRY_VOID(agent.put_body(hash, std::string("\0body", 5)));
      ECP_TRY_VOID(agent.put_body(hash, "again"));
    }
    ECP_TRY_VOID(agent.remove_unused_bodies());
    ECP_TRY(const auto wanted, agent.body("wanted"));
    CHECK(wanted == std::string("\0body", 5));
    ECP_TRY(const auto applied, agent.body("applied"));
    CHECK(applied);
    ECP_TRY(const auto failed, agent.body("failed"));
    CHECK_FALSE(failed);
    ECP_TRY(const auto rows, agent.resources());
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == "a");
    CHECK(rows[1].reason == "why");
    ECP_TRY_VOID(agent.remove_resource("b"));
    ECP_TRY_VOID(agent.remove_unused_bodies());
    ECP_TRY(const auto gone, agent.body("wanted"));
    CHECK_FALSE(gone);
    return {};
  });
  CHECK(done);
}

TEST_CASE_TEMPLATE("AgentStore: a command is found by its id, and those begun are listed", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  const auto done = store->write([](Transaction& transaction) -> Result<void> {
    auto& agent = transaction.get<AgentStore>();
    ECP_TRY_VOID(agent.put(command(1, CommandState::pending, 10)));
    ECP_TRY_VOID(agent.put(command(2, CommandState::pending, 10)));
    ECP_TRY_VOID(agent.put(command(2, CommandState::done, 20)));
    ECP_TRY_VOID(agent.put(command(3, CommandState::refused, 30)));
    ECP_TRY(const auto begun, agent.unfinished_commands());
    REQUIRE(begun.size() == 1);
    CHECK(begun[0].result.command == ecp::link::CommandId(ecp::IdBytes{1}));
    ECP_TRY_VOID(agent.remove_commands(ecp::from_ms(25)));
    ECP_TRY(const auto old, agent.command(ecp::link::CommandId(ecp::IdBytes{2})));
    CHECK_FALSE(old);
    ECP_TRY(const auto kept, agent.command(ecp::link::CommandId(ecp::IdBytes{3})));
    REQUIRE(kept);
    CHECK(kept->result.state == CommandState::refused);
    ECP_TRY(const auto pending, agent.command(ecp::link::CommandId(ecp::IdBytes{1})));
    CHECK(pending);
    return {};
  });
  CHECK(done);
}

TEST_CASE_TEMPLATE("AgentStore: the connection counter only rises", Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  for (std::int64_t expected = 1; expected <= 3; ++expected) {
    const auto connection = store->write(
        [](Transaction& transaction) { return transaction.get<AgentStore>().next_connection(); });
    REQUIRE(connection);
    CHECK(*connection == expected);
  }
}

TEST_CASE_TEMPLATE("AgentStore: what guards remember comes back, and the loss of the cloud",
                   Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));
  ecp::agent::GuardedTag tag;
  tag.service = ecp::link::EdgeServiceId(ecp::IdBytes{6});
  tag.tag = "d/g/t";

  const auto done = store->write([&](Transaction& transaction) -> Result<void> {
    auto& agent = transaction.get<AgentStore>();
    ECP_TRY_VOID(agent.put(tag));
    tag.written_at = ecp::from_ms(5);
    tag.has_writer = true;
    tag.cloud_loss = ecp::from_ms(4);
    tag.fault = "d/g/t has its safe value";
    ECP_TRY_VOID(agent.put(tag));
    ECP_TRY(const auto found, agent.guarded_tags());
    REQUIRE(found.size() == 1);
    CHECK(found[0].service == tag.service);
    CHECK(found[0].tag == tag.tag);
    CHECK(found[0].written_at == tag.written_at);
    CHECK(found[0].has_writer);
    CHECK(found[0].cloud_loss == tag.cloud_loss);
    CHECK(found[0].fault == tag.fault);
    ECP_TRY_VOID(agent.remove_guarded_tag(tag.service, tag.tag));
    ECP_TRY(const auto none, agent.guarded_tags());
    CHECK(none.empty());

    ECP_TRY_VOID(agent.put_cloud_lost_at(ecp::from_ms(7)));
    ECP_TRY_VOID(agent.put_cloud_lost_at(ecp::from_ms(8)));
    ECP_TRY(const auto lost, agent.cloud_lost_at());
    CHECK(lost == ecp::from_ms(8));
    ECP_TRY_VOID(agent.put_cloud_lost_at(std::nullopt));
    ECP_TRY(const auto up, agent.cloud_lost_at());
    CHECK_FALSE(up);
    return {};
  });
  CHECK(done);
}
