// SPDX-License-Identifier: Apache-2.0
#include "fleet/agent_dialogue.hpp"

#include <mutex>
#include <utility>

#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>

#include "core/guarded_task.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr Milliseconds call_patience{10'000};
constexpr Milliseconds doubt_patience{3'000};

}  // namespace

AgentDialogue::AgentDialogue(Parts parts, Env env)
    : parts_(std::move(parts)), env_(env), calls_(parts_.gateway, env) {}

void AgentDialogue::start() {
  calls_.on_question([weak = weak_from_this()](EdgeNodeId agent, const link::Question& question,
                                               transport::AnswerHandler reply) {
    if (const auto self = weak.lock()) self->answer(agent, question, std::move(reply));
  });
}

void AgentDialogue::stop() noexcept {
  stopped_ = true;
  calls_.stop();
  const std::lock_guard lock(tasks_);
}

void AgentDialogue::post(std::string_view place, std::function<void(AgentDialogue&)> work) {
  env_.workers.post([self = shared_from_this(), place, work = std::move(work)] {
    run_guarded(self->env_.log, place, [&] {
      const std::shared_lock lock(self->tasks_);
      if (!self->stopped_) work(*self);
    });
  });
}

bool AgentDialogue::take(EdgeNodeId agent, const transport::Channel& channel, BytesView payload) {
  return calls_.take(agent, channel, payload);
}

void AgentDialogue::answer(EdgeNodeId agent, const link::Question& question,
                           transport::AnswerHandler reply) {
  if (question.method == "server_time") {
    json::Writer writer;
    writer.begin_object().field("server_time", to_ms(env_.clock.now())).end_object();
    reply(writer.take());
    return;
  }
  if (question.method == "manifest") {  // An agent hands over one that is beyond ours.
    post_manifest(agent, question.arguments_json, std::move(reply));
    return;
  }
  reply(Error(ecp::reasons::not_found, {{"noun", "method"}}));
}

void AgentDialogue::ask_manifest(EdgeNodeId agent) {
  calls_.ask(agent, {"manifest", "{}"}, call_patience,
             [weak = weak_from_this(), agent](Result<std::string> told) {
               const auto self = weak.lock();
               if (!self || self->stopped_ || !told) return;
               self->post_manifest(agent, std::move(*told), [](const Result<std::string>&) {});
             });
}

void AgentDialogue::ask_state(EdgeNodeId agent) {
  calls_.ask(agent, {"state", "{}"}, call_patience,
             [weak = weak_from_this(), agent](Result<std::string> told) {
               const auto self = weak.lock();
               if (!self || self->stopped_ || !told) return;
               self->parts_.take_state(agent, std::move(*told));
             });
}

void AgentDialogue::doubt(EdgeNodeId agent, std::int64_t stored) {
  if (doubted_.add(agent)) ask_doubted(agent, stored);
}

void AgentDialogue::ask_doubted(EdgeNodeId agent, std::int64_t stored) {
  calls_.ask(agent, {"state", "{}"}, doubt_patience,
             [weak = weak_from_this(), agent, stored](Result<std::string> told) {
               const auto self = weak.lock();
               if (!self || self->stopped_) return;
               self->post("an agent's answer about its connection",
                          [agent, stored, told = std::move(told)](AgentDialogue& dialogue) {
                            dialogue.settle_doubt(agent, stored, told);
                          });
             });
}

void AgentDialogue::settle_doubt(EdgeNodeId agent, std::int64_t stored,
                                 const Result<std::string>& told) {
  const auto confirm = [&]() -> Result<std::optional<std::int64_t>> {
    ECP_TRY(const auto text, told);
    ECP_TRY(const auto state, link::parse_heartbeat(text));
    return parts_.confirm(agent, {true, state.connection, state.version}, stored);
  };
  const auto confirmed = confirm();
  if (confirmed && !*confirmed) return doubted_.settle(agent);
  if (confirmed) {
    if (doubted_.ask_again(agent)) ask_doubted(agent, **confirmed);
    return;
  }
  env_.log.info("fleet", "an agent did not tell its connection",
                {{"node", agent.to_string()}, {"error", confirmed.error().describe()}});
  env_.executor.post_after(doubt_patience, [weak = weak_from_this(), agent, stored] {
    const auto self = weak.lock();
    if (self && !self->stopped_ && self->doubted_.ask_again(agent)) {
      self->ask_doubted(agent, stored);
    }
  });
}

/// One of an agent at a time: it may send as many as it likes.
void AgentDialogue::post_manifest(EdgeNodeId agent, std::string text,
                                  transport::AnswerHandler reply) {
  if (manifests_.add(agent) > 1) {
    manifests_.settle(agent);
    reply(Error(ecp::reasons::over_limit,
                {{"what", "the number of manifests under way"}, {"limit", "1"}}));
    return;
  }
  post("a manifest that an agent handed over",
       [agent, text = std::move(text), done = std::move(reply)](AgentDialogue& dialogue) {
         const PendingCounts::Settling settling(dialogue.manifests_, agent);
         dialogue.take_manifest(agent, text);
         done(std::string("{}"));
       });
}

void AgentDialogue::take_manifest(EdgeNodeId agent, const std::string& text) {
  const auto handed = link::parse_signed_manifest(text);
  if (!handed) return;
  const auto adopted = parts_.desired.adopt(agent, *handed);
  if (adopted && *adopted) {
    env_.log.warning("fleet", "the database is older than an agent: it was restored from a backup",
                     {{"node", agent.to_string()}});
  }
}

}  // namespace ecp::inline v0::fleet
