// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/agent/enrollment.hpp>
#include <ecp/agent/program.hpp>
#include <ecp/core/file.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>

#include <array>
#include <filesystem>
#include <vector>

#include "agent/folder_lock.hpp"
#include "program.hpp"
#include "support/temporary_folder.hpp"
#include "unit/agent/plane_server.hpp"

using namespace ecp;
using ecp::testing::PlaneServer;
using ecp::testing::TemporaryFolder;
using ecp_test::failure;
using ecp_test::must;

namespace {

Result<agent::Settings> settings(std::string_view text, const EnvironmentVariables& more = {}) {
  ECP_TRY(auto config, Config::parse(text, "ecp-edge.yaml", agent::environment_prefix, more));
  return agent::read_settings(config);
}

Result<ecp_edge::Command> parse(std::vector<const char*> words) {
  return ecp_edge::parse_command(words);
}

/// Samples in a database as a running agent leaves it.
Result<void> fill(const agent::AgentFiles& files, int count, int taken, bool renew, Env env) {
  const std::array modules{&storage::pipeline_module(), &storage::agent_module()};
  storage::SqliteOptions options;
  options.path = files.database();
  ECP_TRY(const auto store, storage::open_sqlite(options, modules, env));
  ECP_TRY(const auto buffer, pipeline::Buffer::open(*store, {}, env));
  std::vector<pipeline::Observation> seen(static_cast<std::size_t>(count));
  for (auto& each : seen) each.is_reported = true;
  const auto service = env.ids.next<link::EdgeServiceId>();
  buffer->add(service, std::move(seen));
  ECP_TRY_VOID(buffer->flush());
  link::Ack ack;
  ack.stream = service.to_string();
  ack.buffer_id = buffer->id();
  ack.upto = taken;
  ECP_TRY_VOID(buffer->acknowledge(ack));
  ack.renew = renew;
  if (renew) ECP_TRY_VOID(buffer->acknowledge(ack));
  return {};
}

}  // namespace

TEST_SUITE("agent.Program") {
  TEST_CASE("a file with the data folder alone is enough, and every key has its bounds") {
    const auto plain = must(settings("data_folder: /d"));
    CHECK(plain.writes);
    CHECK(plain.buffer_bytes == 256 * mebibyte);
    const auto full =
        must(settings("data_folder: /d\nwrites: off\nbuffer: {max_mib: 1}\n"
                      "telemetry: {interval: 10s}\nlog: {level: debug}"));
    CHECK_FALSE(full.writes);
    CHECK(full.buffer_bytes == mebibyte);
    CHECK(full.telemetry_interval == Milliseconds(10'000));
    CHECK(full.log_level == LogLevel::debug);
    CHECK(must(settings("data_folder: /d", {{"ECP_EDGE_DATA_FOLDER", "/e"}})).data_folder == "/e");
    for (const char* wrong :
         {"writes: on", "data_folder: d", "data_folder: /d\nwrites: maybe",
          "data_folder: /d\nbuffer: {max_mib: 0}", "data_folder: /d\ntelemetry: {interval: 61s}",
          "data_folder: /d\nlog: {level: loud}", "data_folder: /d\nmore: 1"}) {
      CHECK(failure(settings(wrong)) == "core.bad_config");
    }
  }

  TEST_CASE("the example file is good") {
    auto config = must(Config::load(ECP_EXAMPLE_CONFIG, agent::environment_prefix, {}));
    CHECK(must(agent::read_settings(config)).data_folder == "/var/lib/ecp-edge");
  }

  TEST_CASE("status tells what the files hold, with or without an agent on them") {
    PlaneServer plane;
    TemporaryFolder folder;
    const agent::AgentFiles files{folder.path()};
    const auto env = plane.running.env();
    CHECK(failure(agent::read_status(files.folder, plane.running.log)) == "agent.not_enrolled");
    must(agent::enroll({plane.url(), "press-7", files.folder}, plane.token(), *plane.client, env));
    const auto fresh = must(agent::read_status(files.folder, plane.running.log));
    CHECK(fresh.node == plane.agent.to_string());
    CHECK(fresh.linked == false);
    CHECK(fresh.committed == 0);

    must(fill(files, 5, 2, false, env));
    const auto status = must(agent::read_status(files.folder, plane.running.log));
    CHECK(status.buffered == 5);  // One chunk, which goes as a whole.
    CHECK(status.committed == 5);
    CHECK(status.dropped == 0);

    const auto lock = must(agent::FolderLock::take(files.folder));
    CHECK_FALSE(must(agent::read_status(files.folder, plane.running.log)).linked.has_value());
    CHECK(write_file_durably(files.status(), R"({"v":1,"linked":true})").has_value());
    CHECK(must(agent::read_status(files.folder, plane.running.log)).linked == true);
  }

  TEST_CASE("samples that were numbered anew under another buffer_id are counted once") {
    PlaneServer plane;
    TemporaryFolder folder;
    const agent::AgentFiles files{folder.path()};
    const auto env = plane.running.env();
    must(agent::enroll({plane.url(), "press-7", files.folder}, plane.token(), *plane.client, env));

    must(fill(files, 5, 5, true, env));
    must(fill(files, 7, 0, true, env));

    const auto status = must(agent::read_status(files.folder, plane.running.log));
    CHECK(status.committed == 12);
    CHECK(status.buffered == 7);
  }

  TEST_CASE("two programs never work on one folder") {
    TemporaryFolder folder;
    {
      const auto lock = must(agent::FolderLock::take(folder.path()));
      CHECK(failure(agent::FolderLock::take(folder.path())) == "agent.folder_in_use");
      CHECK(agent::FolderLock::is_held(folder.path()));
    }
    CHECK_FALSE(agent::FolderLock::is_held(folder.path()));
    CHECK(agent::FolderLock::take(folder.path()).has_value());
  }

  TEST_CASE("running on a folder that is not enrolled says so and leaves it alone") {
    MemoryLog log;
    TemporaryFolder folder;
    agent::Settings wanted;
    wanted.data_folder = folder / "data";

    const auto outcome = agent::run_agent(wanted, log, [] {});

    CHECK(failure(outcome) == "agent.not_enrolled");
    CHECK_FALSE(std::filesystem::exists(folder / "data"));
  }
}

TEST_SUITE("ecp-edge.Command") {
  TEST_CASE("each command is known by its words") {
    using Verb = ecp_edge::Command::Verb;
    CHECK(parse({"run"})->verb == Verb::run);
    CHECK(parse({"status", "--config", "f"})->config_path == "f");
    const auto enroll =
        must(parse({"enroll", "--url", "https://p:8443", "--token-file", "-", "--name", "n"}));
    CHECK(enroll.verb == Verb::enroll);
    CHECK(enroll.url == "https://p:8443");
    CHECK(enroll.token_path == "-");
    CHECK(enroll.name == "n");
  }

  TEST_CASE("wrong words are refused instead of guessed at") {
    CHECK_FALSE(parse({}));
    CHECK_FALSE(parse({"start"}));
    CHECK_FALSE(parse({"run", "now"}));
    CHECK_FALSE(parse({"run", "--url", "https://p"}));
    CHECK_FALSE(parse({"status", "--config"}));
    CHECK_FALSE(parse({"enroll", "--url", "https://p", "--name", "n"}));
  }
}
