// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/command.hpp>

#include <algorithm>
#include <atomic>

#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/fleet/reasons.hpp>
#include <ecp/platform/live_events.hpp>
#include <ecp/rbac/authorizer.hpp>

namespace ecp::inline v0::fleet {
namespace {

constexpr Milliseconds result_patience{30'000};  ///< For a result on its way after the expiry.
constexpr Milliseconds resend_after{5'000};
constexpr Milliseconds keep_finished{30LL * 24 * 3'600'000};
constexpr Milliseconds cleanup_interval{3'600'000};
constexpr std::int64_t swept_at_once = 500;
constexpr std::int64_t most_reconsidered = 500;                  ///< Of a node, the newest ones.
constexpr Milliseconds known_at_the_edge{7LL * 24 * 3'600'000};  ///< So long it keeps results.
constexpr int most_asked_again = 50;                             ///< When a node connects.

audit::Subject subject_of(const Command& command) {
  return {"command", command.what.id.to_string(), command.what.action};
}

bool is_for(const Command& command, const Reason& reason) {
  return command.reason.starts_with(reason.symbol);
}

/// Not by its edge node, which may know better.
bool is_ended_here(const Command& command) {
  return is_for(command, reasons::no_result) || is_for(command, reasons::not_sent) ||
         is_for(command, reasons::perhaps_sent) || is_for(command, reasons::disk_put_back);
}

/// A disk that was put back does not remember, and would run what has not expired a second time.
bool may_be_asked_for(const Command& command, Time now) {
  return is_ended_here(command) &&
         (!is_for(command, reasons::disk_put_back) || command.what.expires_at <= now);
}

/// What a node says of a command that its earlier disk may have run: that it came too late.
bool is_forgetful(const Command& command, const link::CommandResult& result) {
  return is_for(command, reasons::disk_put_back) && result.state == link::CommandState::expired;
}

std::string live_json(const Command& command) {
  json::Writer writer;
  writer.begin_object()
      .field("id", command.what.id.to_string())
      .field("service", command.what.service.to_string())
      .field("action", command.what.action)
      .field("tag", command.what.tag)
      .field("state", link::to_string(command.state))
      .field("reason", command.reason)
      .key("value");
  if (command.value_json.empty()) {
    writer.null();
  } else {
    writer.raw(command.value_json);
  }
  return writer.end_object().take();
}

}  // namespace

struct CommandEngine::State : std::enable_shared_from_this<CommandEngine::State> {
  State(storage::Store& store_in, const rbac::Authorizer& authorizer_in,
        platform::LiveEvents& live_in, Env env_in)
      : store(store_in), authorizer(authorizer_in), live(live_in), env(env_in) {}

  void send(const Command& command) {
    auto* const out = gateway.load();
    if (out == nullptr) return;
    out->send(command.node, {transport::ChannelKind::command, {}, {}}, link::to_json(command.what),
              [](const Result<void>&) {});  // Sent again until a result comes or time is up.
  }
  void publish_after_commit(storage::Transaction& transaction, const Command& command) {
    transaction.after_commit([state = shared_from_this(), command] {
      state->live.publish({command.organization, command.project}, "command", live_json(command));
    });
  }
  Result<void> audit_end(storage::Transaction& transaction, const Command& command);
  Result<void> end(storage::Transaction& transaction, Command command, link::CommandState state,
                   const Reason& reason);
  Result<void> resend(EdgeNodeId node);
  Result<bool> end_overdue(storage::Transaction& transaction, CommandId id);
  Result<void> clean();

  storage::Store& store;
  const rbac::Authorizer& authorizer;
  platform::LiveEvents& live;
  Env env;
  std::atomic<transport::AgentGateway*> gateway = nullptr;
  std::atomic<std::int64_t> next_cleanup_ms = 0;
};

/// Record that a node's commands leave, durably, then let them; what is unknown here may be known
/// there.
Result<void> CommandEngine::State::resend(EdgeNodeId node) {
  const auto now = env.clock.now();
  const auto live_of = [&](storage::Transaction& transaction) -> Result<std::vector<Command>> {
    ECP_TRY(auto pending, transaction.get<CommandStore>().list_pending(node));
    pending.erase(std::remove_if(pending.begin(), pending.end(),
                                 [now](const Command& c) { return c.what.expires_at <= now; }),
                  pending.end());
    return pending;
  };
  ECP_TRY(auto pending, store.read(live_of));
  const bool all_marked = std::all_of(pending.begin(), pending.end(),
                                      [](const Command& c) { return c.sent_at.has_value(); });
  if (!all_marked) {
    ECP_TRY(pending,
            store.write([&](storage::Transaction& transaction) -> Result<std::vector<Command>> {
              ECP_TRY(auto commands, live_of(transaction));
              for (auto& command : commands) {
                if (command.sent_at) continue;
                command.sent_at = now;
                ECP_TRY_VOID(transaction.get<CommandStore>().update(command));
              }
              return commands;
            }));
  }
  ECP_TRY(const auto unknown, store.read([&](storage::Transaction& transaction) {
    return transaction.get<CommandStore>().list_unknown(node, now - known_at_the_edge,
                                                        most_reconsidered);
  }));
  for (const auto& command : pending) send(command);
  int asked = 0;
  for (const auto& command : unknown) {
    if (!may_be_asked_for(command, now)) continue;
    send(command);
    if (++asked == most_asked_again) break;
  }
  return {};
}

/// True when the command ended. What was never sent did not run; of anything else we do not know.
Result<bool> CommandEngine::State::end_overdue(storage::Transaction& transaction, CommandId id) {
  auto& commands = transaction.get<CommandStore>();
  ECP_TRY(auto command, commands.find(id));
  const auto now = env.clock.now();
  if (!command || command->state != link::CommandState::pending) return false;
  if (now < command->what.expires_at + (command->sent_at ? result_patience : Milliseconds(0))) {
    return false;
  }
  const bool was_sent = command->sent_at.has_value();
  ECP_TRY_VOID(end(transaction, std::move(*command),
                   was_sent ? link::CommandState::unknown : link::CommandState::expired,
                   was_sent ? reasons::no_result : reasons::not_sent));
  return true;
}

Result<void> CommandEngine::State::end(storage::Transaction& transaction, Command command,
                                       link::CommandState state, const Reason& reason) {
  command.state = state;
  command.reason = Error(reason).describe();
  command.finished_at = env.clock.now();
  ECP_TRY_VOID(transaction.get<CommandStore>().update(command));
  ECP_TRY_VOID(audit_end(transaction, command));
  publish_after_commit(transaction, command);
  return {};
}

/// An end that no agent told.
Result<void> CommandEngine::State::audit_end(storage::Transaction& transaction,
                                             const Command& command) {
  const auto grant = authorizer.system("fleet.commands", {command.organization, command.project});
  return audit::append(
      transaction, grant, operations::command_result, subject_of(command),
      {{"state", std::string(link::to_string(command.state))}, {"reason", command.reason}});
}

Result<void> CommandEngine::State::clean() {
  const auto now = env.clock.now();
  if (to_ms(now) < next_cleanup_ms) return {};
  next_cleanup_ms = to_ms(now + cleanup_interval);
  return store.write([&](storage::Transaction& transaction) {
    return transaction.get<CommandStore>().remove_finished(now - keep_finished);
  });
}

CommandEngine::CommandEngine(storage::Store& store, const rbac::Authorizer& authorizer,
                             platform::LiveEvents& live, Env env)
    : state_(std::make_shared<State>(store, authorizer, live, env)) {}

CommandEngine::~CommandEngine() { stop(); }

void CommandEngine::start(transport::AgentGateway& gateway) { state_->gateway = &gateway; }

void CommandEngine::stop() noexcept { state_->gateway = nullptr; }

Result<void> CommandEngine::submit(storage::Transaction& transaction, Command command) {
  auto& commands = transaction.get<CommandStore>();
  ECP_TRY(const auto waiting, commands.count_pending(command.node));
  if (waiting >= static_cast<std::int64_t>(limits::commands_per_node)) {
    return Error(reasons::too_many_commands,
                 {{"limit", std::to_string(limits::commands_per_node)}});
  }
  ECP_TRY_VOID(commands.insert(command));
  if (!command.sent_at) return {};  // Leaves when the node connects.
  transaction.after_commit(
      [state = state_, command = std::move(command)] { state->send(command); });
  return {};
}

Result<void> CommandEngine::finish(storage::Transaction& transaction, EdgeNodeId node,
                                   const link::CommandResult& result) {
  auto& commands = transaction.get<CommandStore>();
  ECP_TRY(auto command, commands.find(result.command));
  if (!command || command->node != node) return {};
  // A database that was put back may even hold for never sent what ran.
  const bool open = command->state == link::CommandState::pending ||
                    command->state == link::CommandState::unknown || is_ended_here(*command);
  if (!open || result.state == link::CommandState::pending) return {};
  if (result.state == command->state) return {};  // It does not know either.
  if (is_forgetful(*command, result)) return {};
  command->state = result.state;
  command->reason = result.reason;
  command->value_json = result.value_json;
  command->results = result.results;
  command->finished_at = state_->env.clock.now();
  ECP_TRY_VOID(commands.update(*command));
  const audit::Circumstance circumstance{
      {access::PrincipalKind::agent, node.bytes(), "certificate"},
      {command->organization, command->project},
      {}};
  const auto outcome =
      result.state == link::CommandState::refused ? audit::Outcome::denied : audit::Outcome::done;
  audit::Details details{{"state", std::string(link::to_string(result.state))},
                         {"reason", result.reason},
                         {"value", result.value_json}};
  if (!result.results.empty()) details.emplace_back("results", link::to_json(result.results));
  ECP_TRY_VOID(audit::append_unauthenticated(transaction, state_->env, circumstance,
                                             operations::command_result, outcome,
                                             subject_of(*command), std::move(details)));
  state_->publish_after_commit(transaction, *command);
  return {};
}

Result<void> CommandEngine::reconsider(storage::Transaction& transaction, EdgeNodeId node) {
  auto& commands = transaction.get<CommandStore>();
  ECP_TRY(auto unsent, commands.list_unsent(node, most_reconsidered));
  const auto now = state_->env.clock.now();
  for (auto& command : unsent) {
    // The edge would call what it has forgotten expired.
    if (command.what.expires_at < now - known_at_the_edge) continue;
    command.sent_at = now;
    if (command.state == link::CommandState::pending) {
      ECP_TRY_VOID(commands.update(command));
    } else {
      ECP_TRY_VOID(
          state_->end(transaction, command, link::CommandState::unknown, reasons::perhaps_sent));
    }
    transaction.after_commit([state = state_, command] { state->send(command); });
  }
  return {};
}

Result<void> CommandEngine::distrust(storage::Transaction& transaction, EdgeNodeId node) {
  auto& commands = transaction.get<CommandStore>();
  ECP_TRY(auto doubtful, commands.list_pending(node));
  std::erase_if(doubtful, [](const Command& command) { return !command.sent_at; });
  const auto since = state_->env.clock.now() - known_at_the_edge;
  ECP_TRY(const auto unknown, commands.list_unknown(node, since, most_reconsidered));
  for (const auto& command : unknown) {
    const bool is_known_to_be = is_for(command, reasons::disk_put_back);
    if (is_ended_here(command) && !is_known_to_be) doubtful.push_back(command);
  }
  for (auto& command : doubtful) {
    ECP_TRY_VOID(state_->end(transaction, std::move(command), link::CommandState::unknown,
                             reasons::disk_put_back));
  }
  return {};
}

void CommandEngine::resend(EdgeNodeId node) {
  if (auto done = state_->resend(node); !done) {
    state_->env.log.warning("fleet", "commands of an edge node could not be sent",
                            {{"node", node.to_string()}, {"error", done.error().describe()}});
  }
}

Result<std::int64_t> CommandEngine::sweep() {
  ECP_TRY_VOID(state_->clean());
  const auto now = state_->env.clock.now();
  ECP_TRY(const auto pending, state_->store.read([&](storage::Transaction& transaction) {
    return transaction.get<CommandStore>().list_pending(swept_at_once);
  }));
  std::int64_t ended = 0;
  for (const auto& command : pending) {
    if (command.what.expires_at > now) {
      if (command.sent_at && *command.sent_at + resend_after <= now) state_->send(command);
      continue;
    }
    ECP_TRY(const bool done, state_->store.write([&](storage::Transaction& transaction) {
      return state_->end_overdue(transaction, command.what.id);
    }));
    if (done) ++ended;
  }
  return ended;
}

}  // namespace ecp::inline v0::fleet
