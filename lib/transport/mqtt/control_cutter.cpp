// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/control_cutter.hpp"

#include <utility>

#include <ecp/transport/broker.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/mqtt/deny_set.hpp"
#include "transport/mqtt/session.hpp"
#include "transport/mqtt/topics.hpp"

namespace ecp::inline v0::transport {

ControlCutter::ControlCutter(Options options, std::weak_ptr<MqttSession> session, Env env)
    : options_(std::move(options)), session_(std::move(session)), env_(env) {}

void ControlCutter::deny(link::AgentId agent) {
  {
    const std::lock_guard lock(mutex_);
    denied_.insert(agent);
  }
  keep();
  send(deny_set::add({agent}));
}

void ControlCutter::set_denied(std::span<const link::AgentId> agents) {
  {
    const std::lock_guard lock(mutex_);
    denied_ = {agents.begin(), agents.end()};
  }
  keep();
  send_all();
}

void ControlCutter::repeat() { send_all(); }

void ControlCutter::stop() noexcept {}  // The session's end is the end of what it sends.

std::vector<link::AgentId> ControlCutter::denied() {
  const std::lock_guard lock(mutex_);
  return {denied_.begin(), denied_.end()};
}

/// A broker that starts again reads the set before we can reach it. The set is looked up by whoever
/// has the file, so that the file never falls back.
void ControlCutter::keep() {
  if (options_.deny_path.empty()) return;
  const std::lock_guard writing(file_mutex_);
  const auto kept = write_denied(options_.deny_path, denied());
  if (kept) return;
  env_.log.error("mqtt", "the set of revoked agents is not kept for the broker's next start",
                 {{"problem", kept.error().describe()}});
}

void ControlCutter::send_all() {
  send(options_.is_alone ? deny_set::replace(denied()) : deny_set::add(denied()));
}

void ControlCutter::send(std::vector<std::string> texts) {
  const auto session = session_.lock();
  if (!session) return;
  for (auto& text : texts) {
    session->send({std::string(topics::control), std::move(text), 1,
                   [weak = session_](const Result<void>& sent) {
                     // A link that is down sends the whole set when it is up; one that is up but
                     // could not is made to start over, for the same effect.
                     if (sent || sent.error().is(reasons::link_down)) return;
                     if (const auto alive = weak.lock()) alive->reconnect();
                   }});
  }
}

}  // namespace ecp::inline v0::transport
