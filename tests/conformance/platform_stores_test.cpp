// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/platform/idempotency.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/storage/sql/platform.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using platform::ClaimedItem;
using platform::KeyedRequest;
using platform::KeyedRequestStore;
using platform::KeyStore;
using platform::OutboxItem;
using platform::OutboxStore;
using storage::Store;
using storage::Transaction;

const std::array modules{&storage::platform_module()};
constexpr Milliseconds minute = std::chrono::minutes(1);

template <class Port, class Call>
auto in(Store& store, Call call) {
  return store.write([&](Transaction& transaction) { return call(transaction.get<Port>()); });
}

OutboxItem item(ManualEnv& world, const std::string& payload, Milliseconds delay = {}) {
  OutboxItem made;
  made.id = world.ids.next<platform::OutboxId>();
  made.kind = "alarm.webhook";
  made.scope = {world.ids.next<access::OrganizationId>(), world.ids.next<access::ProjectId>()};
  made.payload_json = payload;
  made.due = world.clock.now() + delay;
  return made;
}

OutboxItem put(Store& store, const OutboxItem& made) {
  must(in<OutboxStore>(store, [&](OutboxStore& outbox) { return outbox.insert(made); }));
  return made;
}

std::vector<ClaimedItem> claim(Store& store, Time now, int limit = 10,
                               std::string_view holder = "a") {
  return must(in<OutboxStore>(store, [&](OutboxStore& outbox) {
    return outbox.claim_due("alarm.webhook", holder, now, limit, minute);
  }));
}

std::int64_t waiting(Store& store) {
  return must(
      in<OutboxStore>(store, [](OutboxStore& outbox) { return outbox.count("alarm.webhook"); }));
}

TEST_SUITE("conformance.OutboxStore") {
  TEST_CASE_TEMPLATE("Items come out as they went in, the oldest due first, and only when due",
                     Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    put(*store, item(world, "\"later\"", minute));
    const auto second = put(*store, item(world, R"({"text":"Überlauf"})"));
    auto first = item(world, "1");
    first.due -= minute;
    put(*store, first);
    auto foreign = item(world, "2");
    foreign.kind = "mail";
    put(*store, foreign);

    const auto claimed = claim(*store, world.clock.now());

    REQUIRE(claimed.size() == 2);
    CHECK(claimed[0].item.id == first.id);
    CHECK(claimed[1].item.id == second.id);
    CHECK(claimed[1].item.scope == second.scope);
    CHECK(claimed[1].item.payload_json == second.payload_json);
    CHECK(claimed[1].item.due == second.due);
    CHECK(claimed[1].item.attempts == 0);
    CHECK(claimed[1].item.error.empty());
    CHECK(waiting(*store) == 3);
  }

  TEST_CASE_TEMPLATE("An id is taken once", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto made = put(*store, item(world, "1"));
    const auto again =
        in<OutboxStore>(*store, [&](OutboxStore& outbox) { return outbox.insert(made); });
    REQUIRE_FALSE(again);
    CHECK(again.error().code() == ErrorCode::already_exists);
  }

  TEST_CASE_TEMPLATE("A claimed item is nobody else's until its lease ends", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    put(*store, item(world, "1"));
    const auto now = world.clock.now();

    const auto mine = claim(*store, now, 10, "a");
    REQUIRE(mine.size() == 1);
    CHECK(claim(*store, now + minute - Milliseconds(1), 10, "b").empty());
    const auto theirs = claim(*store, now + minute, 10, "b");
    REQUIRE(theirs.size() == 1);
    CHECK(theirs[0].fence > mine[0].fence);

    const auto id = mine[0].item.id;
    CHECK(failure(in<OutboxStore>(*store, [&](OutboxStore& outbox) {
            return outbox.complete(id, mine[0].fence);
          })) == "storage.lease_lost");
    CHECK(failure(in<OutboxStore>(*store, [&](OutboxStore& outbox) {
            return outbox.retry(id, mine[0].fence, now, "late");
          })) == "storage.lease_lost");
    must(in<OutboxStore>(
        *store, [&](OutboxStore& outbox) { return outbox.complete(id, theirs[0].fence); }));
    CHECK(waiting(*store) == 0);
  }

  TEST_CASE_TEMPLATE("A failed item comes again when it is due, with its tries counted", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    put(*store, item(world, "1"));
    const auto now = world.clock.now();
    const auto first = claim(*store, now);
    REQUIRE(first.size() == 1);
    must(in<OutboxStore>(*store, [&](OutboxStore& outbox) {
      return outbox.retry(first[0].item.id, first[0].fence, now + minute, "refused");
    }));

    CHECK(claim(*store, now + minute - Milliseconds(1)).empty());
    const auto again = claim(*store, now + minute);
    REQUIRE(again.size() == 1);
    CHECK(again[0].item.attempts == 1);
    CHECK(again[0].item.error == "refused");
    CHECK(again[0].fence > first[0].fence);
  }

  TEST_CASE_TEMPLATE("The next time something is to do is known", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto next = [&] {
      return must(in<OutboxStore>(
          *store, [](OutboxStore& outbox) { return outbox.next_due("alarm.webhook"); }));
    };
    const auto now = world.clock.now();
    CHECK_FALSE(next());
    put(*store, item(world, "1", 2 * minute));
    CHECK(next() == now + 2 * minute);
    put(*store, item(world, "2"));
    CHECK(next() == now);
    claim(*store, now);
    CHECK(next() == now + minute);
  }

  TEST_CASE_TEMPLATE("A removed scope takes its items along and leaves those of others", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto kept = put(*store, item(world, "1"));
    auto sibling = item(world, "2");
    const auto gone = put(*store, item(world, "3"));
    sibling.scope.organization = gone.scope.organization;
    put(*store, sibling);
    const auto remove = [&](const access::Scope& scope) {
      must(
          in<OutboxStore>(*store, [&](OutboxStore& outbox) { return outbox.remove_scope(scope); }));
    };

    remove(gone.scope);
    CHECK(waiting(*store) == 2);
    remove({gone.scope.organization, {}});
    CHECK(waiting(*store) == 1);
    const auto left = claim(*store, world.clock.now());
    REQUIRE(left.size() == 1);
    CHECK(left[0].item.id == kept.id);
  }

  TEST_CASE_TEMPLATE("Of many who claim at once, each item goes to one", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    constexpr int items = 20;
    for (int i = 0; i < items; ++i) put(*store, item(world, std::to_string(i)));
    const auto now = world.clock.now();
    std::atomic<int> claimed = 0;
    std::vector<std::thread> threads;
    for (const char* holder : {"a", "b", "c"}) {
      threads.emplace_back([&, holder] {
        for (int round = 0; round < items; ++round) {
          const auto mine = store->write([&](Transaction& transaction) {
            return transaction.get<OutboxStore>().claim_due("alarm.webhook", holder, now, 3,
                                                            minute);
          });
          if (mine) claimed += static_cast<int>(mine->size());
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(claimed == items);
  }
}

TEST_SUITE("conformance.KeyStore") {
  TEST_CASE_TEMPLATE("The first key of a name stays", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto insert = [&](BytesView sealed) {
      return must(in<KeyStore>(*store, [&](KeyStore& keys) {
        return keys.insert_if_absent("audit", sealed, world.clock.now());
      }));
    };
    const auto find = [&](std::string_view name) {
      return must(in<KeyStore>(*store, [&](KeyStore& keys) { return keys.find(name); }));
    };
    const Bytes octets("\0\x01\xff'", 4);

    CHECK_FALSE(find("audit"));
    CHECK(insert(octets));
    CHECK_FALSE(insert("other"));
    CHECK(find("audit") == octets);
    CHECK_FALSE(find("token"));
  }
}

TEST_SUITE("conformance.KeyedRequestStore") {
  TEST_CASE_TEMPLATE("A key is a principal's own and is taken once", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto ada = world.ids.next_bytes();
    const auto bob = world.ids.next_bytes();
    const auto insert = [&](const IdBytes& who, const std::string& hash) {
      return must(in<KeyedRequestStore>(*store, [&](KeyedRequestStore& requests) {
        return requests.insert({who, "k", hash, {}}, world.clock.now());
      }));
    };
    const auto find = [&](const IdBytes& who) {
      return must(in<KeyedRequestStore>(
          *store, [&](KeyedRequestStore& requests) { return requests.find(who, "k"); }));
    };
    const Bytes answer("\0{}\xff", 4);
    const auto set_answer = [&](const IdBytes& who) {
      return in<KeyedRequestStore>(*store, [&](KeyedRequestStore& requests) {
        return requests.set_answer(who, "k", answer);
      });
    };

    CHECK(insert(ada, "one"));
    CHECK_FALSE(insert(ada, "two"));
    CHECK(insert(bob, "three"));
    CHECK(find(ada)->request_hash == "one");
    CHECK(find(ada)->sealed_answer.empty());
    CHECK_FALSE(find(world.ids.next_bytes()));
    must(set_answer(ada));
    CHECK(find(ada)->sealed_answer == answer);
    CHECK(find(bob)->sealed_answer.empty());
    CHECK(failure(set_answer(world.ids.next_bytes())) == "core.not_found");
  }

  TEST_CASE_TEMPLATE("A freed key, and one that is too old, can be used anew", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto now = world.clock.now();
    const auto ada = world.ids.next_bytes();
    const auto insert = [&](const std::string& key, Time at) {
      return must(in<KeyedRequestStore>(*store, [&](KeyedRequestStore& requests) {
        return requests.insert({ada, key, "hash", {}}, at);
      }));
    };
    insert("old", now - Milliseconds(1));
    insert("freed", now);
    insert("kept", now);

    must(in<KeyedRequestStore>(
        *store, [&](KeyedRequestStore& requests) { return requests.remove(ada, "freed"); }));
    must(in<KeyedRequestStore>(
        *store, [&](KeyedRequestStore& requests) { return requests.remove_before(now); }));

    CHECK(insert("old", now));
    CHECK(insert("freed", now));
    CHECK_FALSE(insert("kept", now));
  }
}

}  // namespace
}  // namespace ecp_test
