// SPDX-License-Identifier: Apache-2.0
#include <ecp/transport/calls.hpp>

#include <map>
#include <mutex>
#include <optional>

#include <ecp/core/reasons.hpp>
#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::transport {

namespace {

constexpr std::size_t call_id_octets = 12;

link::Answer answer_of(const Result<std::string>& result) {
  if (result) return {*result, {}, {}};
  return {{}, std::string(result.error().reason->symbol), result.error().message()};
}

Result<std::string> result_of(BytesView payload) {
  ECP_TRY(auto answer, link::parse_answer(payload));
  if (answer.reason.empty()) return std::move(answer.result_json);
  return Error(reasons::peer_error,
               {{"reason", std::move(answer.reason)}, {"message", std::move(answer.message)}});
}

/// Questions that wait for their answers.
class Waiting final : public std::enable_shared_from_this<Waiting> {
 public:
  explicit Waiting(Env env) : env_(env) {}

  /// Return the new call's id, or none when stopped (the handler gets `cancelled`).
  std::optional<std::string> add(link::AgentId peer, Milliseconds deadline, AnswerHandler handler) {
    const std::lock_guard lock(mutex_);
    if (stopped_) {
      env_.executor.post([handler = std::move(handler)] { handler(cancelled()); });
      return std::nullopt;
    }
    std::string id = to_hex(env_.random.bytes(call_id_octets));
    auto& call = calls_[id];
    call.peer = peer;
    call.handler = std::move(handler);
    call.timer = env_.executor.post_after(deadline, [weak = weak_from_this(), id] {
      const auto self = weak.lock();
      if (self) self->finish(id, Error(ecp::reasons::timeout, {{"what", "the question"}}));
    });
    return id;
  }

  /// Answer a call whoever it went to; later ones are ignored.
  void finish(const std::string& id, Result<std::string> result) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found != calls_.end()) complete(found, std::move(result));
  }

  /// Answer a call with what its own peer sent; answers of others are ignored.
  void answer(link::AgentId peer, const std::string& id, BytesView payload) {
    const std::lock_guard lock(mutex_);
    const auto found = calls_.find(id);
    if (found != calls_.end() && found->second.peer == peer) complete(found, result_of(payload));
  }

  void stop() {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    while (!calls_.empty()) complete(calls_.begin(), cancelled());
  }

 private:
  struct Call {
    link::AgentId peer;
    AnswerHandler handler;
    TimerId timer = TimerId::none;
  };
  using Calls = std::map<std::string, Call>;

  static Error cancelled() { return {ecp::reasons::cancelled, {{"what", "the question"}}}; }

  void complete(Calls::iterator call, Result<std::string> result) {
    env_.executor.cancel(call->second.timer);
    env_.executor.post([handler = std::move(call->second.handler), result = std::move(result)] {
      handler(result);
    });
    calls_.erase(call);
  }

  const Env env_;
  std::mutex mutex_;
  Calls calls_;
  bool stopped_ = false;
};

/// What answers a question that no handler was set for.
Error nobody_answers(const link::Question& question) {
  return {ecp::reasons::not_found, {{"noun", "question \"" + question.method + "\""}}};
}

}  // namespace

struct AgentCalls::State : std::enable_shared_from_this<State> {
  State(AgentLink& end, Env env) : link(end), waiting(std::make_shared<Waiting>(env)) {}

  void reply(const Channel& asked, const Result<std::string>& result) {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    link.send({ChannelKind::answer_up, asked.label, asked.replica},
              link::to_json(answer_of(result)), [](const Result<void>&) {});
  }

  void question(const Channel& channel, BytesView payload) {
    auto parsed = link::parse_question(payload);
    if (!parsed) return reply(channel, std::move(parsed).error());
    QuestionHandler answering;
    {
      const std::lock_guard lock(mutex);
      answering = handler;
    }
    if (!answering) return reply(channel, nobody_answers(*parsed));
    answering(*parsed, [weak = weak_from_this(), channel](const Result<std::string>& result) {
      const auto self = weak.lock();
      if (self) self->reply(channel, result);
    });
  }

  AgentLink& link;
  const std::shared_ptr<Waiting> waiting;  ///< Also held by send handlers under way.
  std::mutex mutex;
  QuestionHandler handler;
  bool stopped = false;
};

AgentCalls::AgentCalls(AgentLink& link, Env env) : state_(std::make_shared<State>(link, env)) {}
AgentCalls::~AgentCalls() { stop(); }

void AgentCalls::on_question(QuestionHandler handler) {
  const std::lock_guard lock(state_->mutex);
  state_->handler = std::move(handler);
}

void AgentCalls::ask(const link::Question& question, Milliseconds deadline, AnswerHandler handler) {
  const auto id = state_->waiting->add({}, deadline, std::move(handler));
  if (!id) return;
  state_->link.send({ChannelKind::question, *id, {}}, link::to_json(question),
                    [waiting = state_->waiting, id = *id](const Result<void>& sent) {
                      if (!sent) waiting->finish(id, sent.error());
                    });
}

bool AgentCalls::take(const Channel& channel, BytesView payload) {
  if (channel.kind == ChannelKind::answer_down) {
    state_->waiting->answer({}, channel.label, payload);
    return true;
  }
  if (channel.kind != ChannelKind::question_down) return false;
  state_->question(channel, payload);
  return true;
}

void AgentCalls::stop() noexcept {
  state_->waiting->stop();
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
}

struct GatewayCalls::State : std::enable_shared_from_this<State> {
  State(AgentGateway& end, Env env) : gateway(end), waiting(std::make_shared<Waiting>(env)) {}

  void reply(link::AgentId agent, const std::string& label, const Result<std::string>& result) {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    gateway.send(agent, {ChannelKind::answer_down, label, {}}, link::to_json(answer_of(result)),
                 [](const Result<void>&) {});
  }

  void question(link::AgentId agent, const Channel& channel, BytesView payload) {
    auto parsed = link::parse_question(payload);
    if (!parsed) return reply(agent, channel.label, std::move(parsed).error());
    QuestionHandler answering;
    {
      const std::lock_guard lock(mutex);
      answering = handler;
    }
    if (!answering) return reply(agent, channel.label, nobody_answers(*parsed));
    answering(
        agent, *parsed,
        [weak = weak_from_this(), agent, label = channel.label](const Result<std::string>& result) {
          const auto self = weak.lock();
          if (self) self->reply(agent, label, result);
        });
  }

  AgentGateway& gateway;
  const std::shared_ptr<Waiting> waiting;  ///< Also held by send handlers under way.
  std::mutex mutex;
  QuestionHandler handler;
  bool stopped = false;
};

GatewayCalls::GatewayCalls(AgentGateway& gateway, Env env)
    : state_(std::make_shared<State>(gateway, env)) {}
GatewayCalls::~GatewayCalls() { stop(); }

void GatewayCalls::on_question(QuestionHandler handler) {
  const std::lock_guard lock(state_->mutex);
  state_->handler = std::move(handler);
}

void GatewayCalls::ask(link::AgentId agent, const link::Question& question, Milliseconds deadline,
                       AnswerHandler handler) {
  const auto id = state_->waiting->add(agent, deadline, std::move(handler));
  if (!id) return;
  state_->gateway.send(agent, {ChannelKind::question_down, *id, state_->gateway.replica()},
                       link::to_json(question),
                       [waiting = state_->waiting, id = *id](const Result<void>& sent) {
                         if (!sent) waiting->finish(id, sent.error());
                       });
}

bool GatewayCalls::take(link::AgentId agent, const Channel& channel, BytesView payload) {
  if (channel.kind == ChannelKind::answer_up) {
    if (channel.replica == state_->gateway.replica()) {
      state_->waiting->answer(agent, channel.label, payload);
    }
    return true;
  }
  if (channel.kind != ChannelKind::question) return false;
  state_->question(agent, channel, payload);
  return true;
}

void GatewayCalls::stop() noexcept {
  state_->waiting->stop();
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
}

}  // namespace ecp::inline v0::transport
