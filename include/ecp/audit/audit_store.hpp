// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the audit log. Its SQL lives in lib/storage/sql/audit/.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/audit/entry.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::audit {

/// Selection of entries. An empty field matches everything.
struct EntryQuery {
  access::Scope scope;  ///< Everything inside it.
  std::string operation;
  std::string principal;
  std::string subject_id;
  std::optional<Time> from;  ///< Inclusive.
  std::optional<Time> to;    ///< Exclusive.
};

/// What is known about one chain without walking it.
struct ChainSummary {
  access::OrganizationId chain;
  std::int64_t entries = 0;
  std::int64_t unsealed = 0;
};

/// Append-only entries, chain heads and checkpoints.
///
/// Transactions: reachable only through Transaction.
/// Errors: `data_loss` when a stored record cannot be read.
class ECP_EXPORT AuditStore {
 public:
  static constexpr std::string_view store_name = "audit.entries";
  virtual ~AuditStore();

  virtual Result<void> insert(const Entry& entry, const Sha256& hash) = 0;
  /// One page, the latest first.
  virtual Result<Page<StoredEntry>> list(const EntryQuery& query, PageRequest page) = 0;

  /// Entries that have no place in their chain yet, in the order of their ids.
  virtual Result<std::vector<StoredEntry>> unsealed(std::int64_t limit) = 0;
  /// Head of a chain; sequence 0 for one without any.
  virtual Result<ChainHead> head(access::OrganizationId chain) = 0;
  /// Heads of all chains that have one, by chain; cheap.
  virtual Result<std::vector<std::pair<access::OrganizationId, ChainHead>>> heads() = 0;
  virtual Result<void> set_head(access::OrganizationId chain, const ChainHead& head) = 0;
  /// Give an entry its place. Fails with `conflict` when it has one.
  virtual Result<void> seal(EntryId id, const Seal& seal) = 0;

  virtual Result<void> insert_checkpoint(const Checkpoint& checkpoint) = 0;
  virtual Result<std::optional<Checkpoint>> last_checkpoint(access::OrganizationId chain) = 0;
  /// Checkpoints of a chain in the order of their sequence.
  virtual Result<std::vector<Checkpoint>> checkpoints(access::OrganizationId chain,
                                                      std::int64_t above, std::int64_t limit) = 0;

  /// All chains that have entries, a head or checkpoints.
  virtual Result<std::vector<ChainSummary>> chains() = 0;
  /// Sealed entries of a chain in the order of their sequence.
  virtual Result<std::vector<StoredEntry>> sealed(access::OrganizationId chain, std::int64_t above,
                                                  std::int64_t limit) = 0;
};

}  // namespace ecp::inline v0::audit
