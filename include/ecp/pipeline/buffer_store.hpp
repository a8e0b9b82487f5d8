// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the buffer. Its SQL lives in lib/storage/sql/pipeline/.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/alarm_evaluator.hpp>

namespace ecp::inline v0::pipeline {

/// Stored samples with consecutive numbers.
struct Chunk {
  std::string stream;
  std::int64_t first = 0;
  std::int64_t last = 0;
  Bytes body;  ///< Coded by series.
};

/// What is known of the whole buffer.
struct BufferState {
  std::string buffer_id;
  std::map<std::string, std::int64_t, std::less<>> next;  ///< Next number of each stream.
  /// Of each stream, the last number whose sample had another one in an earlier buffer.
  std::map<std::string, std::int64_t, std::less<>> renumbered;
  std::int64_t position = 0;  ///< Order of chunks over all streams.
  std::int64_t dropped = 0;   ///< Samples ever dropped.
  std::int64_t bytes = 0;     ///< Of all chunks.
  std::int64_t samples = 0;   ///< In all chunks.
  /// Numbers given under earlier buffer_ids, less those that were given anew under this one.
  std::int64_t given_before = 0;
  bool is_renewed = false;  ///< Not the first buffer_id: the plane may know more than this buffer.

  /// Samples ever given a number, each counted once.
  [[nodiscard]] std::int64_t committed() const {
    std::int64_t sum = given_before;
    for (const auto& [stream, number] : next) sum += number - 1;
    return sum;
  }
};

/// Durable chunks, journals, dropped ranges and alarm memories.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
class ECP_EXPORT BufferStore {
 public:
  static constexpr std::string_view store_name = "pipeline.buffer";
  virtual ~BufferStore();

  /// An empty buffer_id when there is none yet.
  virtual Result<BufferState> load() = 0;
  /// Store all but position, bytes and samples, which follow from the chunks.
  virtual Result<void> save(const BufferState& state) = 0;

  virtual Result<void> insert(const Chunk& chunk, std::int64_t position) = 0;
  /// Chunks of a stream whose last number is at least `from`, in order, at most `limit`.
  virtual Result<std::vector<Chunk>> list(std::string_view stream, std::int64_t from,
                                          std::int64_t limit) = 0;
  /// The oldest of all streams, without bodies.
  struct Oldest {
    Chunk chunk;
    std::int64_t bytes = 0;
  };
  virtual Result<std::vector<Oldest>> oldest(std::int64_t limit) = 0;
  /// Remove chunks that lie within [first, last]; return samples and octets removed.
  struct Removed {
    std::int64_t samples = 0;
    std::int64_t bytes = 0;
  };
  virtual Result<Removed> remove(std::string_view stream, std::int64_t first,
                                 std::int64_t last) = 0;
  /// Give a chunk other numbers.
  virtual Result<void> renumber(const Chunk& chunk, std::int64_t first) = 0;
  /// First number stored of a stream; none when it has no chunks.
  virtual Result<std::optional<std::int64_t>> lowest(std::string_view stream) = 0;

  /// Dropped ranges of a stream that no ack has covered, merged, in order.
  virtual Result<std::vector<link::NumberRange>> dropped(std::string_view stream) = 0;
  virtual Result<void> add_dropped(std::string_view stream, link::NumberRange range) = 0;
  virtual Result<void> remove_dropped(std::string_view stream, std::int64_t upto) = 0;

  struct JournalItem {
    std::int64_t number = 0;
    std::string body;
  };
  /// Store an item under the journal's next number.
  virtual Result<void> append(std::string_view journal, std::string_view body) = 0;
  /// First number not yet given, of a journal.
  virtual Result<std::int64_t> next_journal_number(std::string_view journal) = 0;
  virtual Result<std::vector<JournalItem>> journal(std::string_view journal,
                                                   std::int64_t limit) = 0;
  virtual Result<void> remove_journal(std::string_view journal, std::int64_t upto) = 0;
  /// Number what is left from 1.
  virtual Result<void> renumber_journal(std::string_view journal) = 0;

  virtual Result<std::vector<AlarmMemory>> memories() = 0;
  virtual Result<void> put(const AlarmMemory& memory) = 0;
  /// Remove what a rule remembers of all services.
  virtual Result<void> remove(link::AlarmRuleId rule) = 0;
};

}  // namespace ecp::inline v0::pipeline
