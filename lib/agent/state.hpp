// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The parts of a running agent and how they call each other.

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include <ecp/agent/agent.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/pipeline/forwarder.hpp>
#include <ecp/transport/calls.hpp>

#include "agent/commands.hpp"
#include "agent/fault_actions.hpp"
#include "agent/lane.hpp"
#include "agent/reconciler.hpp"
#include "agent/services.hpp"

namespace ecp::inline v0::agent {

/// Everything but the callbacks runs on the lane, or before it starts, or after it closed.
///
/// Callbacks hold the lane and a plain pointer to this, which they use in tasks alone: a closed
/// lane runs none. What they use outside a task is said beside it.
class Agent::State {
 public:
  State(AgentOptions options, AgentParts parts, Env env);
  ~State();

  Result<void> open();
  Result<void> start();
  void stop() noexcept;
  [[nodiscard]] AgentStatus status() const;

 private:
  /// Run a task on the lane, now or after a delay.
  void post(void (State::*task)());
  void post_after(Milliseconds delay, void (State::*task)());

  // Services and buffer.
  void on_observations(link::EdgeServiceId service, std::vector<pipeline::Observation> seen);
  void flush();
  void note_storing(std::string problem);
  Result<void> apply(std::string_view name, std::string_view body);
  void remove(std::string_view name);
  void watch_faults(std::string_view name);
  [[nodiscard]] std::vector<link::Heartbeat::Service> service_states() const;
  void on_status();
  void status_changed();
  void pump();

  // Link.
  Result<void> open_link();
  /// Open it, and try again later when that fails.
  void reopen_link();
  void close_link() noexcept;
  void on_state(transport::LinkState state, transport::LinkLoss loss);
  void link_changed(transport::LinkState state, transport::LinkLoss loss);
  void link_up();
  void on_message(const transport::Channel& channel, const Bytes& payload);
  void take_desired(const Bytes& payload);
  void take_command(const Bytes& payload);
  void take_ack(const Bytes& payload);
  void report_again();
  void answer(const link::Question& question, const transport::AnswerHandler& reply);
  void ask_time();
  void heartbeat();
  void send_heartbeat();
  [[nodiscard]] link::Heartbeat measure_state() const;

  /// Finish later what could not be applied and reported at once.
  void settle_later();
  void settle();

  // HTTPS, beside the lane.
  void fetch_missing();
  void fetched(const std::string& sha256, const Result<std::string>& body);
  void upkeep();
  void renew_when_due();
  void renew_later();
  void refetch_link();
  void take_link_document(const Result<link::LinkDocument>& document, bool is_renewal);

  void publish();
  void write_status_file();
  [[nodiscard]] bool has_https() const { return http_ && !options_.data_folder.empty(); }

  AgentOptions options_;
  Env env_;
  std::uint64_t link_serial_ = 0;  ///< Tells the link of now from those before it.
  AgentFiles files_;
  std::shared_ptr<storage::Store> store_;  // Shared with link handlers, which may outlive this.
  std::unique_ptr<pipeline::DriverFactory> drivers_;
  std::shared_ptr<http::Client> http_;  // Shared with calls on their way.
  std::function<Result<std::unique_ptr<transport::AgentLink>>(const link::LinkDocument&)>
      make_link_;
  std::shared_ptr<Lane> lane_;  // Shared with callbacks.
  std::unique_ptr<pipeline::Buffer> buffer_;
  std::unique_ptr<pipeline::Forwarder> forwarder_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<Reconciler> reconciler_;
  std::unique_ptr<FaultActions> faults_;
  ServerTime server_time_;
  std::unique_ptr<Commands> commands_;
  std::shared_ptr<transport::AgentLink> link_;             // Shared with its message handler.
  std::shared_ptr<transport::AgentCalls> calls_;           // Likewise.
  std::shared_ptr<std::atomic<std::int64_t>> connection_;  // Shared with the presence handler.

  std::atomic<bool> flush_is_due_ = false;   ///< Also set by drivers' threads.
  std::atomic<bool> is_clock_off_ = false;   ///< Read there. As the server said last.
  std::atomic<bool> status_is_due_ = false;  ///< Likewise.
  bool is_linked_ = false;
  std::string unstored_;  ///< Why samples wait in memory; empty while they do not.
  int failed_connects_ = 0;
  bool is_fetching_ = false;
  bool is_settling_ = false;
  bool is_refetching_ = false;
  bool is_renewing_ = false;  ///< Or about to be tried again.
  int fetch_failures_ = 0;
  std::string told_facts_;     ///< Of the last whole heartbeat of this session; empty before it.
  SteadyTime told_at_{};       ///< And when it was sent.
  std::uint64_t session_ = 0;  ///< Counts link_up, so that old answers are told apart.
  SteadyTime pump_at_ = SteadyTime::max();
  SteadyTime time_asked_{};
  std::string status_text_;
  bool is_stopped_ = false;
  mutable std::mutex mutex_;  // Guards status_ alone.
  AgentStatus status_;
};

}  // namespace ecp::inline v0::agent
