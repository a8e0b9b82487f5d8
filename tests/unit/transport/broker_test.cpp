// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include <ecp/core/file.hpp>
#include <ecp/transport/broker.hpp>
#include <ecp/transport/reasons.hpp>

#include "support/live_broker.hpp"

using namespace ecp;
using namespace ecp::tests;
using transport::SupervisedBroker;

namespace {

struct World {
  MemoryLog log;
  RealEnv real{log, 2};
  Env env = real.env();
  LiveBroker live{env};
};

bool is_running(int pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", 4'096);
  return stat && stat->find(") Z ") == std::string::npos;
}

}  // namespace

TEST_SUITE("transport.SupervisedBroker") {
  TEST_CASE("a broker that dies is started again, proven again, and gets the deny set again") {
    World world;
    const auto revoked = world.env.ids.next<link::AgentId>();
    const auto good = world.env.ids.next<link::AgentId>();
    auto gateway = world.live.gateway();
    std::atomic<int> listened = 0;
    transport::GatewayHandlers handlers;
    handlers.on_listening = [&listened](bool now) { listened += now ? 1 : 0; };
    REQUIRE(gateway->start(std::move(handlers)));
    REQUIRE(eventually([&listened] { return listened == 1; }));
    gateway->set_denied(std::vector<link::AgentId>{revoked});
    const int before = world.live.broker().pid();

    ::kill(before, SIGKILL);

    REQUIRE(eventually([&] { return world.live.broker().restarts() == 1; }));
    CHECK(world.live.broker().pid() != before);
    REQUIRE(eventually([&listened] { return listened == 2; }, std::chrono::seconds(30)));
    std::atomic<bool> revoked_up = false;
    std::atomic<int> revoked_downs = 0;
    std::atomic<bool> good_up = false;
    auto revoked_link = world.live.link(revoked);
    auto good_link = world.live.link(good);
    transport::LinkHandlers of_revoked;
    of_revoked.on_state = [&](transport::LinkState state, transport::LinkLoss) {
      if (state == transport::LinkState::up) revoked_up = true;
      if (state == transport::LinkState::down) ++revoked_downs;
    };
    transport::LinkHandlers of_good;
    of_good.on_state = [&good_up](transport::LinkState state, transport::LinkLoss) {
      if (state == transport::LinkState::up) good_up = true;
    };
    REQUIRE(revoked_link->start(std::move(of_revoked)));
    REQUIRE(good_link->start(std::move(of_good)));
    CHECK(eventually([&good_up] { return good_up.load(); }));
    CHECK(eventually([&revoked_downs] { return revoked_downs >= 2; }, std::chrono::seconds(20)));
    CHECK_FALSE(revoked_up);
    for (auto* link : {&revoked_link, &good_link}) (*link)->stop();
    gateway->stop();
    world.real.stop();
  }

  TEST_CASE("the next start adopts the running broker, unless its configuration is another") {
    World world;
    const int pid = world.live.broker().pid();
    auto options = world.live.options();
    {
      auto second = SupervisedBroker::start(options, world.env);
      REQUIRE(second);
      CHECK((*second)->adopted());
      CHECK((*second)->pid() == pid);
    }
    CHECK(is_running(pid));

    options.port = free_port();
    auto third = SupervisedBroker::start(options, world.env);
    REQUIRE_MESSAGE(third, third.error().describe());
    CHECK_FALSE((*third)->adopted());
    CHECK((*third)->pid() != pid);
    CHECK(eventually([pid] { return !is_running(pid); }));
    (*third)->stop();
    world.real.stop();
  }

  TEST_CASE("a stranger's process with the noted number is left alone") {
    World world;
    auto options = world.live.options();
    world.live.stop();
    REQUIRE(write_file_durably(options.folder + "/broker.process",
                               std::to_string(::getpid()) + " another-boot/1 abc\n"));
    auto started = SupervisedBroker::start(options, world.env);
    REQUIRE(started);
    CHECK_FALSE((*started)->adopted());
    (*started)->stop();
    world.real.stop();
  }

  TEST_CASE("a missing program is an error that names the package") {
    World world;
    auto options = world.live.options();
    options.mosquitto_path = "/nonexistent/mosquitto";
    auto started = SupervisedBroker::start(options, world.env);
    REQUIRE_FALSE(started);
    CHECK(started.error().is(transport::reasons::no_broker_program));
    CHECK(started.error().message().find("Debian package mosquitto") != std::string::npos);
  }

  TEST_CASE("a port in use is an error that names it, and nobody's broker is touched") {
    World world;
    auto options = world.live.options();
    testing::TemporaryFolder other;
    options.folder = other.path();
    auto started = SupervisedBroker::start(options, world.env);
    REQUIRE_FALSE(started);
    CHECK(started.error().is(transport::reasons::port_taken));
    CHECK(started.error().message().find(std::to_string(options.port)) != std::string::npos);
    CHECK(is_running(world.live.broker().pid()));
  }

  TEST_CASE("[R21] without a plugin that refuses the forbidden nothing is served") {
    World world;
    auto options = world.live.options();
    world.live.stop();
    options.port = free_port();
    options.plugin_path = ECP_OPEN_PLUGIN;

    auto open = SupervisedBroker::start(options, world.env);

    REQUIRE_FALSE(open);
    CHECK(open.error().is(transport::reasons::broker_unguarded));
    for (const auto* hole :
         {"publish to $CONTROL/ecp/v1", "subscribe to #", "subscribe to $share/"}) {
      CHECK(open.error().message().find(hole) != std::string::npos);
    }
    const auto record = read_file(options.folder + "/broker.process", 1'024);
    REQUIRE(record);
    CHECK_FALSE(is_running(std::stoi(*record)));

    options.plugin_path = options.folder + "/empty.so";
    REQUIRE(write_file_durably(options.plugin_path, ""));
    auto empty = SupervisedBroker::start(options, world.env);
    REQUIRE_FALSE(empty);
    CHECK(empty.error().is(transport::reasons::broker_failed));
    world.real.stop();
  }

  TEST_CASE("[R21] clients that may choose their own id are a hole in a guard without others") {
    World world;
    const auto& options = world.live.options();
    auto text = read_file(options.folder + "/mosquitto.conf", 8'192);
    REQUIRE(text);
    const std::string setting = "use_username_as_clientid true";
    REQUIRE(text->find(setting) != std::string::npos);
    world.live.stop();
    const auto prove = [&] {
      return transport::prove_guard({"127.0.0.1", options.port}, options.canary,
                                    options.canary_name, world.env);
    };
    const auto run = [&](const std::string& config) {
      const auto path = options.folder + "/foreign.conf";
      REQUIRE(write_file_durably(path, config));
      const pid_t pid = ::fork();
      if (pid == 0) {
        ::execl(options.mosquitto_path.c_str(), "mosquitto", "-c", path.c_str(), nullptr);
        ::_exit(127);
      }
      Result<void> proven;
      CHECK(eventually([&] {
        proven = prove();
        return proven || !proven.error().is(transport::reasons::broker_failed);
      }));
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      return proven;
    };

    CHECK(run(*text));
    const auto loose = run(text->replace(text->find(setting), setting.size(), ""));

    REQUIRE_FALSE(loose);
    CHECK(loose.error().is(transport::reasons::broker_unguarded));
    CHECK(loose.error().message().find("client id") != std::string::npos);
    world.real.stop();
  }

  TEST_CASE("values that would begin another setting are refused") {
    World world;
    for (const auto* value : {"127.0.0.1\nallow_anonymous true", "", " 127.0.0.1"}) {
      auto options = world.live.options();
      options.bind = value;
      auto started = SupervisedBroker::start(options, world.env);
      REQUIRE_FALSE(started);
      CHECK(started.error().is(transport::reasons::bad_options));
    }
  }

  TEST_CASE("the broker runs with raised limits, apart from our process group, and in our log") {
    World world;
    const int pid = world.live.broker().pid();
    CHECK(::getpgid(pid) == pid);
    const auto text = read_file("/proc/" + std::to_string(pid) + "/limits", 8'192);
    REQUIRE(text);
    const auto at = text->find("Max open files");
    CHECK(std::stoul(text->substr(at + 14)) >= 4'096);
    CHECK(world.log.contains("mosquitto version"));
  }

  TEST_CASE("a stopped broker is gone, and stop may be called twice") {
    World world;
    const int pid = world.live.broker().pid();
    world.live.broker().stop();
    world.live.broker().stop();
    CHECK_FALSE(is_running(pid));
    CHECK(world.live.broker().pid() == 0);
  }
}
