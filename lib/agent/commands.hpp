// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Effects: journaled before they run, run at most once, answered through the reported journal.

#include <memory>
#include <optional>
#include <vector>

#include <ecp/agent/agent_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/storage/store.hpp>

#include "agent/fault_actions.hpp"
#include "agent/lane.hpp"
#include "agent/services.hpp"

namespace ecp::inline v0::agent {

/// The server's time, known from a round trip of this session.
class ServerTime {
 public:
  explicit ServerTime(const Clock& clock) : clock_(clock) {}
  /// The server said `time` in answer to a question asked at `asked`.
  void learn(Time time, SteadyTime asked);
  [[nodiscard]] std::optional<Time> now() const;

 private:
  const Clock& clock_;
  std::optional<Time> time_;
  SteadyTime at_{};
};

/// Thread safety: the agent's lane alone.
class Commands {
 public:
  Commands(storage::Store& store, pipeline::Buffer& buffer, Services& services,
           FaultActions& faults, const ServerTime& server_time, std::shared_ptr<Lane> lane,
           Env env);

  /// What was running when the agent ended is unknown, and is never run again.
  Result<void> boot();
  /// Take a command; a known id answers its journaled result. While the server's time is not known
  /// it waits for `time_is_settled`.
  void take(link::Command command, link::Generation generation);
  /// The server's time is known now, or will not be: deal with what waits.
  void time_is_settled();
  /// Called after each result was journaled.
  void on_result(std::function<void()> handler) { on_result_ = std::move(handler); }

 private:
  void judge(const link::Command& command);
  void run(const link::Command& command);
  void run_write(const link::Command& command);
  /// Whether a write must wait until another one of the same data tag has ended, which was asked
  /// for before: guards are judged by what that leaves, and its read-back must be its own.
  [[nodiscard]] bool must_wait(const link::Command& command) const;
  /// A write has ended: judge those that waited.
  void write_ended(link::CommandId id);
  /// Journal that a command runs now, with what its writes mean for guards; false when that fails.
  bool begin(link::CommandId id, const std::vector<GuardedTag>& tags);
  void wrote(const link::Command& command, const pipeline::WriteResults& results);
  void finish(link::CommandId id, link::CommandState state, std::string reason, std::string value);
  void finish(const JournaledCommand& command);
  /// Keep a result and have it reported; when that fails, again and again.
  void keep(const JournaledCommand& command);
  void keep_again();
  Result<void> answer(const JournaledCommand& command);

  storage::Store& store_;
  pipeline::Buffer& buffer_;
  Services& services_;
  FaultActions& faults_;
  const ServerTime& server_time_;
  std::shared_ptr<Lane> lane_;  // Shared with the agent and its callbacks.
  Env env_;
  link::Generation generation_;
  std::function<void()> on_result_;
  std::vector<link::Command> waiting_;    ///< For the server's time.
  std::vector<link::Command> writing_;    ///< Writes at the devices.
  std::vector<link::Command> held_;       ///< Writes that wait for others of the same data tag.
  std::vector<JournaledCommand> unkept_;  ///< Results that could not be journaled yet.
};

}  // namespace ecp::inline v0::agent
