// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Sends what the buffer holds, until it is acknowledged.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/transport/channel.hpp>

namespace ecp::inline v0::pipeline {

/// Where a message goes; `done` is called later, once at most, on the forwarder's own thread.
using SendFunction =
    std::function<void(transport::Channel, Bytes payload, transport::DoneHandler done)>;

/// Keeps at most limits::batches_in_flight batches of each stream under way, of which a backlog
/// never takes the last two, so that new samples pass it; and one batch of each journal. The oldest
/// is sent again after 5 s, doubling to 60 s, jittered, everything after a reconnection, and what
/// was not even accepted, because nobody listens behind the broker, after half a second.
///
/// With an interval, new samples gather for so long, or until they fill a batch: a link that is
/// paid by the octet carries fewer and better filled messages. Journals never wait.
///
/// Ownership: outlives the calls of `done`.
/// Thread safety: one thread at a time (the agent's lane).
class ECP_EXPORT Forwarder {
 public:
  Forwarder(Buffer& buffer, SendFunction send, Env env, Milliseconds interval = {});

  /// The link is up: everything unacknowledged is to be sent (again).
  void link_up(std::size_t max_payload);
  void link_down();
  /// Say where the journals end, as link_up does: the plane may have been put back since.
  void tell_ends();
  /// An ack arrived; the buffer has taken it. `restarted` when the buffer has a new id.
  void acknowledged(const link::Ack& ack, bool restarted);
  /// Send what may be sent now. Call it after a flush, an ack, a link_up and at `wake_at`.
  void pump();
  /// When pump is to be called though nothing happens; max() when nothing is under way
  /// or the link is down. Always in the future when pump has just been called.
  [[nodiscard]] SteadyTime wake_at() const;

 private:
  struct Flight {
    std::int64_t first = 0;
    std::int64_t last = 0;
    SteadyTime again;
    Milliseconds wait{0};
    bool is_refused = false;  ///< By the next hop; nobody can have it.
  };
  struct Stream {
    std::vector<Flight> flights;
    std::int64_t backlog = 1;                 ///< Next number of the backlog to send.
    std::int64_t backlog_end = 1;             ///< First number that is not backlog.
    std::int64_t live = 1;                    ///< Next new number to send.
    SteadyTime live_due = SteadyTime::max();  ///< When those that gather are sent.
  };
  Stream& stream(const std::string& name);
  void pump_stream(const std::string& name);
  /// False while new samples gather.
  bool is_live_due(const std::string& name, Stream& stream);
  void pump_end(const std::string& name);
  void pump_journal(std::string_view name);
  /// Send from a number on; return the number after what was sent, `from` when there was nothing.
  std::int64_t send_from(const std::string& name, Stream& stream, std::int64_t from,
                         std::int64_t upto);
  /// False when there is nothing, or when the buffer could not be read: then `failures_` has grown
  /// and `retry_at_` is set.
  bool send_batch(const std::string& name, std::int64_t from, std::int64_t upto, Flight& flight);
  void send_again(const std::string& name, Stream& stream);
  void refused(const std::string& name, std::int64_t first);
  void refused_journal(const std::string& name);
  void schedule(Flight& flight);
  void schedule_soon(Flight& flight);

  Buffer& buffer_;
  SendFunction send_;
  Env env_;
  Milliseconds interval_;
  bool is_up_ = false;
  std::size_t max_payload_ = 0;
  std::uint64_t failures_ = 0;               ///< Reads of the buffer that failed.
  SteadyTime retry_at_ = SteadyTime::max();  ///< When to read again after one.
  std::map<std::string, Stream, std::less<>> streams_;
  std::map<std::string, Flight, std::less<>> journals_;
  std::map<std::string, Flight, std::less<>> ends_;  ///< Where journals end, not yet answered.
};

}  // namespace ecp::inline v0::pipeline
