// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <atomic>

#include <ecp/transport/broker.hpp>
#include <ecp/transport/reasons.hpp>

#include "support/live_broker.hpp"
#include "transport/mqtt/guard_proof.hpp"

using namespace ecp;
using namespace ecp::tests;
using transport::GuardProof;

namespace {

Error hole() { return {transport::reasons::broker_unguarded, {{"problem", "open"}}}; }
Error unreachable() { return {transport::reasons::broker_failed, {{"problem", "down"}}}; }

/// A proof whose outcome a test decides.
struct Case {
  ManualEnv manual;
  Result<void> outcome;
  int asked = 0;
  int reconnects = 0;
  std::shared_ptr<GuardProof> proof = std::make_shared<GuardProof>(
      [this] {
        ++asked;
        return outcome;
      },
      [this] { ++reconnects; }, manual.env());
};

}  // namespace

TEST_SUITE("transport.GuardProof") {
  TEST_CASE("each connection needs a proof of its own") {
    Case one;

    CHECK_FALSE(one.proof->take());
    CHECK_FALSE(one.proof->take());
    one.manual.executor.run_ready();

    CHECK(one.asked == 1);
    CHECK(one.reconnects == 1);
    CHECK(one.proof->take());
    CHECK_FALSE(one.proof->take());
  }

  TEST_CASE("a guard with a hole, or one that nobody can ask, lets no connection be made") {
    for (const auto& problem : {hole(), unreachable()}) {
      Case one;
      one.outcome = problem;

      CHECK_FALSE(one.proof->take());
      one.manual.executor.run_ready();

      CHECK(one.reconnects == 0);
      CHECK_FALSE(one.proof->take());
      CHECK(one.manual.log.contains("the broker's guard is not proven"));
    }
  }

  TEST_CASE("a hole that stays is tried anew every five seconds and told once") {
    Case one;
    one.outcome = hole();
    for (int tick = 0; tick < 200; ++tick) {
      CHECK_FALSE(one.proof->take());
      one.manual.executor.advance(Milliseconds(100));
    }

    CHECK(one.asked == 4);
    CHECK(one.manual.log.entries().size() == 1);
    one.outcome = {};
    for (int tick = 0; tick < 60 && one.reconnects == 0; ++tick) {
      CHECK_FALSE(one.proof->take());
      one.manual.executor.advance(Milliseconds(100));
    }
    CHECK(one.proof->take());
  }

  TEST_CASE("a connection is proven every minute, and given up for a hole but not for a silence") {
    Case one;
    one.proof->connected(true);
    one.manual.executor.advance(Milliseconds(61'000));
    CHECK(one.asked == 1);
    CHECK(one.reconnects == 0);

    one.outcome = unreachable();
    one.manual.executor.advance(Milliseconds(60'000));
    CHECK(one.asked == 2);
    CHECK(one.reconnects == 0);

    one.outcome = hole();
    one.manual.executor.advance(Milliseconds(60'000));
    CHECK(one.asked == 3);
    CHECK(one.reconnects == 1);
    one.proof->connected(false);
    CHECK_FALSE(one.proof->take());
  }

  TEST_CASE("nothing is proven for a connection that is gone, nor after a stop") {
    Case one;
    one.proof->connected(true);
    one.proof->connected(false);
    one.manual.executor.advance(Milliseconds(600'000));
    CHECK(one.asked == 0);

    one.proof->connected(true);
    one.proof->stop();
    one.manual.executor.advance(Milliseconds(600'000));
    CHECK_FALSE(one.proof->take());
    one.manual.executor.run_ready();
    CHECK(one.asked == 0);
  }

  TEST_CASE("a gateway listens once its broker's guard is proven, and not before [R21]") {
    MemoryLog log;
    RealEnv real(log, 2);
    LiveBroker live(real.env());
    std::atomic<bool> open = true;
    std::atomic<int> asked = 0;
    std::atomic<bool> listening = false;
    transport::MqttGatewayOptions options;
    options.broker = {"127.0.0.1", live.port()};
    options.tls = live.replica_tls("r1");
    options.replica = "r1";
    options.prove = [&]() -> Result<void> {
      ++asked;
      if (open) return hole();
      return transport::prove_guard({"127.0.0.1", live.port()}, live.options().canary,
                                    live.options().canary_name, real.env());
    };
    auto gateway = transport::open_mqtt_gateway(std::move(options), real.env());
    REQUIRE(gateway);
    transport::GatewayHandlers handlers;
    handlers.on_listening = [&listening](bool now) { listening = now; };
    REQUIRE((*gateway)->start(std::move(handlers)));

    REQUIRE(eventually([&asked] { return asked >= 2; }));
    CHECK_FALSE(listening);
    open = false;
    CHECK(eventually([&listening] { return listening.load(); }));
    live.restart();
    CHECK(eventually([&listening] { return listening.load(); }, std::chrono::seconds(20)));

    (*gateway)->stop();
    real.stop();
  }
}
