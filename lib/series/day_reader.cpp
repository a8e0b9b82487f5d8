// SPDX-License-Identifier: Apache-2.0
#include "series/day_reader.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "series/chunk.hpp"
#include "series/day_rows.hpp"

namespace ecp::inline v0::series {
namespace {

using day::blob;
using day::id_of;
using day::read_row;
using storage::sql::Connection;
using storage::sql::Statement;

constexpr int dense_tags = 3;  // Whose times between are told.

bool is_earlier(const Sample& left, const Sample& right) { return left.time < right.time; }

/// Run a visitor on each row of a bound statement; the visitor may end it by answering false.
template <class Visitor>
Result<void> each_row(Statement& row, Visitor&& visit) {
  while (true) {
    ECP_TRY(const bool more, row.step());
    if (!more) break;
    ECP_TRY(const bool go_on, visit(row));
    if (!go_on) break;
  }
  row.reset();
  return {};
}

struct Tag {
  std::int64_t id = 0;
  std::string name;
};

Result<std::vector<Tag>> tags_of(Connection& connection, const SeriesKey& key) {
  ECP_TRY(auto* const row,
          connection.bound("SELECT id, tag FROM tags WHERE project = $1 AND service = $2",
                           blob(key.project), blob(key.service)));
  std::vector<Tag> tags;
  ECP_TRY_VOID(each_row(*row, [&](const Statement& found) -> Result<bool> {
    tags.push_back({found.integer(0), std::string(found.text(1))});
    return true;
  }));
  return tags;
}

Result<std::optional<std::int64_t>> find_tag(Connection& connection, const SeriesKey& key,
                                             std::string_view tag) {
  ECP_TRY(auto* const row,
          connection.bound("SELECT id FROM tags WHERE project = $1 AND service = $2 AND tag = $3",
                           blob(key.project), blob(key.service), tag));
  std::optional<std::int64_t> id;
  ECP_TRY_VOID(each_row(*row, [&](const Statement& found) -> Result<bool> {
    id = found.integer(0);
    return true;
  }));
  return id;
}

/// Where a chunk lies.
struct ChunkPlace {
  std::int64_t id = 0;
  Time since;
  Time until;
};

/// The chunks of a tag that reach into [from, to), by their beginning.
Result<std::vector<ChunkPlace>> places(Connection& connection, std::int64_t tag, Time from,
                                       Time to) {
  ECP_TRY(auto* const row,
          connection.bound("SELECT id, since, until FROM chunks WHERE tag = $1 AND until >= $2 AND "
                           "since < $3 ORDER BY since, id",
                           tag, from, to));
  std::vector<ChunkPlace> found;
  ECP_TRY_VOID(each_row(*row, [&](const Statement& chunk) -> Result<bool> {
    found.push_back({chunk.integer(0), from_ms(chunk.integer(1)), from_ms(chunk.integer(2))});
    return true;
  }));
  return found;
}

Result<Bytes> body_of(Connection& connection, std::int64_t id) {
  ECP_TRY(auto* const row, connection.bound("SELECT body FROM chunks WHERE id = $1", id));
  ECP_TRY(const bool found, row->step());
  Bytes body(found ? row->blob(0) : BytesView());
  row->reset();
  return body;
}

/// The oldest `room` of the samples found so far and some more, both by time; of equal times the
/// older ones come first.
void merge(std::vector<Sample>& found, std::vector<Sample> more, std::size_t room) {
  const auto middle = static_cast<std::ptrdiff_t>(found.size());
  std::move(more.begin(), more.end(), std::back_inserter(found));
  std::inplace_merge(found.begin(), found.begin() + middle, found.end(), is_earlier);
  if (found.size() > room) found.resize(room);
}

Result<void> add_sealed(Connection& connection, std::int64_t id, std::string_view tag, Time from,
                        Time to, std::size_t room, std::vector<Sample>& found) {
  ECP_TRY(const auto chunks, places(connection, id, from, to));
  for (const auto& chunk : chunks) {
    if (found.size() == room && found.back().time <= chunk.since) break;
    ECP_TRY(const auto body, body_of(connection, chunk.id));
    ECP_TRY(auto samples, day::stored(decode_chunk(body, tag)));
    samples.erase(std::remove_if(samples.begin(), samples.end(),
                                 [&](const Sample& sample) {
                                   return sample.time < from || sample.time >= to;
                                 }),
                  samples.end());
    merge(found, std::move(samples), room);
  }
  return {};
}

Result<void> add_open(Connection& connection, std::int64_t id, std::string_view tag, Time from,
                      Time to, std::size_t room, std::vector<Sample>& found) {
  ECP_TRY(auto* const row,
          connection.bound("SELECT time, form, value, error FROM samples WHERE tag = $1 AND time "
                           ">= $2 AND time < $3 ORDER BY time, buffer, number",
                           id, from, to));
  std::vector<Sample> open;
  ECP_TRY_VOID(each_row(*row, [&](const Statement& sample) -> Result<bool> {
    open.push_back(read_row(sample, tag));
    return open.size() < room;
  }));
  merge(found, std::move(open), room);
  return {};
}

/// The newest sample of a tag; of equal times, the one that came last.
Result<std::optional<Sample>> newest(Connection& connection, const Tag& tag) {
  std::optional<Sample> found;
  ECP_TRY(auto* const chunk,
          connection.bound("SELECT id FROM chunks WHERE tag = $1 ORDER BY until DESC, id DESC "
                           "LIMIT 1",
                           tag.id));
  ECP_TRY_VOID(each_row(*chunk, [&](const Statement& row) -> Result<bool> {
    ECP_TRY(const auto body, body_of(connection, row.integer(0)));
    ECP_TRY(auto samples, day::stored(decode_chunk(body, tag.name)));
    for (auto& sample : samples) {
      if (!found || found->time <= sample.time) found = std::move(sample);
    }
    return false;
  }));
  ECP_TRY(auto* const open,
          connection.bound("SELECT time, form, value, error FROM samples WHERE tag = $1 ORDER BY "
                           "time DESC, buffer DESC, number DESC LIMIT 1",
                           tag.id));
  ECP_TRY_VOID(each_row(*open, [&](const Statement& row) -> Result<bool> {
    auto sample = read_row(row, tag.name);
    if (!found || found->time <= sample.time) found = std::move(sample);
    return false;
  }));
  return found;
}

/// The times of one tag around and in a range.
struct TimesAround {
  Time from;
  Time to;
  std::optional<Time> before;
  std::optional<Time> after;
  std::vector<Time> between;

  void add(Time time) {
    if (time <= from) {
      before = before ? std::max(*before, time) : time;
    } else if (time >= to) {
      after = after ? std::min(*after, time) : time;
    } else {
      between.push_back(time);
    }
  }
};

/// Add what a statement tells.
template <class... Values>
Result<void> add_times(Connection& connection, TimesAround& times, const char* sql,
                       const Values&... values) {
  ECP_TRY(auto* const row, connection.bound(sql, values...));
  return each_row(*row, [&](const Statement& found) -> Result<bool> {
    if (!found.is_null(0)) times.add(from_ms(found.integer(0)));
    return true;
  });
}

Result<void> add_sealed_times(Connection& connection, std::int64_t tag, bool is_dense,
                              TimesAround& times) {
  ECP_TRY_VOID(add_times(connection, times,
                         "SELECT max(until) FROM chunks WHERE tag = $1 AND until <= $2", tag,
                         times.from));
  ECP_TRY_VOID(add_times(connection, times,
                         "SELECT min(since) FROM chunks WHERE tag = $1 AND until >= $2 AND since "
                         ">= $2",
                         tag, times.to));
  ECP_TRY(const auto chunks, places(connection, tag, times.from, times.to));
  for (const auto& chunk : chunks) {
    const bool is_inside = chunk.since > times.from && chunk.until < times.to;
    if (is_inside && !is_dense) continue;
    ECP_TRY(const auto body, body_of(connection, chunk.id));
    ECP_TRY(const auto here, day::stored(decode_times(body)));
    for (const auto time : here) times.add(time);
  }
  return {};
}

Result<void> add_open_times(Connection& connection, std::int64_t tag, bool is_dense,
                            TimesAround& times) {
  ECP_TRY_VOID(add_times(connection, times,
                         "SELECT max(time) FROM samples WHERE tag = $1 AND time <= $2", tag,
                         times.from));
  ECP_TRY_VOID(add_times(connection, times,
                         "SELECT min(time) FROM samples WHERE tag = $1 AND time >= $2", tag,
                         times.to));
  if (!is_dense) return {};
  return add_times(connection, times,
                   "SELECT time FROM samples WHERE tag = $1 AND time > $2 AND time < $3", tag,
                   times.from, times.to);
}

}  // namespace

template <class Unit>
Result<void> DayReader::in_snapshot(Unit&& unit) {
  const std::lock_guard lock(mutex_);
  ECP_TRY_VOID(connection_->begin(false));
  auto done = unit(*connection_);
  connection_->rollback();  // There is nothing to commit.
  return done;
}

Result<void> DayReader::load_applied(std::map<BufferKey, NumberRanges>& into) {
  return in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(auto* const row,
            connection.bound("SELECT b.agent, b.buffer, a.project, a.service, a.first, a.last FROM "
                             "applied a JOIN buffers b ON b.id = a.buffer"));
    return each_row(*row, [&](const Statement& range) -> Result<bool> {
      BufferKey key{{id_of(range.blob(2)), id_of(range.blob(3))},
                    id_of(range.blob(0)),
                    std::string(range.text(1))};
      into[std::move(key)].add({range.integer(4), range.integer(5)});
      return true;
    });
  });
}

Result<void> DayReader::load_latest(const SeriesKey& key, std::map<std::string, Sample>& into) {
  return in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(const auto tags, tags_of(connection, key));
    for (const auto& tag : tags) {
      if (into.count(tag.name) > 0) continue;
      ECP_TRY(auto sample, newest(connection, tag));
      if (sample) into.emplace(tag.name, std::move(*sample));
    }
    return {};
  });
}

Result<void> DayReader::load_samples(const SeriesKey& key, std::string_view tag, Time from, Time to,
                                     std::size_t limit, std::vector<Sample>& into) {
  if (into.size() >= limit) return {};
  const auto room = limit - into.size();
  std::vector<Sample> found;
  auto done = in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(const auto id, find_tag(connection, key, tag));
    if (!id) return {};
    ECP_TRY_VOID(add_sealed(connection, *id, tag, from, to, room, found));
    return add_open(connection, *id, tag, from, to, room, found);
  });
  if (!done) return done;
  std::move(found.begin(), found.end(), std::back_inserter(into));
  return {};
}

Result<void> DayReader::load_chart(const SeriesKey& key, std::string_view tag, Time from, Time to,
                                   Chart& chart) {
  return in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(const auto id, find_tag(connection, key, tag));
    if (!id) return {};
    ECP_TRY(auto* const chunk,
            connection.bound("SELECT body FROM chunks WHERE tag = $1 AND until >= $2 AND since < "
                             "$3",
                             *id, from, to));
    ECP_TRY_VOID(each_row(*chunk, [&](const Statement& row) -> Result<bool> {
      ECP_TRY(const auto summary, day::stored(read_summary(row.blob(0))));
      if (chart.is_in_one_interval(summary)) {
        chart.add(summary);
        return true;
      }
      ECP_TRY(const auto numbers, day::stored(decode_numbers(row.blob(0))));
      for (const auto& number : numbers) chart.add(number);
      return true;
    }));
    ECP_TRY(auto* const open,
            connection.bound("SELECT time, form, value, error FROM samples WHERE tag = $1 AND time "
                             ">= $2 AND time < $3 ORDER BY time, buffer, number",
                             *id, from, to));
    return each_row(*open, [&](const Statement& row) -> Result<bool> {
      const auto sample = read_row(row, {});
      const auto number = number_of(sample);
      if (number) chart.add(NumberAt{sample.time, *number, sample.late});
      return true;
    });
  });
}

Result<void> DayReader::load_gaps(const SeriesKey& key, Time from, Time to,
                                  std::vector<Gap>& into) {
  return in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(auto* const row,
            connection.bound("SELECT since, until, samples, why FROM gaps WHERE project = $1 AND "
                             "service = $2 AND since < $3 AND until > $4 ORDER BY since",
                             blob(key.project), blob(key.service), to, from));
    return each_row(*row, [&](const Statement& gap) -> Result<bool> {
      into.push_back({from_ms(gap.integer(0)), from_ms(gap.integer(1)), gap.integer(2),
                      std::string(gap.text(3))});
      return true;
    });
  });
}

Result<std::int64_t> DayReader::count(const SeriesKey& key) {
  std::int64_t total = 0;
  ECP_TRY_VOID(in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(auto* const row,
            connection.bound("WITH mine AS (SELECT id FROM tags WHERE project = $1 AND service = "
                             "$2) SELECT (SELECT count(*) FROM samples WHERE tag IN mine) + "
                             "(SELECT coalesce(sum(samples), 0) FROM chunks WHERE tag IN mine)",
                             blob(key.project), blob(key.service)));
    return each_row(*row, [&](const Statement& found) -> Result<bool> {
      total = found.integer(0);
      return true;
    });
  }));
  return total;
}

Result<void> DayReader::load_times(const SeriesKey& key, Time from, Time to,
                                   std::vector<Time>& into) {
  return in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(const auto tags, tags_of(connection, key));
    int dense = 0;
    for (const auto& tag : tags) {
      TimesAround times{from, to, {}, {}, {}};
      ECP_TRY_VOID(add_sealed_times(connection, tag.id, dense < dense_tags, times));
      ECP_TRY_VOID(add_open_times(connection, tag.id, dense < dense_tags, times));
      if (times.before) into.push_back(*times.before);
      if (times.after) into.push_back(*times.after);
      if (!times.between.empty()) ++dense;
      into.insert(into.end(), times.between.begin(), times.between.end());
    }
    return {};
  });
}

Result<bool> DayReader::has_open_rows() {
  bool found = false;
  ECP_TRY_VOID(in_snapshot([&](Connection& connection) -> Result<void> {
    ECP_TRY(auto* const row, connection.bound("SELECT 1 FROM samples LIMIT 1"));
    return each_row(*row, [&](const Statement&) -> Result<bool> {
      found = true;
      return false;
    });
  }));
  return found;
}

}  // namespace ecp::inline v0::series
