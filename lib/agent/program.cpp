// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/program.hpp>

#include <unistd.h>

#include <ecp/agent/agent.hpp>
#include <ecp/core/file.hpp>
#include <ecp/http/client.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/transport/mqtt.hpp>

#include "agent/database.hpp"
#include "agent/folder_lock.hpp"
#include "agent/identity.hpp"
#include "core/guarded_task.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr unsigned worker_threads = 2;  // The agent's lane, and a call over HTTPS beside it.

Result<std::unique_ptr<transport::AgentLink>> open_link(const AgentFiles& files,
                                                        const link::LinkDocument& document,
                                                        Env env) {
  transport::MqttLinkOptions options;
  for (const auto& broker : document.brokers) {
    options.brokers.push_back({broker.host, broker.port});
  }
  options.tls = {files.roots(), files.identity(), files.identity(),
                 [files] { return earliest_time(files); }};
  options.agent = document.agent;
  options.keep_alive = document.keep_alive;
  options.reconnect_cap = document.reconnect_cap;
  return transport::open_mqtt_agent_link(std::move(options), env);
}

/// The same world with another executor.
Env with_executor(const Env& env, Executor& executor) {
  return {env.clock, env.random, env.ids, executor, env.workers, env.log, env.limits};
}

Result<std::unique_ptr<Agent>> open_agent(const Settings& settings, const AgentFiles& files,
                                          Env env, Executor& polling) {
  AgentOptions options;
  ECP_TRY(options.link, load_link_document(files));
  options.version = ECP_VERSION;
  options.data_folder = settings.data_folder;
  options.writes = settings.writes;
  options.buffer_bytes = settings.buffer_bytes;
  options.telemetry_interval = settings.telemetry_interval;
  AgentParts parts;
  ECP_TRY(parts.store, open_database(files, env));
  ECP_TRY(parts.http, http::open_client(env));
  parts.drivers = pipeline::open_modbus_drivers(with_executor(env, polling));
  parts.open_link = [files, env](const link::LinkDocument& document) {
    return open_link(files, document, env);
  };
  return Agent::open(std::move(options), std::move(parts), env);
}

}  // namespace

Result<std::string> enroll_folder(const Settings& settings, const std::string& url,
                                  const std::string& name, const Secret& token, LogSink& log) {
  RealEnv world(log, 1);
  ECP_TRY_VOID(make_private_folder(settings.data_folder));
  ECP_TRY(const auto lock, FolderLock::take(settings.data_folder));
  ECP_TRY(const auto client, http::open_client(world.env()));
  ECP_TRY(const auto document,
          enroll({url, name, settings.data_folder}, token, *client, world.env()));
  return document.agent.to_string();
}

Result<void> run_agent(const Settings& settings, LogSink& log, const std::function<void()>& wait) {
  const AgentFiles files{settings.data_folder};
  ECP_TRY_VOID(load_link_document(files));  // First: a folder not enrolled stays untouched.
  ECP_TRY_VOID(make_private_folder(settings.data_folder));
  ECP_TRY(const auto lock, FolderLock::take(settings.data_folder));
  ::unlink(files.status().c_str());  // What an earlier run said holds no more.
  RealEnv world(log, worker_threads);
  ExecutorThread polling("ecp-poll");  // Before each connect the other one waits for the disk.
  GuardedExecutor guarded_polling(polling, log, "polling");
  ECP_TRY(const auto agent, open_agent(settings, files, world.env(), guarded_polling));
  ECP_TRY_VOID(agent->start());
  log.info("agent", "running", {{"folder", settings.data_folder}});
  wait();
  log.info("agent", "stopping");
  agent->stop();
  world.stop();  // Before the agent goes: nothing runs any more that could hold a part of it.
  polling.stop();
  return {};
}

}  // namespace ecp::inline v0::agent
