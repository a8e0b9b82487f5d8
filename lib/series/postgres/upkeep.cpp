// SPDX-License-Identifier: Apache-2.0
#include "series/postgres/upkeep.hpp"

#include <algorithm>
#include <iterator>
#include <vector>

#include "series/postgres/append.hpp"
#include "series/postgres/chunk_rows.hpp"

namespace ecp::inline v0::series::postgres {
namespace {

using storage::Transaction;

constexpr std::int64_t rows_per_unit = 5'000;
constexpr std::int64_t hours_per_unit = 50;
constexpr int units_of_merging = 400;

/// A tag's hour that consists of several rows, or of one that was never put together.
struct TagHour {
  std::int64_t tag = 0;
  std::int64_t hour = 0;
};

/// Run a statement that changes at most `rows_per_unit` rows until it finds no more.
template <class Statement>
Result<void> in_pieces(storage::Store& store, Statement&& statement) {
  const auto piece = [&](Transaction& t) -> Result<std::int64_t> {
    ECP_TRY_VOID(relax(t.connection()));
    return statement(t.connection());
  };
  while (true) {
    ECP_TRY(const auto changed, store.write(piece));
    if (changed < rows_per_unit) return {};
  }
}

/// Rows that another replica is about to remove are its own to remove.
Result<std::int64_t> remove_some_before(Connection& connection, Time end) {
  return connection.run(
      "DELETE FROM series_chunks WHERE ctid IN (SELECT ctid FROM series_chunks WHERE since < $1"
      " ORDER BY since LIMIT $2 FOR UPDATE SKIP LOCKED)",
      end, rows_per_unit);
}

Result<std::int64_t> days_before(Connection& connection, Time end) {
  ECP_TRY(auto* const row, connection.bound("SELECT count(DISTINCT since / 86400000) FROM"
                                            " series_chunks WHERE since < $1",
                                            end));
  ECP_TRY_VOID(row->step());
  return row->integer(0);
}

/// Some hours that are over, and some minutes more for what is on its way, behind `last`.
Result<std::vector<TagHour>> ripe_hours(Connection& connection, Time now, TagHour last) {
  const auto end = now - hour_length / 4;
  ECP_TRY(auto* const row,
          connection.bound("SELECT DISTINCT since / 3600000, tag FROM series_chunks WHERE"
                           " merged = 0 AND since / 3600000 < $1 AND (since / 3600000, tag) >"
                           " ($2, $3) ORDER BY 1, 2 LIMIT $4",
                           to_ms(end) / hour_length.count(), last.hour, last.tag, hours_per_unit));
  std::vector<TagHour> hours;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) return hours;
    hours.push_back({row->integer(1), row->integer(0)});
  }
}

/// False when the service is gone, or somebody stores for it just now: then it is left for later.
Result<bool> lock_service_of(Connection& connection, std::int64_t tag) {
  ECP_TRY(auto* const row, connection.bound("SELECT s.id FROM series_services s JOIN series_tags t"
                                            " ON t.service = s.id WHERE t.id = $1"
                                            " FOR UPDATE OF s SKIP LOCKED",
                                            tag));
  return row->step();
}

/// Whoever takes the rows out puts them in again; a replica that comes second finds none.
Result<void> merge_hour(Connection& connection, TagHour what) {
  ECP_TRY(const bool is_locked, lock_service_of(connection, what.tag));
  if (!is_locked) return {};
  ECP_TRY(auto* const row,
          connection.bound("WITH gone AS (DELETE FROM series_chunks WHERE tag = $1 AND since >= $2"
                           " AND since < $3 RETURNING since, id, body)"
                           " SELECT body FROM gone ORDER BY since, id",
                           what.tag, what.hour * hour_length.count(),
                           (what.hour + 1) * hour_length.count()));
  std::vector<Sample> all;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    ECP_TRY(auto samples, decode_chunk(row->blob(0), ""));
    std::move(samples.begin(), samples.end(), std::back_inserter(all));
  }
  ECP_TRY(const auto rows, chunk_up(what.tag, std::move(all)));
  return insert_chunks(connection, rows, true);
}

}  // namespace

Result<std::int64_t> remove_days(storage::Store& store, Time keep) {
  const auto end = from_ms(to_ms(keep) / day_length.count() * day_length.count());
  ECP_TRY(const auto days,
          store.read([&](Transaction& t) { return days_before(t.connection(), end); }));
  if (days > 0) {
    ECP_TRY_VOID(in_pieces(
        store, [&](Connection& connection) { return remove_some_before(connection, end); }));
  }
  const auto forget = [&](Transaction& t) -> Result<void> {
    ECP_TRY_VOID(relax(t.connection()));
    ECP_TRY_VOID(t.connection().run("DELETE FROM series_gaps WHERE until < $1", end));
    ECP_TRY_VOID(t.connection().run(
        "UPDATE series_tags SET latest_at = NULL, latest = NULL WHERE latest_at < $1", end));
    return {};
  };
  ECP_TRY_VOID(store.write(forget));
  return days;
}

Result<void> merge_hours(storage::Store& store, Time now) {
  TagHour last;
  for (int unit = 0; unit < units_of_merging; ++unit) {
    ECP_TRY(const auto hours,
            store.read([&](Transaction& t) { return ripe_hours(t.connection(), now, last); }));
    if (hours.empty()) return {};
    last = hours.back();
    const auto merge = [&](Transaction& t) -> Result<void> {
      ECP_TRY_VOID(relax(t.connection()));
      for (const auto& hour : hours) ECP_TRY_VOID(merge_hour(t.connection(), hour));
      return {};
    };
    ECP_TRY_VOID(store.write(merge));
  }
  return {};
}

Result<void> remove_service(storage::Store& store, const SeriesKey& key) {
  // Most of it without a lock; the rest, and what came meanwhile, under it.
  ECP_TRY_VOID(in_pieces(store, [&](Connection& connection) {
    return connection.run(
        "DELETE FROM series_chunks WHERE ctid IN (SELECT c.ctid FROM series_chunks c JOIN"
        " series_tags t ON t.id = c.tag JOIN series_services s ON s.id = t.service WHERE"
        " s.project = $1 AND s.service = $2 LIMIT $3 FOR UPDATE OF c SKIP LOCKED)",
        blob(key.project), blob(key.service), rows_per_unit);
  }));
  return store.write([&](Transaction& t) -> Result<void> {
    auto& connection = t.connection();
    ECP_TRY_VOID(relax(connection));
    ECP_TRY(const auto ids, lock_services(connection, {key}));
    ECP_TRY_VOID(connection.run(
        "DELETE FROM series_chunks WHERE tag IN (SELECT id FROM series_tags WHERE service = $1)",
        ids.front()));
    for (const char* sql : {"DELETE FROM series_tags WHERE service = $1",
                            "DELETE FROM series_buffers WHERE service = $1",
                            "DELETE FROM series_gaps WHERE service = $1",
                            "DELETE FROM series_services WHERE id = $1"}) {
      ECP_TRY_VOID(connection.run(sql, ids.front()));
    }
    return {};
  });
}

}  // namespace ecp::inline v0::series::postgres
