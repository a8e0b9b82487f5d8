// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <optional>

#include <ecp/transport/broker.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/mqtt/connection.hpp"
#include "transport/mqtt/topics.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr std::chrono::seconds patience{10};
constexpr int step_ms = 100;
constexpr int takeover_ms = 2'000;
constexpr int first_refusal = 0x80;
constexpr std::string_view other_agent = "node_00000000000000000000000000";

/// One connection on which a caller waits for each answer.
class Probe final {
 public:
  explicit Probe(Env env)
      : env_(env), deadline_(env.clock.steady() + patience), connection_([](auto, auto) {}) {}

  Result<void> connect(const MqttConnection::Options& options) {
    const auto begun = connection_.connect(options, env_.clock.now());
    // Near enough, a broker is judged within the call.
    if (!begun && connection_.loss() == LinkLoss::untrusted) return lost();
    ECP_TRY_VOID(begun);
    return wait([this] { return connection_.is_accepted(); });
  }

  Result<int> publish(const std::string& topic, bool retain, BytesView payload = "probe") {
    std::optional<int> answer;
    const auto sent =
        connection_.publish(topic, payload, 1, retain, [&answer](int code) { answer = code; });
    // A broker that keeps nothing says so beforehand, and the client does not even send.
    if (!sent && sent.error().is(reasons::refused)) return first_refusal;
    ECP_TRY_VOID(sent);
    ECP_TRY_VOID(wait([&answer] { return answer.has_value(); }));
    return *answer;
  }

  Result<int> subscribe(const std::string& filter) {
    std::optional<int> answer;
    const auto handler = [&answer](const std::vector<int>& codes) {
      answer = codes.empty() ? 0 : codes.front();
    };
    if (!connection_.subscribe({filter}, 1, handler)) return lost();
    ECP_TRY_VOID(wait([&answer] { return answer.has_value(); }));
    return *answer;
  }

  /// True when the broker ends this connection soon.
  bool is_cut() {
    for (int waited = 0; waited < takeover_ms; waited += step_ms) {
      pollfd descriptor{connection_.descriptor(), connection_.events(), 0};
      ::poll(&descriptor, 1, step_ms);
      if (!connection_.step(descriptor.revents)) return true;
    }
    return false;
  }

 private:
  template <class Condition>
  Result<void> wait(Condition is_met) {
    while (!is_met()) {
      if (env_.clock.steady() > deadline_) return lost();
      pollfd descriptor{connection_.descriptor(), connection_.events(), 0};
      ::poll(&descriptor, 1, step_ms);
      const bool alive = connection_.step(descriptor.revents);
      if (!alive && !is_met()) return lost();
    }
    return {};
  }

  [[nodiscard]] Error lost() const {
    return {reasons::broker_failed, {{"problem", "the proof broke off: " + connection_.problem()}}};
  }

  const Env env_;
  const SteadyTime deadline_;
  MqttConnection connection_;
};

struct Forbidden {
  std::string topic;
  bool subscribing;
  bool retain;
};

std::vector<Forbidden> forbidden_to(const std::string& name) {
  const std::string own = std::string(topics::agents) + name + "/";
  const std::string other = std::string(topics::agents) + std::string(other_agent) + "/";
  const std::string all = std::string(topics::agents) + "+/up/#";
  return {{other + "up/state", false, false},
          {other + "down/desired", false, false},
          {own + "down/desired", false, false},
          {own + "up/state", false, true},
          {std::string(topics::control), false, false},
          {std::string(topics::replicas) + "changed", false, false},
          {"probe", false, false},
          {"#", true, false},
          {"+/#", true, false},
          {"$SYS/#", true, false},
          {all, true, false},
          {own + "up/#", true, false},
          {other + "down/#", true, false},
          {std::string(topics::share) + "probe/" + all, true, false},
          {std::string(topics::share) + "probe/" + other + "down/#", true, false},
          {std::string(topics::queue) + all, true, false}};
}

Error unguarded(std::string problem) {
  return {reasons::broker_unguarded, {{"problem", std::move(problem)}}};
}

std::string describe(const Forbidden& attempt) {
  const std::string verb = attempt.subscribing ? "subscribe to "
                           : attempt.retain    ? "leave a retained message on "
                                               : "publish to ";
  return verb + attempt.topic;
}

/// What of the forbidden the broker lets an agent do.
Result<std::vector<std::string>> find_holes(Probe& probe, const std::string& name) {
  std::vector<std::string> holes;
  for (const auto& attempt : forbidden_to(name)) {
    // Nothing is left behind on a broker that is known to be open.
    if (attempt.retain && !holes.empty()) continue;
    auto answer = attempt.subscribing ? probe.subscribe(attempt.topic)
                                      : probe.publish(attempt.topic, attempt.retain);
    if (!answer) return std::move(answer).error().within("at " + attempt.topic);
    if (*answer >= first_refusal) continue;
    holes.push_back(describe(attempt));
    if (attempt.retain) ECP_TRY_VOID(probe.publish(attempt.topic, true, {}));
  }
  return holes;
}

/// A client is whom its certificate names: another one that calls itself differently, with the same
/// certificate, takes the place of the first.
Result<bool> is_named_by_certificate(Probe& probe, MqttConnection::Options options, Env env) {
  Probe twin(env);
  options.client_id += "-twin";
  ECP_TRY_VOID(twin.connect(options));
  return probe.is_cut();
}

std::string enumerate(const std::vector<std::string>& holes) {
  std::string text;
  for (std::size_t i = 0; i < holes.size(); ++i) {
    if (i > 0) text += i + 1 == holes.size() ? " and " : ", ";
    text += holes[i];
  }
  return text;
}

}  // namespace

Result<void> prove_guard(const BrokerAddress& address, const MqttTls& canary,
                         const std::string& canary_name, Env env) {
  Probe probe(env);
  MqttConnection::Options options;
  options.broker = address;
  options.tls = canary;
  options.client_id = canary_name;
  ECP_TRY_VOID(probe.connect(options));
  ECP_TRY(const auto holes, find_holes(probe, canary_name));
  if (!holes.empty()) return unguarded("an agent may " + enumerate(holes));
  // The guard must not refuse everything either: then nothing was proven.
  const std::string own = std::string(topics::agents) + canary_name + "/";
  ECP_TRY(const int subscribed, probe.subscribe(own + "down/#"));
  ECP_TRY(const int published, probe.publish(own + "up/probe", false));
  if (subscribed >= first_refusal || published >= first_refusal) {
    return unguarded("an agent is refused its own topics");
  }
  ECP_TRY(const bool is_named, is_named_by_certificate(probe, options, env));
  if (!is_named) return unguarded("an agent may call itself by another's client id");
  return {};
}

}  // namespace ecp::inline v0::transport
