// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What both kinds of loopback ends share.

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <ecp/transport/loopback.hpp>

#include "transport/inbox.hpp"

namespace ecp::inline v0::transport {

namespace loopback {

/// The shared core of a link; outlives it while tasks are on their way.
struct LinkEnd : std::enable_shared_from_this<LinkEnd> {
  LinkEnd(std::shared_ptr<LoopbackNetwork::State> net, link::AgentId id, Env world,
          Milliseconds longest_wait);

  void connect();                  ///< On the executor: one attempt.
  void retry_later(LinkLoss why);  ///< Tell the owner and set the timer.
  void lose(LinkLoss why);         ///< The network broke the connection.

  const std::shared_ptr<LoopbackNetwork::State> network;
  const link::AgentId agent;
  const Env env;
  const std::shared_ptr<Inbox> inbox;
  std::mutex mutex;
  Milliseconds reconnect_cap;
  LinkHandlers handlers;
  bool started = false;
  bool stopped = false;
  bool up = false;
  unsigned attempt = 0;
  TimerId timer = TimerId::none;
  std::size_t pending = 0;  ///< Sends whose DoneHandler has not run.
};

struct GatewayEnd {
  explicit GatewayEnd(Env world, std::string name);
  const Env env;
  const std::string replica;
  const std::shared_ptr<Inbox> inbox;
  GatewayHandlers handlers;
};

/// One established connection.
struct Connection {
  std::shared_ptr<LinkEnd> link;
  Bytes will;
  std::uint64_t number = 0;  ///< Messages of an older connection are lost.
};

/// Whose messages keep their order: those to a receiver, or of a channel to it.
struct Way {
  const void* receiver = nullptr;
  std::string channel;  ///< Empty while channels do not overtake each other.
  friend auto operator<=>(const Way&, const Way&) = default;
};

/// Messages on their way, in order.
struct Pipe {
  SteadyTime last_due{};
  std::deque<Task> tasks;
};

}  // namespace loopback

/// The network itself. All members are guarded by `mutex`; no handler runs under it.
struct LoopbackNetwork::State : std::enable_shared_from_this<LoopbackNetwork::State> {
  explicit State(Env world) : env(world) {}

  /// Make a connection; false when the network does not let it (`why` says so).
  bool join(const std::shared_ptr<loopback::LinkEnd>& link, Bytes will, LinkLoss& why);
  /// End the connection of that link, if it still is the one.
  void leave(const loopback::LinkEnd& link, bool with_will);
  void break_connection(link::AgentId agent, LinkLoss why);
  void break_all();
  Result<void> send_up(link::AgentId agent, const Channel& channel, Bytes payload);
  Result<void> send_down(link::AgentId agent, const Channel& channel, Bytes payload);

  const Env env;
  std::mutex mutex;
  std::vector<std::shared_ptr<loopback::GatewayEnd>> gateways;  ///< Started ones.
  std::map<link::AgentId, loopback::Connection> connections;
  std::set<link::AgentId> denied;
  std::set<link::AgentId> cut;
  bool all_cut = false;
  LoopbackFaults faults;

 private:
  bool draw(unsigned thousandths);
  void carry(const loopback::Way& way, const Task& delivery);
  [[nodiscard]] std::vector<std::shared_ptr<loopback::GatewayEnd>> receivers_of(
      const Channel& channel);
  bool deliver_up(link::AgentId agent, const Channel& channel, const Bytes& payload);

  std::uint64_t next_number_ = 1;
  std::map<loopback::Way, loopback::Pipe> pipes_;
};

}  // namespace ecp::inline v0::transport
