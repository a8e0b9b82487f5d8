// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/agent.hpp>

#include <ecp/agent/reasons.hpp>

#include "agent/state.hpp"

namespace ecp::inline v0::agent {

namespace {

constexpr std::string_view alarm_rules = "alarm-rules";
constexpr auto status_delay = Milliseconds{200};  // Several changes at once are told once.
constexpr auto flush_retry = Milliseconds{2'000};

}  // namespace

Agent::State::State(AgentOptions options, AgentParts parts, Env env)
    : options_(std::move(options)),
      env_(env),
      files_{options_.data_folder},
      store_(std::move(parts.store)),
      drivers_(std::move(parts.drivers)),
      http_(std::move(parts.http)),
      make_link_(std::move(parts.open_link)),
      lane_(std::make_shared<Lane>(env.workers, env.log)),
      server_time_(env.clock),
      connection_(std::make_shared<std::atomic<std::int64_t>>(0)) {}

Agent::State::~State() {
  lane_->close();
  close_link();
  if (services_) services_->stop();
}

Result<void> Agent::State::open() {
  ECP_TRY(buffer_, pipeline::Buffer::open(*store_, {options_.buffer_bytes}, env_));
  forwarder_ = std::make_unique<pipeline::Forwarder>(
      *buffer_,
      [this](transport::Channel channel, Bytes payload, transport::DoneHandler done) {
        if (!link_) return;
        link_->send(std::move(channel), std::move(payload),
                    [this, lane = lane_, done = std::move(done)](const Result<void>& accepted) {
                      if (accepted) return;
                      lane->post([this, done, accepted] {
                        done(accepted);
                        if (is_linked_) pump();
                      });
                    });
      },
      env_, options_.telemetry_interval);
  services_ = std::make_unique<Services>(
      *drivers_, options_.writes,
      Services::Handlers{[this](link::EdgeServiceId id, std::vector<pipeline::Observation> seen) {
                           on_observations(id, std::move(seen));
                         },
                         [this] { on_status(); }});
  reconciler_ = std::make_unique<Reconciler>(
      *store_, *buffer_, options_.link.agent,
      Reconciler::Appliers{
          [this](std::string_view name, std::string_view body) { return apply(name, body); },
          [this](std::string_view name) { remove(name); }},
      env_);
  reconciler_->set_keys(options_.link.manifest_keys);
  faults_ = std::make_unique<FaultActions>(*store_, *buffer_, *services_, lane_, env_);
  faults_->on_event([this] {
    on_status();
    pump();
  });
  commands_ = std::make_unique<Commands>(*store_, *buffer_, *services_, *faults_, server_time_,
                                         lane_, env_);
  commands_->on_result([this] { pump(); });
  return {};
}

Result<void> Agent::State::start() {
  ECP_TRY_VOID(commands_->boot());
  ECP_TRY_VOID(faults_->boot());
  ECP_TRY_VOID(reconciler_->boot());
  faults_->link_down();  // Until it is up.
  publish();
  ECP_TRY_VOID(open_link());
  post(&State::fetch_missing);
  post(&State::upkeep);
  post(&State::heartbeat);
  return {};
}

void Agent::State::stop() noexcept {
  if (std::exchange(is_stopped_, true)) return;
  lane_->close();
  services_->stop();
  close_link();
  if (const auto flushed = buffer_->flush(); !flushed) {
    env_.log.error("agent", "the last samples cannot be stored",
                   {{"why", flushed.error().describe()}});
  }
  is_linked_ = false;
  publish();
  store_->close();
}

void Agent::State::post(void (State::*task)()) {
  lane_->post([this, task] { (this->*task)(); });
}

void Agent::State::post_after(Milliseconds delay, void (State::*task)()) {
  env_.executor.post_after(
      delay, [this, lane = lane_, task] { lane->post([this, task] { (this->*task)(); }); });
}

/// On a driver's thread. Drivers stop before anything used here ends.
void Agent::State::on_observations(link::EdgeServiceId service,
                                   std::vector<pipeline::Observation> seen) {
  if (is_clock_off_) {
    for (auto& observation : seen) {
      auto& quality = observation.sample.quality;
      if (quality == series::Quality::good) quality = series::Quality::uncertain_time;
    }
  }
  buffer_->add(service, std::move(seen));
  if (!flush_is_due_.exchange(true)) post_after(options_.flush_interval, &State::flush);
}

/// On a driver's thread or the lane.
void Agent::State::on_status() {
  if (!status_is_due_.exchange(true)) post_after(status_delay, &State::status_changed);
}

void Agent::State::flush() {
  flush_is_due_ = false;
  const auto flushed = buffer_->flush();
  note_storing(flushed ? std::string() : flushed.error().describe());
  if (flushed) return pump();
  if (!flush_is_due_.exchange(true)) post_after(flush_retry, &State::flush);
}

/// Told when it begins and when it is over, also in the states of services.
void Agent::State::note_storing(std::string problem) {
  const bool was_good = unstored_.empty();
  unstored_ = std::move(problem);
  if (was_good == unstored_.empty()) return;
  if (was_good) {
    env_.log.error("agent", "samples cannot be stored and wait in memory", {{"why", unstored_}});
  } else {
    env_.log.info("agent", "samples are stored again");
  }
  on_status();
}

void Agent::State::status_changed() {
  status_is_due_ = false;
  publish();
  if (is_linked_) send_heartbeat();
}

Result<void> Agent::State::apply(std::string_view name, std::string_view body) {
  if (name == alarm_rules) {
    ECP_TRY(auto rules, link::parse_edge_alarm_rules(body));
    return buffer_->set_rules(std::move(rules));
  }
  if (name.substr(0, service_prefix.size()) == service_prefix) {
    auto applied = services_->apply(name, body);
    if (applied) watch_faults(name);
    on_status();
    return applied;
  }
  return Error(reasons::unknown_resource, {{"name", std::string(name)}});
}

/// Guards follow the configuration that the service has now; none for a service that is gone.
void Agent::State::watch_faults(std::string_view name) {
  const auto id = link::EdgeServiceId::parse(name.substr(service_prefix.size()));
  if (!id) return;
  const auto* const resource = services_->resource(*id);
  const auto config = resource != nullptr ? kind::parse_pipeline_config(resource->config_json)
                                          : Result<kind::PipelineConfig>(kind::PipelineConfig{});
  if (config) faults_->watch(*id, *config);
}

std::vector<link::Heartbeat::Service> Agent::State::service_states() const {
  auto states = services_->states();
  for (auto& service : states) {
    if (service.reason.empty()) service.reason = faults_->in_force(service.id);
    if (unstored_.empty() || service.state != link::ServiceState::running) continue;
    service.state = link::ServiceState::degraded;
    service.reason = unstored_;
  }
  return states;
}

void Agent::State::remove(std::string_view name) {
  if (name == alarm_rules) {
    if (const auto emptied = buffer_->set_rules({}); !emptied) {
      env_.log.error("agent", "alarm rules cannot be removed",
                     {{"why", emptied.error().describe()}});
    }
  } else {
    services_->remove(name);
    watch_faults(name);
  }
  on_status();
}

/// Send what may be sent, and come back when something is to be sent again.
void Agent::State::pump() {
  forwarder_->pump();
  publish();
  const auto next = forwarder_->wake_at();
  const auto now = env_.clock.steady();
  if (next == SteadyTime::max() || (pump_at_ > now && pump_at_ <= next)) return;
  pump_at_ = next;
  const auto wait = std::chrono::ceil<Milliseconds>(next - now);
  post_after(std::max(wait, Milliseconds{1}), &State::pump);
}

void Agent::State::publish() {
  const auto backlog = buffer_->backlog();
  AgentStatus status{is_linked_, reconciler_->generation(), backlog.samples, backlog.dropped,
                     service_states()};
  {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  write_status_file();
}

AgentStatus Agent::State::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

Agent::Agent(std::unique_ptr<State> state) : state_(std::move(state)) {}
Agent::~Agent() = default;

Result<std::unique_ptr<Agent>> Agent::open(AgentOptions options, AgentParts parts, Env env) {
  auto state = std::make_unique<State>(std::move(options), std::move(parts), env);
  ECP_TRY_VOID(state->open());
  return std::unique_ptr<Agent>(new Agent(std::move(state)));
}

Result<void> Agent::start() { return state_->start(); }
void Agent::stop() noexcept { state_->stop(); }
AgentStatus Agent::status() const { return state_->status(); }

}  // namespace ecp::inline v0::agent
