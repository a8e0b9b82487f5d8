// SPDX-License-Identifier: Apache-2.0
#include "series/day_file.hpp"

#include <algorithm>

#include <ecp/series/reasons.hpp>

#include "series/day_rows.hpp"
#include "series/day_sealing.hpp"

namespace ecp::inline v0::series {
namespace {

using day::blob;

// The first form had no chunks; its samples are open rows like others.
constexpr std::string_view schema = R"sql(
CREATE TABLE IF NOT EXISTS tags (id INTEGER PRIMARY KEY, project BLOB NOT NULL,
  service BLOB NOT NULL, tag TEXT NOT NULL, UNIQUE (project, service, tag));
CREATE TABLE IF NOT EXISTS buffers (id INTEGER PRIMARY KEY, agent BLOB NOT NULL,
  buffer TEXT NOT NULL, UNIQUE (agent, buffer));
CREATE TABLE IF NOT EXISTS samples (tag INTEGER NOT NULL, time INTEGER NOT NULL,
  buffer INTEGER NOT NULL, number INTEGER NOT NULL, form INTEGER NOT NULL, value, error TEXT,
  PRIMARY KEY (tag, time, buffer, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS chunks (id INTEGER PRIMARY KEY, tag INTEGER NOT NULL,
  since INTEGER NOT NULL, until INTEGER NOT NULL, samples INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_by_end ON chunks (tag, until, since, samples);
CREATE TABLE IF NOT EXISTS applied (buffer INTEGER NOT NULL, project BLOB NOT NULL,
  service BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  PRIMARY KEY (buffer, project, service, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gaps (project BLOB NOT NULL, service BLOB NOT NULL,
  since INTEGER NOT NULL, why TEXT NOT NULL, until INTEGER NOT NULL, samples INTEGER NOT NULL,
  PRIMARY KEY (project, service, since, why)) WITHOUT ROWID;
PRAGMA user_version = 2;
)sql";

constexpr std::int64_t schema_version = 2;  // As the schema's last line says.

// Many files are open, and the system keeps their pages too.
constexpr std::string_view reader_cache = "PRAGMA cache_size = -96";

// How many tags an append seals: enough to keep up with what it brings, and some that wait.
constexpr std::size_t least_tags_sealed = 8;
constexpr std::size_t samples_per_tag_sealed = static_cast<std::size_t>(day::rows_to_seal) / 2;

/// 0: a file just made.
Result<std::int64_t> version_of(storage::sql::Connection& connection) {
  ECP_TRY(auto* const row, connection.bound("PRAGMA user_version"));
  ECP_TRY(const bool found, row->step());
  const auto version = found ? row->integer(0) : 0;
  row->reset();
  return version;
}

}  // namespace

Result<std::shared_ptr<DayFile>> DayFile::open(const std::string& path, const Clock& clock) {
  storage::SqliteOptions options;
  options.path = path;
  options.clock = &clock;
  ECP_TRY(auto driver, storage::sqlite_driver(options));
  std::shared_ptr<DayFile> file(new DayFile(std::move(driver)));
  ECP_TRY(auto connection, file->driver_->connect());
  ECP_TRY(const auto found, version_of(*connection));
  if (found > schema_version) {
    return Error(reasons::newer_file, {{"path", path},
                                       {"found", std::to_string(found)},
                                       {"known", std::to_string(schema_version)}});
  }
  if (found < schema_version) ECP_TRY_VOID(connection->execute(schema));
  ECP_TRY_VOID(connection->execute(reader_cache));
  file->reader_ = std::make_unique<DayReader>(std::move(connection));
  return file;
}

/// Most files are only read: what is written is nearly always of today.
Result<void> DayFile::need_writer() {
  if (writer_) return {};
  ECP_TRY(writer_, driver_->connect());
  return {};
}

template <class Unit>
Result<void> DayFile::in_transaction(Unit&& unit) {
  ECP_TRY_VOID(need_writer());
  ECP_TRY_VOID(writer_->begin(true));
  auto done = unit();
  if (done) done = writer_->commit();
  if (!done) {
    writer_->rollback();
    forget_tags();  // May have ids that were rolled back.
  }
  return done;
}

Result<void> DayFile::append(const std::vector<DayPart>& parts) {
  return in_transaction([&]() -> Result<void> {
    std::size_t samples = 0;
    for (const auto& part : parts) {
      ECP_TRY_VOID(append_part(part));
      samples += part.samples.size();
    }
    return seal_full(samples);
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
    ECP_TRY(auto* const tag, find_tag(part.buffer.series, sample->tag));
    std::optional<std::string_view> error;
    if (!sample->error.empty()) error = sample->error;
    ECP_TRY_VOID(
        writer_->run("INSERT INTO samples (tag, time, buffer, number, form, value, error) "
                     "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                     tag->id, time, buffer, number, day::form_column(*sample),
                     day::value_column(*sample), error));
    if (++tag->open_rows == day::rows_to_seal) full_.push_back(tag);
  }
  return {};
}

/// In the transaction of the rows: sealing costs no sync of its own. Tags that fill up together
/// are sealed by and by, so that no append takes long.
Result<void> DayFile::seal_full(std::size_t appended) {
  const auto most = least_tags_sealed + appended / samples_per_tag_sealed;
  for (std::size_t i = 0; i < most && !full_.empty(); ++i) {
    auto& tag = *full_.back();
    ECP_TRY(const auto sealed, day::seal_tag(*writer_, tag.id));
    tag.open_rows = sealed == 0 ? 0 : std::max<std::int64_t>(0, tag.open_rows - sealed);
    if (tag.open_rows < day::rows_to_seal) full_.pop_back();
  }
  return {};
}

Result<DayFile::Tag*> DayFile::find_tag(const SeriesKey& key, const std::string& tag) {
  auto& known = tags_[key];
  if (const auto found = known.find(tag); found != known.end()) return &found->second;
  ECP_TRY_VOID(writer_->run(
      "INSERT INTO tags (project, service, tag) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
      blob(key.project), blob(key.service), tag));
  ECP_TRY(auto* const row,
          writer_->bound("SELECT id, (SELECT count(*) FROM samples WHERE tag = t.id) FROM tags t "
                         "WHERE project = $1 AND service = $2 AND tag = $3",
                         blob(key.project), blob(key.service), tag));
  ECP_TRY_VOID(row->step());
  auto& made = known[tag];
  made = {row->integer(0), row->integer(1)};
  row->reset();
  if (made.open_rows >= day::rows_to_seal) full_.push_back(&made);
  return &made;
}

void DayFile::forget_tags() {
  full_.clear();
  tags_.clear();
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
  forget_tags();
  return in_transaction([&]() -> Result<void> {
    for (const char* sql :
         {"DELETE FROM samples WHERE tag IN (SELECT id FROM tags WHERE project = $1 AND service = "
          "$2)",
          "DELETE FROM chunks WHERE tag IN (SELECT id FROM tags WHERE project = $1 AND service = "
          "$2)",
          "DELETE FROM tags WHERE project = $1 AND service = $2",
          "DELETE FROM applied WHERE project = $1 AND service = $2",
          "DELETE FROM gaps WHERE project = $1 AND service = $2"}) {
      ECP_TRY_VOID(writer_->run(sql, blob(key.project), blob(key.service)));
    }
    return {};
  });
}

Result<std::int64_t> DayFile::seal_some() {
  forget_tags();  // They would count rows that are gone.
  std::int64_t sealed = 0;
  ECP_TRY_VOID(in_transaction([&]() -> Result<void> {
    ECP_TRY(sealed, day::seal_some(*writer_));
    return {};
  }));
  return sealed;
}

Result<void> DayFile::compact() {
  ECP_TRY_VOID(need_writer());
  auto done = day::compact(*writer_);
  forget_tags();
  writer_.reset();
  return done;
}

}  // namespace ecp::inline v0::series
