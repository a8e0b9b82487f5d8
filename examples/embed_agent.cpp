// SPDX-License-Identifier: Apache-2.0
// The agent inside somebody's own program, without anything of a control plane. The folder was
// enrolled before (ecp-edge enroll, or agent::enroll as here when a token is given).
//
//   embed_agent FOLDER SECONDS [URL TOKEN_FILE NAME]
#include <unistd.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include <ecp/agent/agent.hpp>
#include <ecp/agent/enrollment.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/http/client.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/transport/mqtt.hpp>

namespace {

using namespace ecp;  // NOLINT: an example reads better without prefixes.

// [open-link]
/// The link over MQTT with the certificate of the folder.
Result<std::unique_ptr<transport::AgentLink>> open_link(const agent::AgentFiles& files,
                                                        const link::LinkDocument& document,
                                                        Env env) {
  transport::MqttLinkOptions options;
  for (const auto& broker : document.brokers) options.brokers.push_back({broker.host, broker.port});
  options.tls = {files.roots(), files.identity(), files.identity()};
  options.agent = document.agent;
  options.keep_alive = document.keep_alive;
  return transport::open_mqtt_agent_link(std::move(options), env);
}
// [open-link]

// [open-agent]
Result<std::unique_ptr<agent::Agent>> open_agent(const agent::AgentFiles& files, Env env) {
  static const std::array modules{&storage::pipeline_module(), &storage::agent_module()};
  agent::AgentOptions options;
  ECP_TRY(options.link, agent::load_link_document(files));
  options.data_folder = files.folder;
  storage::SqliteOptions file;
  file.path = files.database();
  agent::AgentParts parts;
  ECP_TRY(parts.store, storage::open_sqlite(file, modules, env));
  ECP_TRY(parts.http, http::open_client(env));
  parts.drivers = pipeline::open_modbus_drivers(env);
  parts.open_link = [files, env](const link::LinkDocument& document) {
    return open_link(files, document, env);
  };
  return agent::Agent::open(std::move(options), std::move(parts), env);
}
// [open-agent]

// [enroll]
Result<void> enroll(const agent::AgentFiles& files, char** arguments, Env env) {
  ECP_TRY(const auto token, read_secret_file(arguments[1], 4 * kibibyte));
  ECP_TRY(const auto client, http::open_client(env));
  ECP_TRY(const auto document,
          agent::enroll({arguments[0], arguments[2], files.folder}, token, *client, env));
  std::printf("enrolled as %s\n", document.agent.to_string().c_str());
  return {};
}
// [enroll]

Result<void> run(const agent::AgentFiles& files, int seconds, Env env) {
  ECP_TRY(const auto agent, open_agent(files, env));
  ECP_TRY_VOID(agent->start());
  for (int i = 0; i < seconds; ++i) {
    std::this_thread::sleep_for(std::chrono::seconds(1));
    const auto status = agent->status();
    std::printf("%s, %zu services, %lld samples wait\n", status.linked ? "linked" : "not linked",
                status.services.size(), static_cast<long long>(status.buffered));
  }
  agent->stop();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 && argc != 6) {
    std::fputs("usage: embed_agent FOLDER SECONDS [URL TOKEN_FILE NAME]\n", stderr);
    return 2;
  }
  StreamLog log(STDERR_FILENO, LogLevel::warning, system_clock());
  RealEnv world(log, 2);
  const agent::AgentFiles files{argv[1]};
  Result<void> outcome;
  if (argc == 6) outcome = enroll(files, argv + 3, world.env());
  if (outcome) outcome = run(files, std::atoi(argv[2]), world.env());
  world.stop();
  if (!outcome) {
    std::fprintf(stderr, "%s\n", outcome.error().describe().c_str());
    return 1;
  }
  return 0;
}
