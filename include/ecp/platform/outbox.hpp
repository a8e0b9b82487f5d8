// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Outgoing work that commits with its cause and is done later, at least once.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::platform {

struct OutboxTag {
  static constexpr std::string_view prefix = "out";
};
using OutboxId = Id<OutboxTag>;

/// One piece of outgoing work.
struct OutboxItem {
  OutboxId id;
  std::string kind;  ///< "alarm.webhook"; who claims which kind is up to the claimer.
  access::Scope scope;
  std::string payload_json;  ///< Never secrets.
  Time due{};                ///< Not before this.
  int attempts = 0;          ///< How often it was tried.
  std::string error;         ///< Of the last try; "" before.
};

/// An item and the proof of being the one who works on it.
struct ClaimedItem {
  OutboxItem item;
  std::int64_t fence = 0;  ///< Rises with every claim of the item.
};

/// Waiting work, taken by state. An item that is claimed and neither completed nor put off within
/// its lease is given to the next claimer: the work may be done twice, never not at all.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT OutboxStore {
 public:
  static constexpr std::string_view store_name = "platform.outbox";
  virtual ~OutboxStore();
  /// Fails with `already_exists` when the id is taken.
  virtual Result<void> insert(const OutboxItem& item) = 0;
  /// Take up to `limit` items of a kind that are due and free at `now`, the oldest first.
  virtual Result<std::vector<ClaimedItem>> claim_due(std::string_view kind, std::string_view holder,
                                                     Time now, int limit, Milliseconds lease) = 0;
  /// Remove a done item. Fails with `conflict` (storage.lease_lost) when claimed anew meanwhile.
  virtual Result<void> complete(OutboxId id, std::int64_t fence) = 0;
  /// Put a failed item off and count the try. Fails with `conflict` as above.
  virtual Result<void> retry(OutboxId id, std::int64_t fence, Time due, std::string_view error) = 0;
  /// When the next item of a kind is due or its lease ends; none when there is none.
  virtual Result<std::optional<Time>> next_due(std::string_view kind) = 0;
  /// Items of a kind waiting or claimed.
  virtual Result<std::int64_t> count(std::string_view kind) = 0;
  /// Remove everything of a scope (a project that is deleted).
  virtual Result<void> remove_scope(const access::Scope& scope) = 0;
};

}  // namespace ecp::inline v0::platform
