// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/pipeline/buffer_store.hpp>
#include <ecp/storage/sql/pipeline.hpp>

#include "support/backends.hpp"

using ecp::Result;
using ecp::pipeline::BufferState;
using ecp::pipeline::BufferStore;
using ecp::storage::Transaction;

namespace {

std::unique_ptr<ecp::storage::Store> opened(ecp_test::OpenedStore store) {
  REQUIRE(store);
  return std::move(*store);
}

const std::array modules{&ecp::storage::pipeline_module()};

}  // namespace

TEST_CASE_TEMPLATE("BufferStore: what was saved is loaded, journals apart", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  const auto state = store->write([](Transaction& transaction) -> Result<BufferState> {
    auto& buffer = transaction.get<BufferStore>();
    BufferState made;
    made.buffer_id = "abc";
    made.dropped = 5;
    made.next = {{"svc_b", 4}, {"svc_a", 12}};
    ECP_TRY_VOID(buffer.save(made));
    made.next["svc_a"] = 13;
    ECP_TRY_VOID(buffer.save(made));
    ECP_TRY_VOID(buffer.insert({"svc_a", 1, 12, std::string("\0\x01xyz", 5)}, 9));
    ECP_TRY_VOID(buffer.append("event", "{}"));
    return buffer.load();
  });

  REQUIRE(state);
  CHECK(state->buffer_id == "abc");
  CHECK(state->dropped == 5);
  CHECK(state->next.size() == 2);
  CHECK(state->next.at("svc_a") == 13);
  CHECK(state->position == 9);
  CHECK(state->bytes == 5);
  CHECK(state->samples == 12);
}

TEST_CASE_TEMPLATE("BufferStore: chunks come back whole, in order, and go when covered", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  const auto done = store->write([](Transaction& transaction) -> Result<void> {
    auto& buffer = transaction.get<BufferStore>();
    ECP_TRY_VOID(buffer.insert({"svc_a", 6, 10, std::string("\0b", 2)}, 2));
    ECP_TRY_VOID(buffer.insert({"svc_a", 1, 5, "a"}, 1));
    ECP_TRY_VOID(buffer.insert({"svc_b", 1, 1, "other"}, 3));
    ECP_TRY(const auto chunks, buffer.list("svc_a", 1, 10));
    REQUIRE(chunks.size() == 2);
    CHECK(chunks[0].first == 1);
    CHECK(chunks[1].body == std::string("\0b", 2));
    ECP_TRY(const auto oldest, buffer.oldest(2));
    REQUIRE(oldest.size() == 2);
    CHECK(oldest[0].chunk.first == 1);
    CHECK(oldest[1].bytes == 2);
    ECP_TRY(const auto part, buffer.remove("svc_a", 1, 7));
    CHECK(part.samples == 5);
    CHECK(part.bytes == 1);
    ECP_TRY(const auto lowest, buffer.lowest("svc_a"));
    CHECK(lowest == 6);
    ECP_TRY(const auto none, buffer.lowest("svc_x"));
    CHECK_FALSE(none);
    ECP_TRY_VOID(buffer.renumber(chunks[1], 1));
    ECP_TRY(const auto moved, buffer.list("svc_a", 1, 10));
    REQUIRE(moved.size() == 1);
    CHECK(moved[0].last == 5);
    return {};
  });
  CHECK(done);
}

TEST_CASE_TEMPLATE("BufferStore: dropped ranges that touch become one", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  const auto done = store->write([](Transaction& transaction) -> Result<void> {
    auto& buffer = transaction.get<BufferStore>();
    ECP_TRY_VOID(buffer.add_dropped("svc_a", {1, 5}));
    ECP_TRY_VOID(buffer.add_dropped("svc_a", {6, 9}));
    ECP_TRY_VOID(buffer.add_dropped("svc_a", {20, 21}));
    ECP_TRY(const auto ranges, buffer.dropped("svc_a"));
    CHECK(ranges == std::vector<ecp::link::NumberRange>{{1, 9}, {20, 21}});
    ECP_TRY_VOID(buffer.remove_dropped("svc_a", 19));
    ECP_TRY(const auto left, buffer.dropped("svc_a"));
    CHECK(left == std::vector<ecp::link::NumberRange>{{20, 21}});
    return {};
  });
  CHECK(done);
}

TEST_CASE_TEMPLATE("BufferStore: journal numbers go on, and start at 1 when renumbered", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));

  const auto done = store->write([](Transaction& transaction) -> Result<void> {
    auto& buffer = transaction.get<BufferStore>();
    for (const auto* body : {"1", "2", "3", "4"}) ECP_TRY_VOID(buffer.append("alarm", body));
    ECP_TRY_VOID(buffer.remove_journal("alarm", 2));
    ECP_TRY(const auto next, buffer.next_journal_number("alarm"));
    CHECK(next == 5);
    ECP_TRY_VOID(buffer.renumber_journal("alarm"));
    ECP_TRY_VOID(buffer.append("alarm", "5"));
    ECP_TRY(const auto items, buffer.journal("alarm", 10));
    REQUIRE(items.size() == 3);
    CHECK(items[0].number == 1);
    CHECK(items[0].body == "3");
    CHECK(items[2].number == 3);
    ECP_TRY_VOID(buffer.remove_journal("alarm", 3));
    ECP_TRY_VOID(buffer.renumber_journal("alarm"));
    ECP_TRY(const auto fresh, buffer.next_journal_number("alarm"));
    CHECK(fresh == 1);
    return {};
  });
  CHECK(done);
}

TEST_CASE_TEMPLATE("BufferStore: alarm memories are kept by service, removed by rule", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  ecp::ManualEnv world;
  const auto store = opened(Backend::open(modules, world.env()));
  ecp::pipeline::AlarmMemory memory{ecp::link::AlarmRuleId(ecp::IdBytes{1}),
                                    ecp::link::EdgeServiceId(ecp::IdBytes{2}), 2, false,
                                    ecp::Milliseconds{1500}};
  auto other = memory;
  other.service = ecp::link::EdgeServiceId(ecp::IdBytes{3});

  const auto done = store->write([&](Transaction& transaction) -> Result<void> {
    auto& buffer = transaction.get<BufferStore>();
    ECP_TRY_VOID(buffer.put(memory));
    memory.active = true;
    ECP_TRY_VOID(buffer.put(memory));
    ECP_TRY_VOID(buffer.put(other));
    ECP_TRY(const auto found, buffer.memories());
    REQUIRE(found.size() == 2);
    CHECK(found[found[0].service == memory.service ? 0 : 1] == memory);
    ECP_TRY_VOID(buffer.remove(memory.rule));
    ECP_TRY(const auto none, buffer.memories());
    CHECK(none.empty());
    return {};
  });
  CHECK(done);
}
