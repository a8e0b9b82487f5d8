// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <stdexcept>
#include <string>

#include <ecp/platform/idempotency.hpp>
#include <ecp/storage/sql/platform.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using platform::Idempotency;

/// Somebody who posts; each answer is another one.
struct Desk {
  ManualEnv world;
  std::array<const storage::StoreModule*, 1> modules{&storage::platform_module()};
  std::unique_ptr<storage::Store> store = must(MemoryBackend::open(modules, world.env()));
  platform::Sealing sealing =
      must(platform::Sealing::make(Secret(std::string(64, 'a')), world.env()));
  Idempotency idempotency{*store, sealing, world.env()};
  IdBytes ada = world.ids.next_bytes();
  IdBytes bob = world.ids.next_bytes();
  int answered = 0;

  Result<std::string> post(const IdBytes& who, std::string_view key, std::string_view hash = "h",
                           bool success = true) {
    return idempotency.once(who, key, hash, [&](bool& keep) {
      keep = success;
      return "answer " + std::to_string(++answered);
    });
  }
};

TEST_SUITE("platform.Idempotency") {
  TEST_CASE("A repeated request gets the first answer and is not run again") {
    Desk desk;
    CHECK(must(desk.post(desk.ada, "k")) == "answer 1");
    CHECK(must(desk.post(desk.ada, "k")) == "answer 1");
    CHECK(must(desk.post(desk.ada, "other")) == "answer 2");
    CHECK(desk.answered == 2);
  }

  TEST_CASE("A key that stands for another request is a conflict") {
    Desk desk;
    must(desk.post(desk.ada, "k", "one"));
    CHECK(failure(desk.post(desk.ada, "k", "two")) == "platform.idempotency_key_reused");
    CHECK(desk.answered == 1);
  }

  TEST_CASE("[R16] A key is its sender's own: nobody gets another's answer") {
    Desk desk;
    CHECK(must(desk.post(desk.ada, "k")) == "answer 1");
    CHECK(must(desk.post(desk.bob, "k")) == "answer 2");
  }

  TEST_CASE("An answer is kept for 24 hours") {
    Desk desk;
    must(desk.post(desk.ada, "k"));
    desk.world.clock.advance(Idempotency::kept_for);
    CHECK(must(desk.post(desk.ada, "k")) == "answer 1");
    desk.world.clock.advance(Milliseconds(1));
    CHECK(must(desk.post(desk.ada, "k")) == "answer 2");
  }

  TEST_CASE("A failure is not kept: the same key may be tried again") {
    Desk desk;
    CHECK(must(desk.post(desk.ada, "k", "h", false)) == "answer 1");
    CHECK(must(desk.post(desk.ada, "k")) == "answer 2");
    CHECK(must(desk.post(desk.ada, "k")) == "answer 2");
  }

  TEST_CASE("A request that ends by an exception leaves its key free") {
    Desk desk;
    CHECK_THROWS_AS(
        (void)desk.idempotency.once(
            desk.ada, "k", "h", [](bool&) -> std::string { throw std::runtime_error("vendor"); }),
        std::runtime_error);
    CHECK(must(desk.post(desk.ada, "k")) == "answer 1");
  }

  TEST_CASE("A request is not run twice at once") {
    Desk desk;
    std::string inner;
    must(desk.idempotency.once(desk.ada, "k", "h", [&](bool& keep) {
      inner = failure(desk.post(desk.ada, "k"));
      keep = true;
      return std::string("outer");
    }));
    CHECK(inner == "platform.request_running");
    CHECK(must(desk.post(desk.ada, "k")) == "outer");
  }

  TEST_CASE("[R36] A kept answer cannot be read in the database") {
    Desk desk;
    must(desk.post(desk.ada, "k"));
    must(desk.store->read([&](storage::Transaction& transaction) -> Result<void> {
      const auto kept = must(transaction.get<platform::KeyedRequestStore>().find(desk.ada, "k"));
      REQUIRE(kept);
      CHECK(kept->sealed_answer.find("answer 1") == std::string::npos);
      return {};
    }));
  }
}

}  // namespace
}  // namespace ecp_test
