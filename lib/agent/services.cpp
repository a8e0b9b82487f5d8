// SPDX-License-Identifier: Apache-2.0
#include "agent/services.hpp"

#include <ecp/agent/reasons.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::agent {
namespace {

/// What an effect without a value answers.
series::Value nothing() { return series::Value(std::string()); }

}  // namespace

Services::Services(pipeline::DriverFactory& drivers, bool writes, Handlers handlers)
    : drivers_(drivers), writes_(writes), handlers_(std::move(handlers)) {
  kind::add_builtin(kinds_, runtimes_);
}

Services::~Services() { stop(); }

void Services::stop() noexcept {
  for (auto& [id, service] : services_) {
    if (service.pipeline) service.pipeline->stop();
  }
}

Result<void> Services::apply(std::string_view name, std::string_view body) {
  ECP_TRY(auto resource, kind::parse_service_resource(body));
  if (name.substr(service_prefix.size()) != resource.id.to_string()) {
    return Error(reasons::wrong_body, {{"name", std::string(name)}});
  }
  ECP_TRY_VOID(kind::check_service(kinds_, runtimes_, resource.kind, resource.runtime,
                                   resource.config_json));
  const auto id = resource.id;
  auto& service = services_[id];
  auto former = std::exchange(service.resource, std::move(resource));
  auto former_pipeline = std::move(service.pipeline);
  if (former_pipeline) former_pipeline->stop();
  if (!service.resource.running) return {};
  auto started = start(service);
  if (started) return {};
  if (former.id.is_nil()) {
    services_.erase(id);
    return started;
  }
  service.resource = std::move(former);
  if (former_pipeline) (void)start(service);  // It ran before; the failure told is the new one's.
  return started;
}

Result<void> Services::start(Running& service) {
  ECP_TRY(auto config, kind::parse_pipeline_config(service.resource.config_json));
  ECP_TRY(service.pipeline, pipeline::Pipeline::open(std::move(config), drivers_));
  service.pipeline->start({[this, id = service.resource.id](auto observations) {
                             handlers_.on_observations(id, std::move(observations));
                           },
                           handlers_.on_status});
  return {};
}

void Services::remove(std::string_view name) {
  const auto id = link::EdgeServiceId::parse(name.substr(service_prefix.size()));
  const auto found = id ? services_.find(*id) : services_.end();
  if (found == services_.end()) return;
  if (found->second.pipeline) found->second.pipeline->stop();
  services_.erase(found);
}

void Services::run(const link::Command& command, pipeline::Driver::WriteHandler done) {
  const auto found = services_.find(command.service);
  if (found == services_.end()) return done(reasons::unknown_service);
  auto& service = found->second;
  if (command.action == "write") {
    if (!service.pipeline) return done(pipeline::reasons::stopped);
    return service.pipeline->write(command.tag, command.value_json, writes_, std::move(done));
  }
  const bool starts = command.action == "start" || command.action == "restart";
  const bool stops = command.action == "stop" || command.action == "restart";
  if (!starts && !stops) {
    return done(Error(reasons::unknown_action, {{"action", command.action}}));
  }
  if (stops && service.pipeline) {
    service.pipeline->stop();
    service.pipeline.reset();
  }
  if (starts && !service.pipeline) {
    auto started = start(service);
    if (!started) return done(std::move(started).error());
  }
  handlers_.on_status();
  done(nothing());
}

std::vector<link::Heartbeat::Service> Services::states() const {
  std::vector<link::Heartbeat::Service> states;
  for (const auto& [id, service] : services_) {
    auto status = service.pipeline ? service.pipeline->status()
                                   : pipeline::PipelineStatus{link::ServiceState::stopped, {}};
    states.push_back({id, status.state, std::move(status.reason)});
  }
  return states;
}

}  // namespace ecp::inline v0::agent
