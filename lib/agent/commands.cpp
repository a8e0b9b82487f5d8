// SPDX-License-Identifier: Apache-2.0
#include "agent/commands.hpp"

#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/pipeline/reasons.hpp>

#include "core/crash_point.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr auto journal_life = std::chrono::hours{24 * 7};  // Much longer than any command's.
constexpr auto keep_retry = Milliseconds{2'000};

/// A guard of ours said no, and the device was not touched.
bool is_refusal(const Error& error) {
  return error.code() == ErrorCode::permission_denied ||
         error.code() == ErrorCode::invalid_argument || error.code() == ErrorCode::not_found ||
         error.code() == ErrorCode::unimplemented || error.is(pipeline::reasons::stopped);
}

link::CommandState state_of(const Error& error) {
  if (is_refusal(error)) return link::CommandState::refused;
  return error.is(pipeline::reasons::write_unknown) ? link::CommandState::unknown
                                                    : link::CommandState::failed;
}

std::string text_of(const Error& error) {
  return std::string(error.reason->symbol) + ": " + error.message();
}

}  // namespace

void ServerTime::learn(Time time, SteadyTime asked) {
  at_ = clock_.steady();
  const auto half = (at_ - asked) / 2;
  time_ = time + std::chrono::duration_cast<Milliseconds>(half);
}

std::optional<Time> ServerTime::now() const {
  if (!time_) return std::nullopt;
  return *time_ + std::chrono::duration_cast<Milliseconds>(clock_.steady() - at_);
}

Commands::Commands(storage::Store& store, pipeline::Buffer& buffer, Services& services,
                   const ServerTime& server_time, std::shared_ptr<Lane> lane, Env env)
    : store_(store),
      buffer_(buffer),
      services_(services),
      server_time_(server_time),
      lane_(std::move(lane)),
      env_(env) {}

Result<void> Commands::boot() {
  const auto now = env_.clock.now();
  return store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<AgentStore>();
    ECP_TRY(auto unfinished, store.unfinished_commands());
    for (auto& command : unfinished) {
      command.result.state = link::CommandState::unknown;
      command.result.reason = text_of(reasons::interrupted);
      command.result.at = now;
      ECP_TRY_VOID(store.put(command));
      link::ReportedItem item;
      item.command = command.result;
      ECP_TRY_VOID(buffer_.append(transaction, item));
    }
    return store.remove_commands(now - journal_life);
  });
}

void Commands::take(link::Command command, link::Generation generation) {
  generation_ = generation;
  const bool is_unkept = std::any_of(unkept_.begin(), unkept_.end(), [&](const auto& each) {
    return each.result.command == command.id;
  });
  if (is_unkept) return;  // It ended; the answer goes out as soon as it is kept.
  const auto known = store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AgentStore>().command(command.id);
  });
  if (!known) {
    env_.log.error("agent", "a command cannot be looked up", {{"why", known.error().describe()}});
    return;
  }
  if (*known) {
    if ((*known)->result.state == link::CommandState::pending) return;  // It is running.
    return keep(**known);
  }
  if (server_time_.now()) return judge(command);
  const bool is_waiting = std::any_of(waiting_.begin(), waiting_.end(),
                                      [&](const auto& each) { return each.id == command.id; });
  if (!is_waiting && waiting_.size() < limits::commands_per_node) {
    waiting_.push_back(std::move(command));
  }
}

void Commands::time_is_settled() {
  for (const auto& command : std::exchange(waiting_, {})) judge(command);
}

void Commands::judge(const link::Command& command) {
  const auto now = server_time_.now();
  if (!now) {
    return finish(command.id, link::CommandState::refused, text_of(reasons::no_server_time), {});
  }
  if (*now >= command.expires_at) {
    return finish(command.id, link::CommandState::expired, text_of(reasons::expired), {});
  }
  run(command);
}

void Commands::run(const link::Command& command) {
  link::CommandResult begun;
  begun.command = command.id;
  begun.state = link::CommandState::pending;
  begun.at = env_.clock.now();
  const auto journaled = store_.write([&](storage::Transaction& transaction) {
    return transaction.get<AgentStore>().put(JournaledCommand{begun});
  });
  if (!journaled) {
    // Not begun; the plane sends it again.
    env_.log.error("agent", "a command cannot be journaled, so it does not run",
                   {{"why", journaled.error().describe()}});
    return;
  }
  crash_at("command.after_journal");
  services_.run(command, [this, lane = lane_, id = command.id](Result<series::Value> outcome) {
    lane->post([this, id, outcome = std::move(outcome)] { ended(id, outcome); });
  });
}

void Commands::ended(link::CommandId id, const Result<series::Value>& outcome) {
  crash_at("command.after_execution");
  if (outcome) {
    const auto* text = std::get_if<std::string>(&*outcome);
    const bool is_empty = text != nullptr && text->empty();
    return finish(id, link::CommandState::done, {}, is_empty ? "" : series::to_json(*outcome));
  }
  finish(id, state_of(outcome.error()), text_of(outcome.error()), {});
}

void Commands::finish(link::CommandId id, link::CommandState state, std::string reason,
                      std::string value) {
  JournaledCommand command;
  command.result = {id, state, std::move(reason), std::move(value), env_.clock.now()};
  env_.log.info("agent", "a command ended",
                {{"command", id.to_string()},
                 {"state", std::string(to_string(state))},
                 {"reason", command.result.reason}});
  keep(command);
}

void Commands::keep(const JournaledCommand& command) {
  const auto answered = answer(command);
  if (answered) return;
  env_.log.error("agent", "a result cannot be kept yet", {{"why", answered.error().describe()}});
  unkept_.push_back(command);
  if (unkept_.size() > 1) return;  // The timer runs.
  env_.executor.post_after(keep_retry,
                           [this, lane = lane_] { lane->post([this] { keep_again(); }); });
}

void Commands::keep_again() {
  for (const auto& command : std::exchange(unkept_, {})) keep(command);
}

Result<void> Commands::answer(const JournaledCommand& command) {
  link::ReportedItem item;
  item.generation = generation_;
  item.command = command.result;
  auto kept = store_.write([&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY_VOID(transaction.get<AgentStore>().put(command));
    return buffer_.append(transaction, item);
  });
  crash_at("command.after_result");
  if (kept && on_result_) on_result_();
  return kept;
}

}  // namespace ecp::inline v0::agent
