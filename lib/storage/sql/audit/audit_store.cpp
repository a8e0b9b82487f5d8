// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/audit.hpp>

#include <ecp/audit/audit_store.hpp>
#include <ecp/storage/reasons.hpp>

#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage {
namespace {

using access::OrganizationId;
using access::ProjectId;
using audit::ChainHead;
using audit::Checkpoint;
using audit::Entry;
using audit::EntryId;
using audit::StoredEntry;

#define ECP_AUDIT_COLUMNS                                                                  \
  "id, chain, project, at, principal_kind, principal, source, request, remote, operation," \
  " outcome, subject_kind, subject_id, subject_name, details, hash, sequence, chain_hash"

constexpr std::string_view matches =
    " WHERE ($1 = '' OR chain = $1) AND ($2 = '' OR project = $2)"
    " AND ($3 = '' OR operation = $3) AND ($4 = '' OR principal = $4)"
    " AND ($5 = '' OR subject_id = $5) AND at >= $6 AND at < $7";

/// Chains are kept by the organization's id, the platform's by "platform".
std::string key_of(OrganizationId chain) { return audit::chain_name(chain); }

Result<OrganizationId> chain_at(const sql::Statement& row, int column) {
  if (row.text(column) == key_of({})) return OrganizationId{};
  return sql::id_at<OrganizationId>(row, column);
}

sql::Blob blob(const Sha256& digest) {
  return {BytesView(reinterpret_cast<const char*>(digest.data()), digest.size())};
}

/// A hash of a wrong size reads as zeros, which verify as changed.
Sha256 hash_at(const sql::Statement& row, int column) {
  Sha256 digest{};
  const auto octets = row.blob(column);
  if (octets.size() == digest.size()) {
    std::transform(octets.begin(), octets.end(), digest.begin(),
                   [](char octet) { return static_cast<std::uint8_t>(octet); });
  }
  return digest;
}

Result<StoredEntry> read_entry(const sql::Statement& row) {
  StoredEntry stored;
  Entry& entry = stored.entry;
  ECP_TRY(entry.id, sql::id_at<EntryId>(row, 0));
  ECP_TRY(entry.scope.organization, chain_at(row, 1));
  ECP_TRY(entry.scope.project, sql::id_at<ProjectId>(row, 2));
  entry.at = sql::time_at(row, 3);
  entry.principal_kind = row.text(4);
  entry.principal = row.text(5);
  entry.source = row.text(6);
  entry.request = row.text(7);
  entry.remote = row.text(8);
  entry.operation = row.text(9);
  entry.outcome = row.text(10) == "done" ? audit::Outcome::done : audit::Outcome::denied;
  entry.subject_kind = row.text(11);
  entry.subject_id = row.text(12);
  entry.subject_name = row.text(13);
  ECP_TRY(entry.details, audit::details_from_json(row.text(14)));
  stored.hash = hash_at(row, 15);
  if (!row.is_null(16)) stored.seal = audit::Seal{row.integer(16), hash_at(row, 17)};
  return stored;
}

Result<Checkpoint> read_checkpoint(const sql::Statement& row) {
  Checkpoint checkpoint;
  ECP_TRY(checkpoint.chain, chain_at(row, 0));
  checkpoint.head = {row.integer(1), hash_at(row, 2)};
  checkpoint.at = sql::time_at(row, 3);
  checkpoint.previous = row.text(4);
  checkpoint.key_id = row.text(5);
  checkpoint.signature = row.text(6);
  return checkpoint;
}

class SqlAuditStore final : public audit::AuditStore {
 public:
  explicit SqlAuditStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const Entry& entry, const Sha256& hash) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO audit_entries (id, chain, project, at, principal_kind, principal, source,"
        " request, remote, operation, outcome, subject_kind, subject_id, subject_name, details,"
        " hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        entry.id.to_string(), key_of(entry.scope.organization), sql::text_of(entry.scope.project),
        entry.at, entry.principal_kind, entry.principal, entry.source, entry.request, entry.remote,
        entry.operation, entry.outcome == audit::Outcome::done ? "done" : "denied",
        entry.subject_kind, entry.subject_id, entry.subject_name,
        audit::details_to_json(entry.details), blob(hash)));
    return {};
  }

  Result<Page<StoredEntry>> list(const audit::EntryQuery& query, PageRequest page) override {
    const bool is_platform = query.scope.level() == access::ScopeLevel::platform;
    const std::string chain = is_platform ? std::string() : key_of(query.scope.organization);
    const std::string project = sql::text_of(query.scope.project);
    const Time from = query.from.value_or(from_ms(0));
    const Time to = query.to.value_or(from_ms(INT64_MAX));
    static const std::string rows = std::string("SELECT " ECP_AUDIT_COLUMNS " FROM audit_entries")
                                        .append(matches)
                                        .append(" ORDER BY id DESC LIMIT $8 OFFSET $9");
    static const std::string count =
        std::string("SELECT COUNT(*) FROM audit_entries").append(matches);
    Page<StoredEntry> found;
    ECP_TRY(found.items,
            sql::all_rows<StoredEntry>(
                connection_.bound(rows, chain, project, query.operation, query.principal,
                                  query.subject_id, from, to, page.limit, page.offset),
                read_entry));
    ECP_TRY(found.total,
            sql::number_of(connection_.bound(count, chain, project, query.operation,
                                             query.principal, query.subject_id, from, to)));
    return found;
  }

  Result<std::vector<StoredEntry>> unsealed(std::int64_t limit) override {
    return sql::all_rows<StoredEntry>(
        connection_.bound("SELECT " ECP_AUDIT_COLUMNS
                          " FROM audit_entries WHERE sequence IS NULL ORDER BY id LIMIT $1",
                          limit),
        read_entry);
  }

  Result<ChainHead> head(OrganizationId chain) override {
    ECP_TRY(const auto found,
            sql::first_row<ChainHead>(
                connection_.bound("SELECT sequence, hash FROM audit_heads WHERE chain = $1",
                                  key_of(chain)),
                [](const sql::Statement& row) -> Result<ChainHead> {
                  return ChainHead{row.integer(0), hash_at(row, 1)};
                }));
    return found.value_or(ChainHead{});
  }

  Result<std::vector<std::pair<OrganizationId, ChainHead>>> heads() override {
    using Head = std::pair<OrganizationId, ChainHead>;
    return sql::all_rows<Head>(
        connection_.bound("SELECT chain, sequence, hash FROM audit_heads ORDER BY chain"),
        [](const sql::Statement& row) -> Result<Head> {
          ECP_TRY(const auto chain, chain_at(row, 0));
          return Head{chain, ChainHead{row.integer(1), hash_at(row, 2)}};
        });
  }

  Result<void> set_head(OrganizationId chain, const ChainHead& head) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO audit_heads (chain, sequence, hash) VALUES ($1, $2, $3)"
        " ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash",
        key_of(chain), head.sequence, blob(head.hash)));
    return {};
  }

  Result<void> seal(EntryId id, const audit::Seal& seal) override {
    ECP_TRY(const auto changed,
            connection_.run("UPDATE audit_entries SET sequence = $1, chain_hash = $2"
                            " WHERE id = $3 AND sequence IS NULL",
                            seal.sequence, blob(seal.chain_hash), id.to_string()));
    if (changed == 0) return reasons::serialization;
    return {};
  }

  Result<void> insert_checkpoint(const Checkpoint& checkpoint) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO audit_checkpoints (chain, sequence, hash, at, previous, key_id, signature)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        key_of(checkpoint.chain), checkpoint.head.sequence, blob(checkpoint.head.hash),
        checkpoint.at, checkpoint.previous, checkpoint.key_id, checkpoint.signature));
    return {};
  }

  Result<std::optional<Checkpoint>> last_checkpoint(OrganizationId chain) override {
    return sql::first_row<Checkpoint>(
        connection_.bound("SELECT chain, sequence, hash, at, previous, key_id, signature"
                          " FROM audit_checkpoints WHERE chain = $1 ORDER BY sequence DESC LIMIT 1",
                          key_of(chain)),
        read_checkpoint);
  }

  Result<std::vector<Checkpoint>> checkpoints(OrganizationId chain, std::int64_t above,
                                              std::int64_t limit) override {
    return sql::all_rows<Checkpoint>(
        connection_.bound("SELECT chain, sequence, hash, at, previous, key_id, signature"
                          " FROM audit_checkpoints WHERE chain = $1 AND sequence > $2"
                          " ORDER BY sequence LIMIT $3",
                          key_of(chain), above, limit),
        read_checkpoint);
  }

  Result<std::vector<audit::ChainSummary>> chains() override {
    return sql::all_rows<audit::ChainSummary>(
        connection_.bound(
            "SELECT c.chain, COUNT(e.id), COUNT(e.id) - COUNT(e.sequence) FROM"
            " (SELECT chain FROM audit_entries UNION SELECT chain FROM audit_heads"
            "  UNION SELECT chain FROM audit_checkpoints) c"
            " LEFT JOIN audit_entries e ON e.chain = c.chain GROUP BY c.chain ORDER BY c.chain"),
        [](const sql::Statement& row) -> Result<audit::ChainSummary> {
          ECP_TRY(const auto chain, chain_at(row, 0));
          return audit::ChainSummary{chain, row.integer(1), row.integer(2)};
        });
  }

  Result<std::vector<StoredEntry>> sealed(OrganizationId chain, std::int64_t above,
                                          std::int64_t limit) override {
    return sql::all_rows<StoredEntry>(
        connection_.bound("SELECT " ECP_AUDIT_COLUMNS
                          " FROM audit_entries WHERE chain = $1 AND sequence > $2"
                          " ORDER BY sequence LIMIT $3",
                          key_of(chain), above, limit),
        read_entry);
  }

 private:
  sql::Connection& connection_;
};

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE audit_entries (id TEXT NOT NULL PRIMARY KEY, chain TEXT NOT NULL,"
     " project TEXT NOT NULL, at BIGINT NOT NULL, principal_kind TEXT NOT NULL,"
     " principal TEXT NOT NULL, source TEXT NOT NULL, request TEXT NOT NULL,"
     " remote TEXT NOT NULL, operation TEXT NOT NULL, outcome TEXT NOT NULL,"
     " subject_kind TEXT NOT NULL, subject_id TEXT NOT NULL, subject_name TEXT NOT NULL,"
     " details TEXT NOT NULL, hash BYTEA NOT NULL, sequence BIGINT, chain_hash BYTEA);"
     "CREATE UNIQUE INDEX audit_entries_sequence ON audit_entries (chain, sequence);"
     "CREATE INDEX audit_entries_unsealed ON audit_entries (id) WHERE sequence IS NULL;"
     "CREATE INDEX audit_entries_scope ON audit_entries (chain, project, id);"
     "CREATE TABLE audit_heads (chain TEXT NOT NULL PRIMARY KEY, sequence BIGINT NOT NULL,"
     " hash BYTEA NOT NULL);"
     "CREATE TABLE audit_checkpoints (chain TEXT NOT NULL, sequence BIGINT NOT NULL,"
     " hash BYTEA NOT NULL, at BIGINT NOT NULL, previous TEXT NOT NULL, key_id TEXT NOT NULL,"
     " signature TEXT NOT NULL, PRIMARY KEY (chain, sequence))"},
};

constexpr StoreFactory factories[] = {
    {audit::AuditStore::store_name,
     [](sql::Connection& connection) {
       return erase<audit::AuditStore>(new SqlAuditStore(connection));
     }},
};

}  // namespace

const StoreModule& audit_module() {
  static constexpr StoreModule module{"audit", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
