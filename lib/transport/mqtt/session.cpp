// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/session.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/backoff.hpp"
#include "transport/mqtt/connection.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr std::size_t default_payload = limits::mqtt_packet - packet_overhead;
constexpr int keep_alive_step_ms = 1'000;  // libmosquitto wants to be called this often.
constexpr int least_gathering_ms = 1;
constexpr int most_gathering_ms = 8;
constexpr int nobody_subscribed = 0x10;
constexpr Milliseconds shortest_repeat{250};
constexpr Milliseconds longest_repeat{15'000};
constexpr int quota_exceeded = 0x97;
constexpr int first_refusal = 0x80;

Result<void> outcome_of(int code) {
  if (code == MqttConnection::connection_lost) return reasons::link_down;
  if (code == nobody_subscribed) return Error(reasons::nobody_listens, {{"what", "the message"}});
  if (code == quota_exceeded) return Error(reasons::queue_full, {{"limit", "the broker's"}});
  if (code >= first_refusal) return Error(reasons::refused, {{"code", std::to_string(code)}});
  return {};
}

Error cancelled() { return {ecp::reasons::cancelled, {{"what", "the message"}}}; }

Error bad_option(std::string option, std::string problem) {
  return {reasons::bad_options, {{"option", std::move(option)}, {"problem", std::move(problem)}}};
}

}  // namespace

MqttSession::MqttSession(MqttSessionOptions options, Env env, std::shared_ptr<Inbox> inbox)
    : options_(std::move(options)),
      env_(env),
      inbox_(std::move(inbox)),
      gathering_ms_(least_gathering_ms),
      max_payload_(default_payload),
      reconnect_cap_(options_.reconnect_cap) {}

MqttSession::~MqttSession() { stop(); }

Result<void> MqttSession::start(MqttSessionHandlers handlers) {
  {
    const std::lock_guard lock(mutex_);
    if (started_) return bad_option("the link", "was started before");
    started_ = true;
    handlers_ = std::move(handlers);
    ECP_TRY_VOID(wakeup_.open());
  }
  thread_ = std::make_unique<Thread>("ecp-mqtt", [this] { run(); });
  plan_attempt(Milliseconds(0));
  return {};
}

void MqttSession::stop() noexcept {
  TimerId timer = TimerId::none;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    stopped_ = true;
    requests_.stop = true;
    std::swap(timer, retry_timer_);
  }
  env_.executor.cancel(timer);
  inbox_->close();
  if (!thread_) return;
  wakeup_.wake();
  thread_->join();
}

void MqttSession::plan_attempt(Milliseconds delay) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return;
  attempting_ = false;
  const auto attempt = ++attempt_;
  const auto begin = [weak = weak_from_this(), attempt] {
    const auto self = weak.lock();
    if (self) self->begin_attempt(attempt);
  };
  if (delay.count() == 0) {
    inbox_->push_state(begin);
  } else {
    retry_timer_ =
        env_.executor.post_after(delay, [inbox = inbox_, begin] { inbox->push_state(begin); });
  }
}

void MqttSession::begin_attempt(std::uint64_t attempt) {
  {
    const std::lock_guard lock(mutex_);
    if (stopped_ || attempt != attempt_ || attempting_) return;
    attempting_ = true;
    retry_timer_ = TimerId::none;
  }
  if (handlers_.on_state) handlers_.on_state(LinkState::connecting, LinkLoss::none);
  auto greeting = handlers_.on_connecting();
  if (!greeting) {
    // A proof under way tells by itself how it ends.
    if (!greeting.error().is(reasons::guard_unproven)) {
      env_.log.warning("transport", "not ready to connect",
                       {{"problem", greeting.error().describe()}});
    }
    Milliseconds delay{0};
    {
      const std::lock_guard lock(mutex_);
      delay = retry_delay(env_.random, failures_++, reconnect_cap_);
    }
    plan_attempt(delay);
    if (handlers_.on_state) handlers_.on_state(LinkState::down, LinkLoss::none);
    return;
  }
  Milliseconds patience{0};
  {
    const std::lock_guard lock(mutex_);
    requests_.greeting = std::move(*greeting);
    patience = connect_patience(options_.connect_timeout, failures_, reconnect_cap_);
  }
  wakeup_.wake();
  env_.executor.post_after(patience, [weak = weak_from_this(), attempt] {
    const auto self = weak.lock();
    if (!self) return;
    {
      const std::lock_guard lock(self->mutex_);
      if (self->attempt_ != attempt || self->up_ || self->stopped_) return;
      self->requests_.timed_out = true;
    }
    self->wakeup_.wake();
  });
}

void MqttSession::send(MqttMessage message) {
  Result<void> refusal;
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      refusal = cancelled();
    } else if (!up_) {
      refusal = reasons::link_down;
    } else if (message.payload.size() > max_payload_) {
      refusal = Error(reasons::too_large, {{"size", std::to_string(message.payload.size())},
                                           {"limit", std::to_string(max_payload_)}});
    } else if (pending_ >= options_.max_pending) {
      refusal = Error(reasons::queue_full, {{"limit", std::to_string(options_.max_pending)}});
    } else {
      ++pending_;
      requests_.messages.push_back(std::move(message));
      wakeup_.wake();
      return;
    }
  }
  if (message.done) {
    env_.executor.post([done = std::move(message.done), refusal] { done(refusal); });
  }
}

void MqttSession::finish(DoneHandler done, Result<void> outcome) {
  {
    const std::lock_guard lock(mutex_);
    --pending_;
    if (stopped_) outcome = cancelled();
  }
  if (!done) return;
  env_.executor.post([done = std::move(done), outcome = std::move(outcome)] { done(outcome); });
}

void MqttSession::reconnect() {
  bool waits = false;
  {
    const std::lock_guard lock(mutex_);
    if (!started_ || stopped_) return;
    waits = !attempting_;
    if (!waits) requests_.reconnect = true;
    env_.executor.cancel(std::exchange(retry_timer_, TimerId::none));
  }
  if (waits) {
    plan_attempt(Milliseconds(0));
  } else {
    wakeup_.wake();
  }
}

void MqttSession::set_reconnect_cap(Milliseconds longest) {
  const std::lock_guard lock(mutex_);
  reconnect_cap_ = longest;
}

std::size_t MqttSession::max_payload() const noexcept {
  const std::lock_guard lock(mutex_);
  return max_payload_;
}

void MqttSession::tell(LinkState state, LinkLoss loss) {
  inbox_->push_state([self = shared_from_this(), state, loss] {
    if (self->handlers_.on_state) self->handlers_.on_state(state, loss);
  });
}

void MqttSession::run() {
  while (true) {
    std::optional<MqttGreeting> greeting;
    {
      const std::lock_guard lock(mutex_);
      if (requests_.stop) return;
      std::swap(greeting, requests_.greeting);
    }
    if (!greeting) {
      wakeup_.wait(-1, 0, -1);
      continue;
    }
    const LinkLoss loss = serve(std::move(*greeting));
    Milliseconds delay{0};
    {
      const std::lock_guard lock(mutex_);
      if (requests_.stop) return;
      if (!std::exchange(requests_.reconnect, false)) {
        delay = retry_delay(env_.random, failures_++, reconnect_cap_);
      }
      requests_.timed_out = false;
    }
    tell(LinkState::down, loss);
    plan_attempt(delay);
  }
}

/// Wait for a request or for the connection, and return what happened to it. When something was
/// just read and the connection is silent now, more may gather for a moment: a busy one then wakes
/// us, and those behind us, once for many messages. The moment grows while it is worth it.
short MqttSession::await(const MqttConnection& connection, bool has_read) {
  const auto wait = [&](int timeout_ms) {
    return wakeup_.wait(connection.descriptor(), connection.events(), timeout_ms);
  };
  if (has_read || connection.has_more()) {
    const short happened = wait(0);
    if (connection.has_more()) return static_cast<short>(happened | POLLIN);
    if (!has_read || happened != 0) return happened;
    wakeup_.wait(-1, 0, gathering_ms_);
    const short gathered = wait(0);
    const bool is_busy = (gathered & POLLIN) != 0;
    gathering_ms_ = is_busy ? std::min(2 * gathering_ms_, most_gathering_ms) : least_gathering_ms;
    return gathered;
  }
  return wait(keep_alive_step_ms);
}

LinkLoss MqttSession::serve(MqttGreeting greeting) {
  MqttConnection connection(handlers_.on_message);
  MqttConnection::Options options;
  options.broker = options_.brokers[next_broker_++ % options_.brokers.size()];
  options.tls = options_.tls;
  options.client_id = options_.client_id;
  options.keep_alive = options_.keep_alive;
  MqttConnection::Will will;
  if (greeting.will) {
    will = {greeting.will->topic, greeting.will->payload, false};
    options.will = &will;
  }
  auto connected = connection.connect(options, env_.clock.now());
  const bool alive = connected.has_value() && converse(connection, greeting);
  const LinkLoss loss = connection.loss();
  if (!alive) {
    env_.log.warning("transport", "the connection to the broker is lost",
                     {{"broker", options.broker.host + ":" + std::to_string(options.broker.port)},
                      {"problem", connection.problem()}});
  }
  fail_all(connection);
  return loss;
}

/// Until the connection is lost, which is false, or not wanted any more.
bool MqttSession::converse(MqttConnection& connection, MqttGreeting& greeting) {
  bool greeted = false;
  bool has_read = false;
  auto looked = env_.clock.steady();
  while (take_requests(connection)) {
    const short happened = await(connection, has_read);
    has_read = greeted && (happened & POLLIN) != 0;
    // Frozen for so long that the broker gave us up: what the socket still holds is old news.
    const auto before = std::exchange(looked, env_.clock.steady());
    if (looked - before >= options_.keep_alive + options_.keep_alive / 2) return false;
    {
      const Inbox::Burst burst(*inbox_);
      if (!connection.step(happened)) return false;
    }
    if (connection.is_accepted() && !greeted) {
      greeted = true;
      greet(connection, greeting);
    }
  }
  return true;
}

void MqttSession::greet(MqttConnection& connection, MqttGreeting& greeting) {
  const auto on_subscribed = [this, &connection](const std::vector<int>& codes) {
    const bool refused =
        std::any_of(codes.begin(), codes.end(), [](int code) { return code >= first_refusal; });
    if (refused) {
      env_.log.error("transport", "the broker refuses our subscriptions");
      connection.mark_refused();
      const std::lock_guard lock(mutex_);
      requests_.timed_out = true;
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      up_ = true;
      failures_ = 0;
      const auto packet = connection.max_packet();
      max_payload_ = packet > packet_overhead ? std::min(packet - packet_overhead, default_payload)
                                              : default_payload;
    }
    tell(LinkState::up, LinkLoss::none);
  };
  bool sent = greeting.filters.empty() || connection.subscribe(greeting.filters, 1, on_subscribed);
  for (const auto& message : greeting.messages) {
    const auto told = [this, message, again = greeting.must_be_heard](int code) {
      if (again && code == nobody_subscribed) repeat(message, 0);
    };
    sent = sent && connection.publish(message.topic, message.payload, message.qos, false, told);
  }
  if (!sent) {
    const std::lock_guard lock(mutex_);
    requests_.timed_out = true;
  }
}

/// A broker forgets what nobody is subscribed to; a birth that nobody heard comes once a
/// connection.
void MqttSession::repeat(const MqttMessage& message, unsigned tries) {
  std::uint64_t attempt = 0;
  {
    const std::lock_guard lock(mutex_);
    attempt = attempt_;
  }
  const auto wait = retry_delay(env_.random, tries, longest_repeat);
  env_.executor.post_after(
      wait + shortest_repeat, [weak = weak_from_this(), message, tries, attempt] {
        const auto self = weak.lock();
        if (!self || !self->is_attempt(attempt)) return;
        auto again = message;
        again.done = [weak, message, tries, attempt](const Result<void>& taken) {
          const auto alive = weak.lock();
          if (taken || !taken.error().is(reasons::nobody_listens)) return;
          if (alive && alive->is_attempt(attempt)) alive->repeat(message, tries + 1);
        };
        self->send(std::move(again));
      });
}

bool MqttSession::is_attempt(std::uint64_t attempt) const {
  const std::lock_guard lock(mutex_);
  return up_ && attempt_ == attempt;
}

bool MqttSession::take_requests(MqttConnection& connection) {
  std::deque<MqttMessage> messages;
  bool go_on = true;
  {
    const std::lock_guard lock(mutex_);
    messages.swap(requests_.messages);
    go_on = !requests_.stop && !requests_.reconnect && !requests_.timed_out;
  }
  for (auto& message : messages) {
    auto done = std::make_shared<DoneHandler>(std::move(message.done));
    auto sent = connection.publish(message.topic, message.payload, message.qos, false,
                                   [this, done](int code) { finish(*done, outcome_of(code)); });
    if (!sent) finish(*done, std::move(sent));
  }
  return go_on;
}

void MqttSession::fail_all(MqttConnection& connection) {
  std::deque<MqttMessage> messages;
  {
    const std::lock_guard lock(mutex_);
    up_ = false;
    messages.swap(requests_.messages);
  }
  for (auto& message : messages) finish(std::move(message.done), reasons::link_down);
  connection.fail_pending();
}

}  // namespace ecp::inline v0::transport
