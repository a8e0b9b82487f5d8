// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>

#include "agent/host.hpp"
#include "agent/state.hpp"
#include "core/text.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr auto time_deadline = Milliseconds{5'000};
constexpr auto time_retry = Milliseconds{2'000};
constexpr auto time_interval = Milliseconds{3'600'000};  // Clocks drift, and ecpd's may be set.
constexpr auto reopen_pause = Milliseconds{10'000};
constexpr auto clock_tolerance = Milliseconds{5'000};
constexpr int connects_before_refetch = 10;
constexpr std::size_t reason_octets = 24 * kibibyte;  // Of all services in one heartbeat.
constexpr auto vitals_interval = Milliseconds{300'000};
constexpr std::size_t shortest_reason = 16;
constexpr std::size_t longest_reason = 300;

using transport::ChannelKind;
using transport::LinkLoss;
using transport::LinkState;

/// Keep a heartbeat of many failing services within one message.
void shorten_reasons(std::vector<link::Heartbeat::Service>& services) {
  const auto share = reason_octets / std::max<std::size_t>(services.size(), 1);
  for (auto& service : services) {
    service.reason = text::clip(service.reason, std::clamp(share, shortest_reason, longest_reason));
  }
}

/// The counter is durable before a CONNECT; runs on the executor.
Result<transport::LinkHandlers::Presence> presence_for_connect(storage::Store& store,
                                                               std::atomic<std::int64_t>& current,
                                                               const std::string& version) {
  ECP_TRY(const auto connection, store.write([](storage::Transaction& transaction) {
    return transaction.get<AgentStore>().next_connection();
  }));
  current = connection;
  return transport::LinkHandlers::Presence{
      link::to_json(link::Presence{true, connection, version}),
      link::to_json(link::Presence{false, connection, version})};
}

}  // namespace

Result<void> Agent::State::open_link() {
  ECP_TRY(auto made, make_link_(options_.link));
  link_ = std::move(made);
  calls_ = std::make_shared<transport::AgentCalls>(*link_, env_);
  calls_->on_question(
      [this, lane = lane_](const link::Question& question, transport::AnswerHandler reply) {
        lane->post([this, question, reply = std::move(reply)] { answer(question, reply); });
      });
  transport::LinkHandlers handlers;
  handlers.on_connecting = [store = store_, connection = connection_, version = options_.version] {
    return presence_for_connect(*store, *connection, version);
  };
  const auto serial = ++link_serial_;
  handlers.on_state = [this, lane = lane_, serial](LinkState state, LinkLoss loss) {
    lane->post([this, serial, state, loss] {
      if (serial == link_serial_) link_changed(state, loss);
    });
  };
  handlers.on_message = [this, lane = lane_, calls = std::weak_ptr(calls_)](
                            const transport::Channel& channel, Bytes payload) {
    const auto alive = calls.lock();
    if (alive && alive->take(channel, payload)) return;
    lane->post([this, channel, payload = std::move(payload)] { on_message(channel, payload); });
  };
  return link_->start(std::move(handlers));
}

void Agent::State::reopen_link() {
  const auto opened = open_link();
  if (opened) return;
  close_link();
  env_.log.error("agent", "the link cannot be opened", {{"why", opened.error().describe()}});
  env_.executor.post_after(reopen_pause, [this, lane = lane_] {
    lane->post([this] {
      if (!link_) reopen_link();
    });
  });
}

void Agent::State::close_link() noexcept {
  ++link_serial_;
  if (calls_) calls_->stop();
  if (link_) link_->stop();
  calls_.reset();
  link_.reset();
}

void Agent::State::link_changed(LinkState state, LinkLoss loss) {
  if (state == LinkState::up) return link_up();
  if (state == LinkState::connecting) return;
  if (std::exchange(is_linked_, false)) {
    env_.log.warning("agent", "the link is down");
    forwarder_->link_down();
    faults_->link_down();
  } else {
    ++failed_connects_;
  }
  publish();
  const bool is_distrust = loss == LinkLoss::untrusted || loss == LinkLoss::refused;
  if (is_distrust || failed_connects_ >= connects_before_refetch) refetch_link();
}

void Agent::State::link_up() {
  env_.log.info("agent", "the link is up");
  is_linked_ = true;
  failed_connects_ = 0;
  ++session_;
  told_facts_.clear();
  ask_time();
  send_heartbeat();
  faults_->link_up();
  forwarder_->link_up(link_->max_payload());
  pump();
}

void Agent::State::on_message(const transport::Channel& channel, const Bytes& payload) {
  switch (channel.kind) {
    case ChannelKind::desired:
      return take_desired(payload);
    case ChannelKind::command:
      return take_command(payload);
    case ChannelKind::ack:
      return take_ack(payload);
    default:
      return;
  }
}

void Agent::State::take_desired(const Bytes& payload) {
  auto signed_manifest = link::parse_signed_manifest(payload);
  auto accepted = signed_manifest ? reconciler_->accept(*signed_manifest)
                                  : Result<void>(signed_manifest.error());
  if (!accepted) {
    const bool is_old = accepted.error().is(reasons::old_manifest);
    env_.log.write(is_old ? LogLevel::debug : LogLevel::warning, "agent",
                   "a manifest was not taken", {{"why", accepted.error().describe()}});
    return settle_later();
  }
  fetch_missing();
  pump();
  if (is_linked_) send_heartbeat();
}

void Agent::State::take_command(const Bytes& payload) {
  auto command = link::parse_command(payload);
  if (!command) {
    env_.log.warning("agent", "a command cannot be read", {{"why", command.error().describe()}});
    return;
  }
  commands_->take(std::move(*command), reconciler_->generation());
}

void Agent::State::take_ack(const Bytes& payload) {
  const auto ack = link::parse_ack(payload);
  const auto restarted = ack ? buffer_->acknowledge(*ack) : Result<bool>(ack.error());
  if (!restarted) {
    env_.log.error("agent", "an ack cannot be dealt with", {{"why", restarted.error().describe()}});
    return;
  }
  if (*restarted) report_again();
  forwarder_->acknowledged(*ack, *restarted);
  pump();
}

/// The plane may have forgotten what it was told.
void Agent::State::report_again() {
  const auto reported = reconciler_->settle();
  if (reported) return;
  env_.log.error("agent", "resources cannot be reported yet",
                 {{"why", reported.error().describe()}});
  settle_later();
}

/// With the manifest accepted last, for a plane that was restored from a backup. One that asks for
/// our state may be that, too, so it also hears where our journals end.
void Agent::State::answer(const link::Question& question, const transport::AnswerHandler& reply) {
  if (question.method == "state") {
    reply(link::to_json(measure_state()));
    return forwarder_->tell_ends();
  }
  if (question.method != "manifest") {
    return reply(Error(reasons::unknown_action, {{"action", question.method}}));
  }
  const auto stored = reconciler_->stored_manifest();
  if (!stored) return reply(stored.error());
  reply(*stored ? link::to_json((*stored)->signed_manifest) : std::string("null"));
}

void Agent::State::ask_time() {
  if (!is_linked_) return;
  const auto asked = env_.clock.steady();
  time_asked_ = asked;
  link::Question question;
  question.method = "server_time";
  calls_->ask(question, time_deadline,
              [this, lane = lane_, asked, session = session_](Result<std::string> result) {
                lane->post([this, asked, session, result = std::move(result)] {
                  if (session != session_ || !is_linked_) return;
                  auto document = result ? json::ObjectDocument::parse(*result)
                                         : Result<json::ObjectDocument>(result.error());
                  auto time = document ? document->reader().integer("server_time", 0, 1LL << 50)
                                       : Result<std::int64_t>(document.error());
                  if (!time) return post_after(time_retry, &State::ask_time);
                  server_time_.learn(from_ms(*time), asked);
                  // For the next start; one that cannot be kept now comes again.
                  if (has_https()) (void)note_server_time(files_, from_ms(*time));
                  const auto off = env_.clock.now() - *server_time_.now();
                  is_clock_off_ = off > clock_tolerance || off < -clock_tolerance;
                  if (is_clock_off_) {
                    env_.log.warning("agent", "this machine's clock is off",
                                     {{"milliseconds", std::to_string(off.count())}});
                  }
                  commands_->time_is_settled();
                });
              });
}

/// Repeats itself; the first one of a session is sent by link_up.
void Agent::State::heartbeat() {
  if (is_linked_) send_heartbeat();
  if (env_.clock.steady() - time_asked_ >= time_interval) ask_time();
  const auto interval = options_.link.heartbeat.count();
  const auto tenth = static_cast<std::uint64_t>(interval / 10);
  const auto wait = interval - static_cast<std::int64_t>(env_.random.below(tenth + 1));
  post_after(Milliseconds{wait}, &State::heartbeat);
}

/// A short one while nothing but vitals changes, most of the time.
void Agent::State::send_heartbeat() {
  const auto now = env_.clock.steady();
  auto beat = measure_state();
  auto facts = link::facts_of(beat);
  if (facts == told_facts_ && now - told_at_ < vitals_interval) {
    beat.same = std::move(facts);
  } else {
    told_facts_ = std::move(facts);
    told_at_ = now;
  }
  link_->send({ChannelKind::state, {}, {}}, link::to_json(beat), [](const Result<void>&) {});
}

link::Heartbeat Agent::State::measure_state() const {
  const auto backlog = buffer_->backlog();
  link::Heartbeat beat;
  beat.connection = *connection_;
  beat.version = options_.version;
  beat.applied = reconciler_->generation();
  beat.manifest_sha256 = reconciler_->manifest_sha256();
  beat.time = env_.clock.now();
  beat.buffered = backlog.samples;
  beat.dropped = backlog.dropped;
  beat.services = service_states();
  shorten_reasons(beat.services);
  beat.host = measure_host(options_.data_folder);
  return beat;
}

}  // namespace ecp::inline v0::agent
