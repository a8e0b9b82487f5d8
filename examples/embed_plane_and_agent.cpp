// SPDX-License-Identifier: Apache-2.0
// A control plane and an agent in one process, joined by the loopback transport: enroll, configure
// a Modbus device, and print the first value that was read, sent, acknowledged and stored.
//
//   embed_plane_and_agent FOLDER MODBUS_HOST MODBUS_PORT
#include <unistd.h>
#include <array>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>

#include <ecp/agent/agent.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/tenancy/registries.hpp>
#include <ecp/transport/loopback.hpp>

namespace {

using namespace ecp;  // NOLINT: an example reads better without prefixes.

/// What is configured from outside.
struct Arguments {
  std::string folder;
  std::string host;
  std::string port;
};

// [open-plane]
Result<std::unique_ptr<plane::ControlPlane>> open_plane(const Arguments& arguments,
                                                        transport::LoopbackNetwork& network,
                                                        Env env) {
  plane::PlaneConfig config;
  config.data_folder = arguments.folder + "/plane";
  plane::Parts parts;
  parts.gateway = network.gateway();  // Instead of a broker.
  return plane::ControlPlane::open(std::move(config), std::move(parts), env);
}
// [open-plane]

// [enroll]
Result<fleet::EnrollmentAnswer> enroll(plane::ControlPlane& plane, const access::Grant& grant) {
  fleet::EnrollmentTokenRegistry::NewToken wanted;
  wanted.name = "example";
  ECP_TRY(const auto token, plane.enrollment_tokens().create(grant, wanted));
  ECP_TRY(const auto key, pki::make_p256_key());
  ECP_TRY(const auto csr, pki::make_csr(key, "example"));
  return plane.enrollment().enroll(token.text.view(), csr, "gateway", {});
}
// [enroll]

// [open-agent]
Result<std::unique_ptr<agent::Agent>> open_agent(const Arguments& arguments,
                                                 const link::LinkDocument& link,
                                                 transport::LoopbackNetwork& network, Env env) {
  static const std::array modules{&storage::pipeline_module(), &storage::agent_module()};
  storage::SqliteOptions file;
  file.path = arguments.folder + "/agent.db";
  agent::AgentParts parts;
  ECP_TRY(parts.store, storage::open_sqlite(file, modules, env));
  parts.drivers = pipeline::open_modbus_drivers(env);
  parts.open_link = [&network](const link::LinkDocument& document)
      -> Result<std::unique_ptr<transport::AgentLink>> { return network.link(document.agent); };
  agent::AgentOptions options;
  options.link = link;
  ECP_TRY(auto agent, agent::Agent::open(std::move(options), std::move(parts), env));
  ECP_TRY_VOID(agent->start());
  return agent;
}
// [open-agent]

// [configure]
Result<fleet::EdgeService> configure(plane::ControlPlane& plane, const access::Grant& grant,
                                     fleet::EdgeNodeId node, const Arguments& arguments) {
  fleet::EdgeServiceRegistry::NewService service;
  service.name = "furnace";
  service.node = node;
  service.kind = "pipeline";
  service.runtime = "builtin";
  service.config_json = R"({"drivers":[{"name":"plc","type":"modbus-tcp","host":")" +
                        arguments.host + R"(","port":)" + arguments.port +
                        R"(,"groups":[{"name":"fast","interval_ms":100,"tags":[)"
                        R"({"name":"temperature","address":"1!400001","type":"float32"}]}]}]})";
  return plane.edge_services().create(grant, service);
}
// [configure]

/// The first value that the control plane has stored, within ten seconds.
Result<std::string> first_value(plane::ControlPlane& plane, const access::Grant& grant,
                                fleet::EdgeServiceId service) {
  for (int i = 0; i < 100; ++i) {
    ECP_TRY(const auto values, plane.edge_services().values(grant, service));
    if (!values.empty() && values.front().quality != series::Quality::bad) {
      return values.front().tag + " = " + series::to_json(values.front().value);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return reasons::timeout;
}

Result<std::string> run(const Arguments& arguments, Env env) {
  ECP_TRY_VOID(make_private_folder(arguments.folder));
  transport::LoopbackNetwork network(env);
  ECP_TRY(const auto plane, open_plane(arguments, network, env));
  const auto platform = plane->authorizer().system("example", access::Scope::platform());
  ECP_TRY(const auto organization, plane->organizations().create(platform, {"Works", ""}));
  ECP_TRY(const auto project, plane->projects().create(platform, organization.id, {"Hall", ""}));
  const auto grant = plane->authorizer().system("example", {organization.id, project.id});

  ECP_TRY(const auto answer, enroll(*plane, grant));
  ECP_TRY(const auto agent, open_agent(arguments, answer.link, network, env));
  ECP_TRY(const auto service, configure(*plane, grant, answer.agent, arguments));
  auto value = first_value(*plane, grant, service.id);
  agent->stop();
  plane->stop();
  return value;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: embed_plane_and_agent FOLDER MODBUS_HOST MODBUS_PORT\n", stderr);
    return 2;
  }
  StreamLog log(STDERR_FILENO, LogLevel::warning, system_clock());
  RealEnv world(log, 2);
  const auto value = run({argv[1], argv[2], argv[3]}, world.env());
  world.stop();
  if (!value) {
    std::fprintf(stderr, "%s\n", value.error().describe().c_str());
    return 1;
  }
  std::printf("%s\n", value->c_str());
  return 0;
}
