// SPDX-License-Identifier: Apache-2.0
#include <ecp/series/postgres.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <ecp/storage/postgres.hpp>
#include <ecp/storage/store.hpp>

#include "series/postgres/append.hpp"
#include "series/postgres/chunk_rows.hpp"
#include "series/postgres/upkeep.hpp"

namespace ecp::inline v0::series {
namespace postgres {
namespace {

using storage::Transaction;

constexpr storage::Migration migrations[] = {
    {1,
     "CREATE TABLE series_services (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
     " project BYTEA NOT NULL, service BYTEA NOT NULL, UNIQUE (project, service));"
     "CREATE TABLE series_buffers (service BIGINT NOT NULL, agent BYTEA NOT NULL,"
     " buffer TEXT NOT NULL, applied TEXT NOT NULL, PRIMARY KEY (service, agent, buffer));"
     "CREATE TABLE series_tags (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
     " service BIGINT NOT NULL, tag TEXT NOT NULL, latest_at BIGINT, latest BYTEA,"
     " UNIQUE (service, tag));"
     "CREATE TABLE series_chunks (tag BIGINT NOT NULL, since BIGINT NOT NULL,"
     " id BIGINT GENERATED ALWAYS AS IDENTITY, until BIGINT NOT NULL, samples BIGINT NOT NULL,"
     " body BYTEA NOT NULL, merged BIGINT NOT NULL,"
     " PRIMARY KEY (tag, since, id));"
     "ALTER TABLE series_chunks ALTER COLUMN body SET STORAGE EXTERNAL;"  // It is dense as it is.
     "CREATE INDEX series_chunks_age ON series_chunks (since);"
     "CREATE INDEX series_chunks_small ON series_chunks ((since / 3600000), tag)"
     " WHERE merged = 0;"
     "CREATE TABLE series_gaps (service BIGINT NOT NULL, since BIGINT NOT NULL, why TEXT NOT NULL,"
     " until BIGINT NOT NULL, samples BIGINT NOT NULL, PRIMARY KEY (service, since, why))"},
    {2, "ALTER TABLE series_buffers ADD COLUMN ended BIGINT NOT NULL DEFAULT 0"},
};
constexpr storage::StoreModule module{"series", migrations, {}};

Result<std::optional<std::int64_t>> find_number(Result<storage::sql::Statement*> bound) {
  ECP_TRY(auto* const row, std::move(bound));
  ECP_TRY(const bool found, row->step());
  if (!found) return std::nullopt;
  return std::optional(row->integer(0));
}

Result<std::optional<std::int64_t>> find_service(Connection& connection, const SeriesKey& key) {
  return find_number(
      connection.bound("SELECT id FROM series_services WHERE project = $1 AND service = $2",
                       blob(key.project), blob(key.service)));
}

Result<std::optional<std::int64_t>> find_tag(Connection& connection, const SeriesKey& key,
                                             std::string_view tag) {
  ECP_TRY(const auto service, find_service(connection, key));
  if (!service) return std::nullopt;
  return find_number(connection.bound("SELECT id FROM series_tags WHERE service = $1 AND tag = $2",
                                      *service, tag));
}

Result<std::vector<Gap>> recorded_gaps(Connection& connection, std::int64_t service, Time from,
                                       Time to) {
  ECP_TRY(auto* const row,
          connection.bound("SELECT since, until, samples, why FROM series_gaps WHERE service = $1"
                           " AND since < $2 AND until > $3 ORDER BY since",
                           service, to, from));
  std::vector<Gap> gaps;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) return gaps;
    gaps.push_back({from_ms(row->integer(0)), from_ms(row->integer(1)), row->integer(2),
                    std::string(row->text(3))});
  }
}

/// Times at which a service has samples: the first at or after `to`, and those in between of the
/// few tags that have some there first.
Result<std::vector<Time>> times_around(Connection& connection, std::int64_t service, Time from,
                                       Time to) {
  constexpr std::int64_t dense_tags = 3;
  std::vector<Time> times;
  ECP_TRY(const auto before, newest_until(connection, service, Time{}, from));
  if (before) times.push_back(*before);
  ECP_TRY(auto* const row,
          connection.bound("SELECT t.id, c.since FROM series_tags t CROSS JOIN LATERAL (SELECT"
                           " since FROM series_chunks WHERE tag = t.id AND since > $2 - 3600000"
                           " AND until > $2 ORDER BY since LIMIT 1) c WHERE t.service = $1"
                           " ORDER BY c.since, t.id LIMIT $3",
                           service, from, dense_tags));
  std::vector<std::int64_t> tags;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    tags.push_back(row->integer(0));
  }
  for (const auto tag : tags) {
    // Rows up to the first that begins behind the stretch: it has the first sample after it.
    const auto visit = [&](ChunkRow& chunk) -> Result<bool> {
      ECP_TRY(const auto found, decode_times(chunk.body));
      for (const auto time : found) {
        if (time > from) times.push_back(time);
      }
      return chunk.since < to;
    };
    ECP_TRY_VOID(read_chunks(connection, {tag, from, Time::max(), 0}, visit));
  }
  return times;
}

class PostgresSeries final : public SeriesStore {
 public:
  PostgresSeries(std::unique_ptr<storage::Store> store, const Env& env)
      : env_(env), store_(std::move(store)) {}

  Result<void> begin(const SeriesKey& key, const IdBytes& agent,
                     std::string_view buffer_id) override {
    return write(
        [&](Connection& connection) { return begin_buffer(connection, key, agent, buffer_id); });
  }

  Result<std::vector<Applied>> append(const KeyedBatches& batches) override {
    const auto now = env_.clock.now();
    return write([&](Connection& connection) { return append_batches(connection, batches, now); });
  }

  Result<std::vector<LatestValue>> latest(const SeriesKey& key) override {
    return read([&](Connection& connection) -> Result<std::vector<LatestValue>> {
      ECP_TRY(auto* const row,
              connection.bound("SELECT t.tag, t.latest FROM series_tags t JOIN series_services s"
                               " ON s.id = t.service WHERE s.project = $1 AND s.service = $2 AND"
                               " t.latest IS NOT NULL ORDER BY t.tag",
                               blob(key.project), blob(key.service)));
      std::vector<LatestValue> values;
      while (true) {
        ECP_TRY(const bool more, row->step());
        if (!more) return values;
        ECP_TRY(auto samples, decode_chunk(row->blob(1), row->text(0)));
        values.push_back({std::move(samples.front())});
      }
    });
  }

  Result<std::vector<Sample>> samples(const SeriesKey& key, std::string_view tag, Time from,
                                      Time to, std::size_t limit) override {
    if (from >= to || limit == 0) return std::vector<Sample>();
    return read([&](Connection& connection) -> Result<std::vector<Sample>> {
      std::vector<Sample> found;
      ECP_TRY(const auto id, find_tag(connection, key, tag));
      if (!id) return found;
      const auto by_time = [](const Sample& a, const Sample& b) { return a.time < b.time; };
      const auto visit = [&](ChunkRow& row) -> Result<bool> {
        if (found.size() >= limit) {
          // Rows may overlap, so sort before judging whether what follows is all later.
          std::stable_sort(found.begin(), found.end(), by_time);
          found.resize(limit);
          if (found.back().time < row.since) return false;
        }
        ECP_TRY(auto more, decode_chunk(row.body, tag));
        for (auto& sample : more) {
          if (sample.time < from || sample.time >= to) continue;
          found.push_back(std::move(sample));
        }
        return true;
      };
      ECP_TRY_VOID(read_chunks(connection, {*id, from, to, 0}, visit));
      std::stable_sort(found.begin(), found.end(), by_time);
      if (found.size() > limit) found.resize(limit);
      return found;
    });
  }

  Result<std::vector<Point>> aggregate(const SeriesKey& key, std::string_view tag, Time from,
                                       Time to, std::size_t points) override {
    ECP_TRY_VOID(Chart::make(from, to, points));
    return read([&](Connection& connection) -> Result<std::vector<Point>> {
      ECP_TRY(auto chart, Chart::make(from, to, points));
      ECP_TRY(const auto id, find_tag(connection, key, tag));
      if (!id) return chart.take();
      const auto visit = [&](ChunkRow& row) -> Result<bool> {
        if (row.is_whole) {
          ECP_TRY(const auto numbers, decode_numbers(row.body));
          for (const auto& number : numbers) chart.add(number);
        } else {
          ECP_TRY(const auto summary, read_summary(row.body));
          chart.add(summary);
        }
        return true;
      };
      const auto intervals = static_cast<std::int64_t>(points);
      ECP_TRY_VOID(read_chunks(connection, {*id, from, to, intervals}, visit));
      return chart.take();
    });
  }

  Result<std::vector<Gap>> gaps(const SeriesKey& key, Time from, Time to) override {
    return read([&](Connection& connection) -> Result<std::vector<Gap>> {
      std::vector<Gap> found;
      ECP_TRY(const auto service, find_service(connection, key));
      if (!service) return found;
      ECP_TRY(const auto recorded, recorded_gaps(connection, *service, from, to));
      for (const auto& gap : recorded) {
        if (gap.why != "no_data") {
          found.push_back(gap);
          continue;
        }
        ECP_TRY(auto times, times_around(connection, *service, gap.from, gap.to));
        for (auto& part : silent_parts(gap, std::move(times))) found.push_back(std::move(part));
      }
      tidy_gaps(found);
      return found;
    });
  }

  Result<void> record_gap(const SeriesKey& key, const Gap& gap) override {
    return write([&](Connection& connection) -> Result<void> {
      ECP_TRY(const auto ids, lock_services(connection, {key}));
      return insert_gap(connection, ids.front(), gap);
    });
  }

  Result<std::int64_t> count(const SeriesKey& key) override {
    return read([&](Connection& connection) -> Result<std::int64_t> {
      ECP_TRY(const auto number,
              find_number(connection.bound(
                  "SELECT CAST(COALESCE(sum(c.samples), 0) AS BIGINT) FROM series_chunks c JOIN"
                  " series_tags t ON t.id = c.tag JOIN series_services s ON s.id = t.service WHERE"
                  " s.project = $1 AND s.service = $2",
                  blob(key.project), blob(key.service))));
      return number.value_or(0);
    });
  }

  Result<std::int64_t> expire(Time keep) override {
    ECP_TRY(const auto days, remove_days(*store_, keep));
    ECP_TRY_VOID(merge_hours(*store_, env_.clock.now()));
    return days;
  }

  Result<void> remove(const SeriesKey& key) override { return remove_service(*store_, key); }

 private:
  template <class Unit>
  auto write(Unit&& unit) -> decltype(unit(std::declval<Connection&>())) {
    using Outcome = decltype(unit(std::declval<Connection&>()));
    return store_->write([&](Transaction& transaction) -> Outcome {
      ECP_TRY_VOID(relax(transaction.connection()));
      return unit(transaction.connection());
    });
  }
  template <class Unit>
  auto read(Unit&& unit) -> decltype(unit(std::declval<Connection&>())) {
    return store_->read([&](Transaction& transaction) { return unit(transaction.connection()); });
  }

  Env env_;
  std::unique_ptr<storage::Store> store_;
};

}  // namespace
}  // namespace postgres

Result<std::unique_ptr<SeriesStore>> open_postgres_series(const PostgresSeriesOptions& options,
                                                          const Env& env) {
  static constexpr std::array modules{&postgres::module};
  storage::PostgresOptions database;
  database.url = options.url;
  database.connections = options.connections;
  ECP_TRY(auto store, storage::open_postgres(database, modules, env));
  return std::make_unique<postgres::PostgresSeries>(std::move(store), env);
}

}  // namespace ecp::inline v0::series
