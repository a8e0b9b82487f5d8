// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/buffer_store.hpp>

#include <ecp/storage/sql/pipeline.hpp>

namespace ecp::inline v0::pipeline {
namespace {

using storage::sql::Blob;
using storage::sql::Connection;

class SqlBufferStore final : public BufferStore {
 public:
  explicit SqlBufferStore(Connection& connection) : connection_(connection) {}

  Result<BufferState> load() override {
    BufferState state;
    ECP_TRY(
        auto* const row,
        connection_.bound("SELECT buffer_id, dropped, given_before, is_renewed FROM pipeline_buffer"
                          " WHERE id = 1"));
    ECP_TRY(const bool found, row->step());
    if (!found) return state;
    state.buffer_id = std::string(row->text(0));
    state.dropped = row->integer(1);
    state.given_before = row->integer(2);
    state.is_renewed = row->integer(3) != 0;
    ECP_TRY_VOID(load_numbers(state));
    ECP_TRY(auto* const sums,
            connection_.bound("SELECT CAST(COALESCE(MAX(position), 0) AS BIGINT),"
                              " CAST(COALESCE(SUM(size), 0) AS BIGINT),"
                              " CAST(COALESCE(SUM(last_number - first_number + 1), 0) AS BIGINT)"
                              " FROM pipeline_chunks"));
    ECP_TRY_VOID(sums->step());
    state.position = sums->integer(0);
    state.bytes = sums->integer(1);
    state.samples = sums->integer(2);
    return state;
  }

  Result<void> save(const BufferState& state) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO pipeline_buffer (id, buffer_id, dropped, given_before,"
        " is_renewed) VALUES (1, $1, $2, $3, $4)"
        " ON CONFLICT (id) DO UPDATE SET buffer_id = excluded.buffer_id,"
        " dropped = excluded.dropped, given_before = excluded.given_before,"
        " is_renewed = excluded.is_renewed"
        " WHERE pipeline_buffer.buffer_id <> excluded.buffer_id"
        " OR pipeline_buffer.dropped <> excluded.dropped",
        state.buffer_id, state.dropped, state.given_before, state.is_renewed ? 1 : 0));
    for (const auto& [name, next] : state.next) {
      const auto found = state.renumbered.find(name);
      const auto renumbered = found == state.renumbered.end() ? 0 : found->second;
      ECP_TRY_VOID(
          connection_.run("INSERT INTO pipeline_numbers (name, next, renumbered)"
                          " VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET"
                          " next = excluded.next, renumbered = excluded.renumbered"
                          " WHERE pipeline_numbers.next <> excluded.next"
                          " OR pipeline_numbers.renumbered <> excluded.renumbered",
                          name, next, renumbered));
    }
    return {};
  }

  Result<void> insert(const Chunk& chunk, std::int64_t position) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO pipeline_chunks (stream, first_number, last_number, position, size, body)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        chunk.stream, chunk.first, chunk.last, position,
        static_cast<std::int64_t>(chunk.body.size()), Blob{chunk.body}));
    return {};
  }

  Result<std::vector<Chunk>> list(std::string_view stream, std::int64_t from,
                                  std::int64_t limit) override {
    ECP_TRY(auto* const rows,
            connection_.bound("SELECT first_number, last_number, body FROM pipeline_chunks"
                              " WHERE stream = $1 AND first_number >= $2"
                              " ORDER BY first_number LIMIT $3",
                              stream, from, limit));
    std::vector<Chunk> chunks;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return chunks;
      chunks.push_back(
          {std::string(stream), rows->integer(0), rows->integer(1), Bytes(rows->blob(2))});
    }
  }

  Result<std::vector<Oldest>> oldest(std::int64_t limit) override {
    ECP_TRY(auto* const rows, connection_.bound("SELECT stream, first_number, last_number, size"
                                                " FROM pipeline_chunks ORDER BY position LIMIT $1",
                                                limit));
    std::vector<Oldest> found;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return found;
      found.push_back(
          {{std::string(rows->text(0)), rows->integer(1), rows->integer(2), {}}, rows->integer(3)});
    }
  }

  Result<Removed> remove(std::string_view stream, std::int64_t first, std::int64_t last) override {
    ECP_TRY(
        auto* const row,
        connection_.bound("SELECT CAST(COALESCE(SUM(last_number - first_number + 1), 0) AS BIGINT),"
                          " CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM pipeline_chunks"
                          " WHERE stream = $1 AND first_number >= $2 AND last_number <= $3",
                          stream, first, last));
    ECP_TRY_VOID(row->step());
    const Removed removed{row->integer(0), row->integer(1)};
    row->reset();
    if (removed.samples == 0) return removed;
    ECP_TRY_VOID(
        connection_.run("DELETE FROM pipeline_chunks"
                        " WHERE stream = $1 AND first_number >= $2 AND last_number <= $3",
                        stream, first, last));
    return removed;
  }

  Result<void> renumber(const Chunk& chunk, std::int64_t first) override {
    ECP_TRY_VOID(
        connection_.run("UPDATE pipeline_chunks SET first_number = $3, last_number = $4"
                        " WHERE stream = $1 AND first_number = $2",
                        chunk.stream, chunk.first, first, first + chunk.last - chunk.first));
    return {};
  }

  Result<std::optional<std::int64_t>> lowest(std::string_view stream) override {
    ECP_TRY(auto* const row, connection_.bound("SELECT MIN(first_number) FROM pipeline_chunks"
                                               " WHERE stream = $1",
                                               stream));
    ECP_TRY(const bool found, row->step());
    if (!found || row->is_null(0)) return std::nullopt;
    return std::optional(row->integer(0));
  }

  Result<std::vector<link::NumberRange>> dropped(std::string_view stream) override {
    ECP_TRY(auto* const rows,
            connection_.bound("SELECT first_number, last_number FROM pipeline_dropped"
                              " WHERE stream = $1 ORDER BY first_number",
                              stream));
    std::vector<link::NumberRange> ranges;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return ranges;
      ranges.emplace_back(rows->integer(0), rows->integer(1));
    }
  }

  Result<void> add_dropped(std::string_view stream, link::NumberRange range) override {
    ECP_TRY(const auto grown, connection_.run("UPDATE pipeline_dropped SET last_number = $3"
                                              " WHERE stream = $1 AND last_number = $2",
                                              stream, range.first - 1, range.second));
    if (grown > 0) return {};
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO pipeline_dropped (stream, first_number, last_number) VALUES ($1, $2, $3)",
        stream, range.first, range.second));
    return {};
  }

  Result<void> remove_dropped(std::string_view stream, std::int64_t upto) override {
    ECP_TRY_VOID(connection_.run(
        "DELETE FROM pipeline_dropped WHERE stream = $1 AND last_number <= $2", stream, upto));
    return {};
  }

  Result<void> append(std::string_view journal, std::string_view body) override {
    ECP_TRY(const auto number, next_journal_number(journal));
    ECP_TRY_VOID(set_next_journal_number(journal, number + 1));
    ECP_TRY_VOID(
        connection_.run("INSERT INTO pipeline_journal (journal, number, body) VALUES ($1, $2, $3)",
                        journal, number, body));
    return {};
  }

  Result<std::int64_t> next_journal_number(std::string_view journal) override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT next FROM pipeline_journals WHERE journal = $1", journal));
    ECP_TRY(const bool found, row->step());
    return found ? row->integer(0) : 1;
  }

  Result<std::vector<JournalItem>> journal(std::string_view journal, std::int64_t limit) override {
    ECP_TRY(auto* const rows, connection_.bound("SELECT number, body FROM pipeline_journal"
                                                " WHERE journal = $1 ORDER BY number LIMIT $2",
                                                journal, limit));
    std::vector<JournalItem> items;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return items;
      items.push_back({rows->integer(0), std::string(rows->text(1))});
    }
  }

  Result<void> remove_journal(std::string_view journal, std::int64_t upto) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM pipeline_journal WHERE journal = $1 AND number <= $2",
                                 journal, upto));
    return {};
  }

  /// By way of negative numbers, since keys are compared row by row.
  Result<void> renumber_journal(std::string_view journal) override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT MIN(number), MAX(number) FROM pipeline_journal"
                              " WHERE journal = $1",
                              journal));
    ECP_TRY_VOID(row->step());
    if (row->is_null(0)) return set_next_journal_number(journal, 1);
    const auto by = row->integer(0) - 1;
    const auto next = row->integer(1) - by + 1;
    row->reset();
    ECP_TRY_VOID(connection_.run(
        "UPDATE pipeline_journal SET number = -(number - $2) WHERE journal = $1", journal, by));
    ECP_TRY_VOID(connection_.run(
        "UPDATE pipeline_journal SET number = -number WHERE journal = $1 AND number < 0", journal));
    return set_next_journal_number(journal, next);
  }

  Result<std::vector<AlarmMemory>> memories() override {
    ECP_TRY(auto* const rows,
            connection_.bound(
                "SELECT rule, service, told_revision, active, held FROM pipeline_alarms"));
    std::vector<AlarmMemory> found;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return found;
      ECP_TRY(const auto rule, link::AlarmRuleId::parse(rows->text(0)));
      ECP_TRY(const auto service, link::EdgeServiceId::parse(rows->text(1)));
      found.push_back(
          {rule, service, rows->integer(2), rows->integer(3) == 1, Milliseconds{rows->integer(4)}});
    }
  }

  Result<void> put(const AlarmMemory& memory) override {
    ECP_TRY_VOID(
        connection_.run("INSERT INTO pipeline_alarms (rule, service, told_revision, active, held)"
                        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (rule, service) DO UPDATE SET "
                        "told_revision = excluded.told_revision,"
                        " active = excluded.active, held = excluded.held",
                        memory.rule.to_string(), memory.service.to_string(), memory.told_revision,
                        memory.active, std::int64_t{memory.held.count()}));
    return {};
  }

  Result<void> remove(link::AlarmRuleId rule) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM pipeline_alarms WHERE rule = $1", rule.to_string()));
    return {};
  }

 private:
  Result<void> load_numbers(BufferState& state) {
    ECP_TRY(auto* const rows,
            connection_.bound("SELECT name, next, renumbered FROM pipeline_numbers"));
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return {};
      const std::string name(rows->text(0));
      state.next.emplace(name, rows->integer(1));
      if (rows->integer(2) > 0) state.renumbered.emplace(name, rows->integer(2));
    }
  }

  Result<void> set_next_journal_number(std::string_view journal, std::int64_t next) {
    ECP_TRY_VOID(
        connection_.run("INSERT INTO pipeline_journals (journal, next) VALUES ($1, $2)"
                        " ON CONFLICT (journal) DO UPDATE SET next = excluded.next",
                        journal, next));
    return {};
  }

  Connection& connection_;
};

}  // namespace
}  // namespace ecp::inline v0::pipeline

namespace ecp::inline v0::storage {
namespace {

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE pipeline_buffer (id BIGINT NOT NULL PRIMARY KEY, buffer_id TEXT NOT NULL,"
     " dropped BIGINT NOT NULL, given_before BIGINT NOT NULL);"
     "CREATE TABLE pipeline_numbers (name TEXT NOT NULL PRIMARY KEY, next BIGINT NOT NULL);"
     "CREATE TABLE pipeline_chunks (stream TEXT NOT NULL, first_number BIGINT NOT NULL,"
     " last_number BIGINT NOT NULL, position BIGINT NOT NULL, size BIGINT NOT NULL,"
     " body BYTEA NOT NULL, PRIMARY KEY (stream, first_number));"
     "CREATE INDEX pipeline_chunks_position ON pipeline_chunks (position);"
     "CREATE TABLE pipeline_dropped (stream TEXT NOT NULL, first_number BIGINT NOT NULL,"
     " last_number BIGINT NOT NULL, PRIMARY KEY (stream, first_number));"
     "CREATE TABLE pipeline_journals (journal TEXT NOT NULL PRIMARY KEY, next BIGINT NOT NULL);"
     "CREATE TABLE pipeline_journal (journal TEXT NOT NULL, number BIGINT NOT NULL,"
     " body TEXT NOT NULL, PRIMARY KEY (journal, number));"
     "CREATE TABLE pipeline_alarms (rule TEXT NOT NULL, service TEXT NOT NULL,"
     " told_revision BIGINT NOT NULL, active BIGINT NOT NULL, held BIGINT NOT NULL,"
     " PRIMARY KEY (rule, service))"},
    {2, "ALTER TABLE pipeline_numbers ADD COLUMN renumbered BIGINT NOT NULL DEFAULT 0"},
    {3, "ALTER TABLE pipeline_buffer ADD COLUMN is_renewed BIGINT NOT NULL DEFAULT 0"},
};

constexpr StoreFactory factories[] = {
    {pipeline::BufferStore::store_name,
     [](sql::Connection& connection) {
       return erase<pipeline::BufferStore>(new pipeline::SqlBufferStore(connection));
     }},
};

}  // namespace

const StoreModule& pipeline_module() {
  static constexpr StoreModule module{"pipeline", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
