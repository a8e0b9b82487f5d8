// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Durable store-and-forward: samples and journals wait here, numbered, until the control plane has
/// taken them.

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/alarm_evaluator.hpp>
#include <ecp/pipeline/buffer_store.hpp>
#include <ecp/pipeline/observation.hpp>
#include <ecp/series/sample.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::pipeline {

struct BufferOptions {
  std::size_t max_bytes = 256 * mebibyte;  ///< Of stored samples; the oldest go first.
};

/// What is being waited for in one stream.
struct Backlog {
  std::int64_t samples = 0;  ///< Stored and not acknowledged.
  std::int64_t dropped = 0;  ///< Ever, in all streams.
};

/// The buffer. Numbers belong to its `buffer_id` and never restart in it; what has no committed
/// number is never handed out.
///
/// Transactions: its own units of work on the store.
/// Thread safety: `add` any thread; everything else one thread at a time (the agent's lane).
class ECP_EXPORT Buffer {
 public:
  /// `store` has the module pipeline_module() and outlives the buffer.
  [[nodiscard]] static Result<std::unique_ptr<Buffer>> open(storage::Store& store,
                                                            BufferOptions options, Env env);
  ~Buffer();

  /// Take what a service saw into memory until the next flush.
  void add(link::EdgeServiceId service, std::vector<Observation> observations);
  /// Replace the alarm rules; the state of rules that stay is kept.
  Result<void> set_rules(link::EdgeAlarmRules rules);
  /// Number and commit what was added, together with the alarm transitions it causes; true when
  /// anything was stored. On failure everything waits for the next flush.
  Result<bool> flush();

  /// Add to a journal, in a unit of the caller's or in one of its own.
  Result<void> append(storage::Transaction& transaction, const link::ReportedItem& item);
  Result<void> append(const link::ReportedItem& item);
  Result<void> append(storage::Transaction& transaction, const link::AgentEvent& event);
  Result<void> append(const link::AgentEvent& event);

  [[nodiscard]] const std::string& id() const noexcept { return state_.buffer_id; }
  /// Whether an ack answers what this buffer sent, since it was opened.
  [[nodiscard]] bool is_for(const link::Ack& ack) const noexcept;
  [[nodiscard]] std::vector<std::string> streams() const;
  /// First number not yet given, of a stream.
  [[nodiscard]] std::int64_t next_number(std::string_view stream) const;
  /// Whole chunks from the first at or after `from`, without a hole, up to `max_bytes`; none when
  /// there is nothing. `late` is set on samples older than `late_before`. A chunk that cannot be
  /// read is dropped, with an event, so that it holds up none after it.
  struct Batch {
    link::TelemetryHead head;
    Bytes body;
  };
  Result<std::optional<Batch>> batch(std::string_view stream, std::int64_t from, std::int64_t upto,
                                     std::size_t max_bytes, Time late_before);
  /// Oldest items of a journal as its batch document, and the last number in it; none when empty.
  /// An item that cannot be read is dropped, with an event, so that it holds up none after it.
  struct JournalPart {
    std::int64_t last = 0;
    std::string document;
  };
  Result<std::optional<JournalPart>> journal_part(std::string_view journal);
  /// A batch without items that says where a journal ends, for a plane that may have been put back
  /// to an earlier state, as may this buffer; empty while items wait, which say it themselves.
  Result<std::string> journal_end(std::string_view journal);
  /// Remove what the plane has taken. An ack of another buffer_id or life, or of numbers never
  /// given, is ignored; the latter and `renew` make a new buffer_id, renumber what is left, tell
  /// all alarms again and write an event; the answer is then true and everything is to be sent
  /// again.
  Result<bool> acknowledge(const link::Ack& ack);
  [[nodiscard]] Backlog backlog() const;

 private:
  /// Observations of one service that have no numbers yet.
  struct Pending {
    std::vector<Observation> observations;
    std::int64_t lost = 0;  ///< Given up before they were stored; numbered as dropped.
    void append(std::vector<Observation> later);
  };
  struct Flush;  ///< What a flush changes; taken over when it is committed.
  Buffer(storage::Store& store, BufferOptions options, Env env);
  Result<void> load();
  Result<void> commit(const std::map<link::EdgeServiceId, Pending>& pending);
  void put_back(std::map<link::EdgeServiceId, Pending> pending);
  void give_up_oldest();
  [[nodiscard]] Result<link::TelemetryHead> head_of(std::string_view stream, std::int64_t first,
                                                    std::int64_t last);
  Result<void> drop_unreadable(const Chunk& chunk, const Error& why);
  Result<void> drop_unreadable(std::string_view journal, std::int64_t number, const Error& why);
  Result<void> renew(std::string_view why);
  Result<void> drop_oldest(BufferStore& store, BufferState& state) const;
  Result<bool> acknowledge_journal(const link::Ack& ack);
  Result<bool> acknowledge_stream(const link::Ack& ack);

  storage::Store& store_;
  BufferOptions options_;
  Env env_;
  std::string life_;  ///< See link::TelemetryHead.
  BufferState state_;
  AlarmEvaluator evaluator_;
  mutable std::mutex mutex_;  // Guards pending_ alone.
  std::map<link::EdgeServiceId, Pending> pending_;
  std::size_t pending_count_ = 0;
};

}  // namespace ecp::inline v0::pipeline
