// SPDX-License-Identifier: Apache-2.0
#include "agent/commands.hpp"

#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/pipeline/reasons.hpp>

#include "agent/error_text.hpp"
#include "core/crash_point.hpp"
#include "core/text.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr auto journal_life = std::chrono::hours{24 * 7};  // Much longer than any command's.
constexpr auto keep_retry = Milliseconds{2'000};
constexpr std::size_t tag_reason = 250;  // Octets, of one data tag among several.

/// One of us said no, and the device was not touched.
bool is_refusal(const Error& error) {
  return pipeline::is_refusal(error) || error.code() == ErrorCode::not_found ||
         error.code() == ErrorCode::unimplemented || error.is(pipeline::reasons::stopped) ||
         error.is(pipeline::reasons::not_written);
}

link::CommandState state_of(const Error& error) {
  if (is_refusal(error)) return link::CommandState::refused;
  return error.is(pipeline::reasons::write_unknown) ? link::CommandState::unknown
                                                    : link::CommandState::failed;
}

std::vector<pipeline::WriteOrder> orders_of(const link::Command& command,
                                            const FaultActions& faults) {
  std::vector<pipeline::WriteOrder> orders;
  const auto add = [&](const std::string& tag, const std::string& value_json) {
    orders.push_back({tag, value_json, faults.since_write(command.service, tag)});
  };
  if (command.action == "write") add(command.tag, command.value_json);
  for (const auto& write : command.writes) add(write.tag, write.value_json);
  return orders;
}

std::vector<std::string_view> tags_of(const link::Command& command) {
  std::vector<std::string_view> tags;
  if (!command.tag.empty()) tags.push_back(command.tag);
  for (const auto& write : command.writes) tags.push_back(write.tag);
  return tags;
}

bool share_a_tag(const link::Command& left, const link::Command& right) {
  const auto ours = tags_of(left);
  const auto theirs = tags_of(right);
  return std::find_first_of(ours.begin(), ours.end(), theirs.begin(), theirs.end()) != ours.end();
}

link::TagResult result_of(const std::string& tag, const Result<series::Value>& result) {
  if (result) return {tag, link::CommandState::done, {}, series::to_json(*result)};
  return {tag, state_of(result.error()), text::clip(text_of(result.error()), tag_reason), {}};
}

/// All together: done when all are, else unknown before failed before refused, with the first
/// reason.
void sum_up(link::CommandResult& result) {
  using State = link::CommandState;
  result.state = State::done;
  const link::TagResult* first = nullptr;
  for (const auto& each : result.results) {
    if (each.state == State::done) continue;
    const bool is_worse = result.state == State::done || each.state == State::unknown ||
                          (each.state == State::failed && result.state == State::refused);
    if (is_worse) result.state = each.state;
    const bool is_told = each.reason.find(pipeline::reasons::not_written.symbol) != 0;
    if (is_told && first == nullptr) first = &each;
  }
  if (first != nullptr) result.reason = first->reason + " (" + first->tag + ")";
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
                   FaultActions& faults, const ServerTime& server_time, std::shared_ptr<Lane> lane,
                   Env env)
    : store_(store),
      buffer_(buffer),
      services_(services),
      faults_(faults),
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
  const auto is_this = [&](const auto& each) { return each.id == command.id; };
  if (std::any_of(held_.begin(), held_.end(), is_this)) return;
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
  const bool is_waiting = std::any_of(waiting_.begin(), waiting_.end(), is_this);
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

bool Commands::begin(link::CommandId id, const std::vector<GuardedTag>& tags) {
  link::CommandResult begun;
  begun.command = id;
  begun.state = link::CommandState::pending;
  begun.at = env_.clock.now();
  const auto journaled = store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<AgentStore>();
    for (const auto& tag : tags) ECP_TRY_VOID(store.put(tag));
    return store.put(JournaledCommand{begun});
  });
  if (!journaled) {
    // Not begun; the plane sends it again.
    env_.log.error("agent", "a command cannot be journaled, so it does not run",
                   {{"why", journaled.error().describe()}});
    return false;
  }
  crash_at("command.after_journal");
  return true;
}

void Commands::run(const link::Command& command) {
  if (command.action == "write" || command.action == "write_tags") return run_write(command);
  if (!begin(command.id, {})) return;
  const auto outcome = services_.control(command.service, command.action);
  crash_at("command.after_execution");
  if (outcome) return finish(command.id, link::CommandState::done, {}, {});
  finish(command.id, state_of(outcome.error()), text_of(outcome.error()), {});
}

bool Commands::must_wait(const link::Command& command) const {
  const auto share = [&](const link::Command& other) {
    return other.service == command.service && share_a_tag(other, command);
  };
  return std::any_of(writing_.begin(), writing_.end(), share) ||
         std::any_of(held_.begin(), held_.end(), share);
}

void Commands::write_ended(link::CommandId id) {
  std::erase_if(writing_, [&](const auto& each) { return each.id == id; });
  for (const auto& command : std::exchange(held_, {})) judge(command);
}

void Commands::run_write(const link::Command& command) {
  if (must_wait(command)) {
    if (held_.size() < limits::commands_per_node) held_.push_back(command);
    return;  // Beyond it, it is sent again.
  }
  const auto orders = orders_of(command, faults_);
  const auto refused = services_.refusals(command.service, orders);
  if (!refused) return wrote(command, pipeline::WriteResults(orders.size(), refused.error()));
  if (*refused) return wrote(command, **refused);
  const auto tags = faults_.after_write(command.service, orders);
  if (!begin(command.id, tags)) return;
  faults_.wrote(tags);
  writing_.push_back(command);
  services_.write(command.service, orders, false,
                  [this, lane = lane_, command](pipeline::WriteResults results) {
                    lane->post([this, command, results = std::move(results)] {
                      crash_at("command.after_execution");
                      wrote(command, results);
                      write_ended(command.id);
                    });
                  });
}

void Commands::wrote(const link::Command& command, const pipeline::WriteResults& results) {
  JournaledCommand done;
  auto& result = done.result;
  result.command = command.id;
  result.at = env_.clock.now();
  if (command.action == "write") {
    auto one = result_of(command.tag, results.at(0));
    result.state = one.state;
    result.reason = std::move(one.reason);
    result.value_json = std::move(one.value_json);
  } else {
    for (std::size_t i = 0; i < results.size(); ++i) {
      result.results.push_back(result_of(command.writes.at(i).tag, results[i]));
    }
    sum_up(result);
  }
  finish(done);
}

void Commands::finish(link::CommandId id, link::CommandState state, std::string reason,
                      std::string value) {
  JournaledCommand command;
  command.result = {id, state, std::move(reason), std::move(value), env_.clock.now(), {}};
  finish(command);
}

void Commands::finish(const JournaledCommand& command) {
  env_.log.info("agent", "a command ended",
                {{"command", command.result.command.to_string()},
                 {"state", std::string(to_string(command.result.state))},
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
