// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/storage/reasons.hpp>

#include "support/backends.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using storage::Migration;
using storage::Store;
using storage::StoreModule;

constexpr Migration steps[] = {
    {1, "CREATE TABLE step (name TEXT NOT NULL PRIMARY KEY); INSERT INTO step VALUES ('one')"},
    {2, "ALTER TABLE step ADD COLUMN size BIGINT NOT NULL DEFAULT 7"},
    {3, "CREATE INDEX step_size ON step (size)"},
};
constexpr Migration changed_steps[] = {
    {1, "CREATE TABLE step (name TEXT NOT NULL PRIMARY KEY)"},
};
constexpr Migration failing_steps[] = {
    {1, "CREATE TABLE fresh (name TEXT NOT NULL)"},
    {2, "CREATE TABLE fresh_part (name NO_SUCH_TYPE NOT_A_CONSTRAINT 1)"},
};

constexpr StoreModule old_module{"steps", std::span(steps).first(1), {}};
constexpr StoreModule new_module{"steps", steps, {}};
constexpr StoreModule changed_module{"steps", changed_steps, {}};
constexpr StoreModule failing_module{"failing", failing_steps, {}};

template <class Backend>
OpenedStore open(const Backend& place, const StoreModule& module, const Env& env) {
  const std::array modules{&module};
  return place.reopen(modules, env);
}

std::int64_t ask_store(Store& store, std::string_view text) {
  return must(store.read([=](Transaction& t) { return ask(t, text); }));
}

TEST_SUITE("conformance.migrations") {
  TEST_CASE_TEMPLATE("A schema migrated in steps answers as one made at once", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    ManualEnv world;
    const Backend place;
    CHECK(ask_store(*must(open(place, old_module, world.env())), "SELECT COUNT(*) FROM step") == 1);
    auto migrated = must(open(place, new_module, world.env()));
    auto fresh = must(open(Backend(), new_module, world.env()));
    for (auto* store : {migrated.get(), fresh.get()}) {
      CHECK(ask_store(*store, "SELECT size FROM step WHERE name = 'one'") == 7);
      CHECK(ask_store(*store, "SELECT COUNT(*) FROM ecp_migrations WHERE module = 'steps'") == 3);
    }
  }

  TEST_CASE_TEMPLATE("Opening again changes nothing", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    ManualEnv world;
    const Backend place;
    for (int time = 0; time < 3; ++time) {
      auto store = must(open(place, new_module, world.env()));
      CHECK(ask_store(*store, "SELECT COUNT(*) FROM step") == 1);
    }
  }

  TEST_CASE_TEMPLATE("A database newer than the program is refused, naming module and numbers",
                     Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    ManualEnv world;
    const Backend place;
    must(open(place, new_module, world.env()));
    const auto refused = open(place, old_module, world.env());
    REQUIRE(failure(refused) == "storage.schema_newer");
    CHECK(refused.error().code() == ErrorCode::failed_precondition);
    CHECK(refused.error().message().find("schema 3 of steps") != std::string::npos);
    must(open(place, new_module, world.env()));
  }

  TEST_CASE_TEMPLATE("A migration whose text was changed is refused", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    ManualEnv world;
    const Backend place;
    must(open(place, old_module, world.env()));
    CHECK(failure(open(place, changed_module, world.env())) == "storage.migration_changed");
  }

  TEST_CASE_TEMPLATE("A migration that fails leaves nothing behind", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    ManualEnv world;
    const Backend place;
    const auto failed = open(place, failing_module, world.env());
    REQUIRE_FALSE(failed);
    CHECK(failed.error().describe().find("migration 2 of failing") != std::string::npos);
    auto store = must(open(place, old_module, world.env()));
    CHECK_FALSE(store->read([](Transaction& t) { return ask(t, "SELECT COUNT(*) FROM fresh"); }));
    CHECK(ask_store(*store, "SELECT COUNT(*) FROM ecp_migrations WHERE module = 'failing'") == 0);
  }

  TEST_CASE_TEMPLATE("Programs that open a new database at once all succeed", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    const Backend place;
    std::array<std::string, 4> outcomes;
    std::vector<std::thread> threads;
    for (auto& outcome : outcomes) {
      threads.emplace_back([&place, &outcome] {
        ManualEnv world;
        const auto store = open(place, new_module, world.env());
        outcome = store ? "" : store.error().describe();
      });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& outcome : outcomes) CHECK(outcome == "");
  }
}

}  // namespace
}  // namespace ecp_test
