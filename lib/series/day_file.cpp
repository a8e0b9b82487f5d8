// SPDX-License-Identifier: Apache-2.0
#include "series/day_file.hpp"

#include <algorithm>
#include <limits>

#include <ecp/series/reasons.hpp>

namespace ecp::inline v0::series {
namespace {

using storage::sql::Blob;
using storage::sql::Parameter;
using storage::sql::Statement;

constexpr std::string_view schema = R"sql(
CREATE TABLE IF NOT EXISTS tags (id INTEGER PRIMARY KEY, project BLOB NOT NULL,
  service BLOB NOT NULL, tag TEXT NOT NULL, UNIQUE (project, service, tag));
CREATE TABLE IF NOT EXISTS buffers (id INTEGER PRIMARY KEY, agent BLOB NOT NULL,
  buffer TEXT NOT NULL, UNIQUE (agent, buffer));
CREATE TABLE IF NOT EXISTS samples (tag INTEGER NOT NULL, time INTEGER NOT NULL,
  buffer INTEGER NOT NULL, number INTEGER NOT NULL, form INTEGER NOT NULL, value, error TEXT,
  PRIMARY KEY (tag, time, buffer, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS applied (buffer INTEGER NOT NULL, project BLOB NOT NULL,
  service BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (buffer, project, service, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (project BLOB NOT NULL, service BLOB NOT NULL,
  since INTEGER NOT NULL, why TEXT NOT NULL, until INTEGER NOT NULL, samples INTEGER NOT NULL,
  PRIMARY KEY (project, service, since, why)) WITHOUT ROWID;
PRAGMA user_version = 1;
)sql";

constexpr std::int64_t schema_version = 1;  // As the schema's last line says.

/// 0: a file just made.
Result<std::int64_t> version_of(storage::sql::Connection& connection) {
  ECP_TRY(auto* const row, connection.bound("PRAGMA user_version"));
  ECP_TRY(const bool found, row->step());
  const auto version = found ? row->integer(0) : 0;
  row->reset();
  return version;
}

BytesView view(const IdBytes& id) { return {reinterpret_cast<const char*>(id.data()), id.size()}; }
Blob blob(const IdBytes& id) { return Blob{view(id)}; }
IdBytes id_of(BytesView octets) {
  IdBytes id{};
  std::copy_n(octets.begin(), std::min(octets.size(), id.size()), id.begin());
  return id;
}

// Bits 0-1 of `form`: quality; bit 2: late; from bit 3: type of the value.
std::int64_t form_of(const Sample& sample) {
  return static_cast<std::int64_t>(sample.quality) + (sample.late ? 4 : 0) +
         8 * static_cast<std::int64_t>(sample.value.index());
}

Parameter parameter_of(const Sample& sample) {
  if (sample.quality == Quality::bad) return storage::sql::Null{};
  if (const auto* flag = std::get_if<bool>(&sample.value)) return storage::sql::parameter(*flag);
  if (const auto* whole = std::get_if<std::int64_t>(&sample.value)) return *whole;
  if (const auto* real = std::get_if<double>(&sample.value)) return *real;
  return Blob{std::get<std::string>(sample.value)};  // May hold any octets.
}

/// Columns: time, form, value, error.
Sample read_sample(const Statement& row, std::string_view tag) {
  Sample sample;
  sample.tag = tag;
  sample.time = from_ms(row.integer(0));
  const auto form = row.integer(1);
  sample.quality = static_cast<Quality>(form & 3);
  sample.late = (form & 4) != 0;
  if (!row.is_null(3)) sample.error = row.text(3);
  if (sample.quality == Quality::bad) return sample;
  switch (form >> 3) {
    case 0:
      sample.value = row.integer(2) != 0;
      break;
    case 1:
      sample.value = row.integer(2);
      break;
    case 2:  // What is not a number is kept as NULL.
      sample.value = row.is_null(2) ? std::numeric_limits<double>::quiet_NaN() : row.real(2);
      break;
    default:
      sample.value = std::string(row.blob(2));
  }
  return sample;
}

void add_to(Point& point, double value, bool late) {
  point.min = point.count == 0 ? value : std::min(point.min, value);
  point.max = point.count == 0 ? value : std::max(point.max, value);
  if (point.count == 0) point.first = value;
  point.last = value;
  point.mean += value;  // The sum, until all are in.
  ++point.count;
  if (late) ++point.late;
}

}  // namespace

Result<std::shared_ptr<DayFile>> DayFile::open(const std::string& path, const Clock& clock) {
  storage::SqliteOptions options;
  options.path = path;
  options.clock = &clock;
  ECP_TRY(auto driver, storage::sqlite_driver(options));
  std::shared_ptr<DayFile> file(new DayFile(std::move(driver)));
  ECP_TRY(file->writer_, file->driver_->connect());
  ECP_TRY(const auto found, version_of(*file->writer_));
  if (found > schema_version) {
    return Error(reasons::newer_file, {{"path", path},
                                       {"found", std::to_string(found)},
                                       {"known", std::to_string(schema_version)}});
  }
  ECP_TRY_VOID(file->writer_->execute(schema));
  ECP_TRY(file->reader_, file->driver_->connect());
  return file;
}

template <class Unit>
Result<void> DayFile::in_transaction(Unit&& unit) {
  ECP_TRY_VOID(writer_->begin(true));
  auto done = unit();
  if (done) done = writer_->commit();
  if (!done) {
    writer_->rollback();
    tags_.clear();  // May hold ids that were rolled back.
  }
  return done;
}

Result<void> DayFile::append(const std::vector<DayPart>& parts) {
  return in_transaction([&]() -> Result<void> {
    for (const auto& part : parts) ECP_TRY_VOID(append_part(part));
    return {};
  });
}

Result<void> DayFile::append_part(const DayPart& part) {
  ECP_TRY(const auto buffer, buffer_id(part.buffer));
  ECP_TRY_VOID(insert_samples(part, buffer));
  const auto& key = part.buffer.series;
  for (const auto& [first, last] : part.settled) {
    ECP_TRY(const auto grown,
            writer_->run("UPDATE applied SET last = $1 WHERE buffer = $2 AND project = $3 AND "
                         "service = $4 AND last = $5",
                         last, buffer, blob(key.project), blob(key.service), first - 1));
    if (grown > 0) continue;
    ECP_TRY_VOID(
        writer_->run("INSERT INTO applied (buffer, project, service, first, last) VALUES "
                     "($1, $2, $3, $4, $5) ON CONFLICT (buffer, project, service, first) "
                     "DO UPDATE SET last = max(last, excluded.last)",
                     buffer, blob(key.project), blob(key.service), first, last));
  }
  for (const auto& gap : part.gaps) {
    ECP_TRY_VOID(
        writer_->run("INSERT INTO gaps (project, service, since, why, until, samples) VALUES "
                     "($1, $2, $3, $4, $5, $6) ON CONFLICT (project, service, since, why) DO "
                     "UPDATE SET until = max(until, excluded.until), "
                     "samples = samples + excluded.samples",
                     blob(key.project), blob(key.service), gap.from, gap.why, gap.to, gap.samples));
  }
  return {};
}

Result<void> DayFile::insert_samples(const DayPart& part, std::int64_t buffer) {
  for (const auto& [number, sample, time] : part.samples) {
    ECP_TRY(const auto tag, tag_id(part.buffer.series, sample->tag));
    std::optional<std::string_view> error;
    if (!sample->error.empty()) error = sample->error;
    ECP_TRY_VOID(
        writer_->run("INSERT INTO samples (tag, time, buffer, number, form, value, error) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                     tag, time, buffer, number, form_of(*sample), parameter_of(*sample), error));
  }
  return {};
}

Result<std::int64_t> DayFile::tag_id(const SeriesKey& key, const std::string& tag) {
  auto& known = tags_[key];
  if (const auto found = known.find(tag); found != known.end()) return found->second;
  ECP_TRY_VOID(writer_->run(
      "INSERT INTO tags (project, service, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      blob(key.project), blob(key.service), tag));
  ECP_TRY(auto* const row,
          writer_->bound("SELECT id FROM tags WHERE project = $1 AND service = $2 AND tag = $3",
                         blob(key.project), blob(key.service), tag));
  ECP_TRY_VOID(row->step());
  const auto id = row->integer(0);
  row->reset();
  known.emplace(tag, id);
  return id;
}

Result<std::int64_t> DayFile::buffer_id(const BufferKey& key) {
  ECP_TRY_VOID(
      writer_->run("INSERT INTO buffers (agent, buffer) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                   blob(key.agent), key.buffer_id));
  ECP_TRY(auto* const row, writer_->bound("SELECT id FROM buffers WHERE agent = $1 AND buffer = $2",
                                          blob(key.agent), key.buffer_id));
  ECP_TRY_VOID(row->step());
  const auto id = row->integer(0);
  row->reset();
  return id;
}

Result<void> DayFile::remove(const SeriesKey& key) {
  tags_.clear();
  return in_transaction([&]() -> Result<void> {
    for (const char* sql :
         {"DELETE FROM samples WHERE tag IN (SELECT id FROM tags WHERE project = $1 AND service = "
          "$2)",
          "DELETE FROM tags WHERE project = $1 AND service = $2",
          "DELETE FROM applied WHERE project = $1 AND service = $2",
          "DELETE FROM gaps WHERE project = $1 AND service = $2"}) {
      ECP_TRY_VOID(writer_->run(sql, blob(key.project), blob(key.service)));
    }
    return {};
  });
}

Result<void> DayFile::load_applied(std::map<BufferKey, NumberRanges>& into) {
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(auto* const row,
          reader_->bound("SELECT b.agent, b.buffer, a.project, a.service, a.first, a.last FROM "
                         "applied a JOIN buffers b ON b.id = a.buffer"));
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    BufferKey key{
        {id_of(row->blob(2)), id_of(row->blob(3))}, id_of(row->blob(0)), std::string(row->text(1))};
    into[std::move(key)].add({row->integer(4), row->integer(5)});
  }
  row->reset();
  return {};
}

Result<std::vector<std::int64_t>> DayFile::tag_ids(const SeriesKey& key) {
  ECP_TRY(auto* const row, reader_->bound("SELECT id FROM tags WHERE project = $1 AND service = $2",
                                          blob(key.project), blob(key.service)));
  std::vector<std::int64_t> ids;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    ids.push_back(row->integer(0));
  }
  row->reset();
  return ids;
}

Result<void> DayFile::load_latest(const SeriesKey& key, std::map<std::string, Sample>& into) {
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(auto* const row,
          reader_->bound(
              "SELECT s.time, s.form, s.value, s.error, t.tag FROM tags t JOIN samples s ON s.tag "
              "= t.id AND (s.time, s.buffer, s.number) = (SELECT n.time, n.buffer, n.number FROM "
              "samples n WHERE n.tag = t.id ORDER BY n.time DESC, n.buffer DESC, n.number DESC "
              "LIMIT 1) WHERE t.project = $1 AND t.service = $2",
              blob(key.project), blob(key.service)));
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    auto sample = read_sample(*row, row->text(4));
    auto& known = into[sample.tag];
    if (known.tag.empty() || known.time <= sample.time) known = std::move(sample);
  }
  row->reset();
  return {};
}

Result<void> DayFile::load_samples(const SeriesKey& key, std::string_view tag, Time from, Time to,
                                   std::size_t limit, std::vector<Sample>& into) {
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(auto* const row,
          reader_->bound("SELECT s.time, s.form, s.value, s.error FROM tags t JOIN samples s ON "
                         "s.tag = t.id WHERE t.project = $1 AND t.service = $2 AND t.tag = $3 AND "
                         "s.time >= $4 AND s.time < $5 ORDER BY s.time, s.buffer, s.number",
                         blob(key.project), blob(key.service), tag, from, to));
  while (into.size() < limit) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    into.push_back(read_sample(*row, tag));
  }
  row->reset();
  return {};
}

Result<void> DayFile::aggregate(const SeriesKey& key, std::string_view tag, Time from, Time to,
                                std::vector<Point>& points) {
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(auto* const row,
          reader_->bound(
              "SELECT s.time, s.value, s.form & 4 FROM tags t JOIN samples s ON s.tag = t.id "
              "WHERE t.project = $1 AND t.service = $2 AND t.tag = $3 AND s.time >= $4 AND "
              "s.time < $5 AND s.form & 3 <> 1 AND s.form / 8 < 3 AND s.value IS NOT "
              "NULL ORDER BY s.time, s.buffer, s.number",
              blob(key.project), blob(key.service), tag, from, to));
  const auto span = static_cast<double>((to - from).count());
  const auto width = static_cast<double>(points.size()) / span;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    const auto place = static_cast<double>(row->integer(0) - to_ms(from)) * width;
    add_to(points[std::min(static_cast<std::size_t>(place), points.size() - 1)], row->real(1),
           row->integer(2) != 0);
  }
  row->reset();
  return {};
}

Result<void> DayFile::load_gaps(const SeriesKey& key, Time from, Time to, std::vector<Gap>& into) {
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(auto* const row,
          reader_->bound("SELECT since, until, samples, why FROM gaps WHERE project = $1 AND "
                         "service = $2 AND since < $3 AND until > $4 ORDER BY since",
                         blob(key.project), blob(key.service), to, from));
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    into.push_back({from_ms(row->integer(0)), from_ms(row->integer(1)), row->integer(2),
                    std::string(row->text(3))});
  }
  row->reset();
  return {};
}

Result<std::int64_t> DayFile::count(const SeriesKey& key) {
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(auto* const row,
          reader_->bound("SELECT count(*) FROM samples WHERE tag IN (SELECT id FROM tags WHERE "
                         "project = $1 AND service = $2)",
                         blob(key.project), blob(key.service)));
  ECP_TRY_VOID(row->step());
  const auto number = row->integer(0);
  row->reset();
  return number;
}

Result<void> DayFile::load_times(const SeriesKey& key, Time from, Time to,
                                 std::vector<Time>& into) {
  constexpr int dense_tags = 3;
  const std::lock_guard lock(reader_mutex_);
  ECP_TRY(const auto tags, tag_ids(key));
  int dense = 0;
  for (const auto tag : tags) {
    for (const char* sql :
         {"SELECT time FROM samples WHERE tag = $1 AND time <= $2 ORDER BY time DESC LIMIT 1",
          "SELECT time FROM samples WHERE tag = $1 AND time >= $2 ORDER BY time LIMIT 1"}) {
      const bool before = std::string_view(sql).find("DESC") != std::string_view::npos;
      ECP_TRY(auto* const edge, reader_->bound(sql, tag, before ? from : to));
      ECP_TRY(const bool found, edge->step());
      if (found) into.push_back(from_ms(edge->integer(0)));
      edge->reset();
    }
    if (dense == dense_tags) continue;
    ECP_TRY(auto* const row,
            reader_->bound("SELECT time FROM samples WHERE tag = $1 AND time > $2 AND time < $3 "
                           "ORDER BY time",
                           tag, from, to));
    bool any = false;
    while (true) {
      ECP_TRY(const bool more, row->step());
      if (!more) break;
      into.push_back(from_ms(row->integer(0)));
      any = true;
    }
    row->reset();
    if (any) ++dense;
  }
  return {};
}

}  // namespace ecp::inline v0::series
