// SPDX-License-Identifier: Apache-2.0
#include "agent/services.hpp"

#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::agent {

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
  const bool ran = halt(service);
  if (!service.resource.running) return {};
  auto started = start(service);
  if (started) return {};
  if (former.id.is_nil()) {
    services_.erase(id);
    return started;
  }
  service.resource = std::move(former);
  if (ran) (void)start(service);  // It ran before; the failure told is the new one's.
  return started;
}

Result<void> Services::start(Running& service) {
  ECP_TRY(auto config, kind::parse_pipeline_config(service.resource.config_json));
  ECP_TRY(service.pipeline, pipeline::Pipeline::open(std::move(config), drivers_));
  service.pipeline->start({[this, id = service.resource.id](auto observations) {
                             handlers_.on_observations(id, std::move(observations));
                           },
                           handlers_.on_status},
                          service.last_reading);
  return {};
}

/// Whether it ran.
bool Services::halt(Running& service) noexcept {
  if (!service.pipeline) return false;
  service.pipeline->stop();
  service.last_reading = std::max(service.last_reading, service.pipeline->last_reading());
  service.pipeline.reset();
  return true;
}

void Services::remove(std::string_view name) {
  const auto id = link::EdgeServiceId::parse(name.substr(service_prefix.size()));
  const auto found = id ? services_.find(*id) : services_.end();
  if (found == services_.end()) return;
  if (found->second.pipeline) found->second.pipeline->stop();
  services_.erase(found);
}

Result<pipeline::Pipeline*> Services::running(link::EdgeServiceId service) const {
  const auto found = services_.find(service);
  if (found == services_.end()) return reasons::unknown_service;
  if (!found->second.pipeline) return pipeline::reasons::stopped;
  return found->second.pipeline.get();
}

Result<std::optional<pipeline::WriteResults>> Services::refusals(
    link::EdgeServiceId service, const std::vector<pipeline::WriteOrder>& orders) const {
  ECP_TRY(const auto* const target, running(service));
  return target->refusals(orders, {writes_, false});
}

void Services::write(link::EdgeServiceId service, const std::vector<pipeline::WriteOrder>& orders,
                     bool is_safe_value, const std::function<void(pipeline::WriteResults)>& done) {
  const auto target = running(service);
  if (!target) return done(pipeline::WriteResults(orders.size(), target.error()));
  (*target)->write(orders, {writes_, is_safe_value}, done);
}

Result<void> Services::control(link::EdgeServiceId id, std::string_view action) {
  const auto found = services_.find(id);
  if (found == services_.end()) return reasons::unknown_service;
  auto& service = found->second;
  const bool starts = action == "start" || action == "restart";
  const bool stops = action == "stop" || action == "restart";
  if (!starts && !stops) return Error(reasons::unknown_action, {{"action", std::string(action)}});
  if (stops) halt(service);
  if (starts && !service.pipeline) ECP_TRY_VOID(start(service));
  handlers_.on_status();
  return {};
}

const kind::ServiceResource* Services::resource(link::EdgeServiceId service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : &found->second.resource;
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
