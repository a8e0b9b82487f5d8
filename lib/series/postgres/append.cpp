// SPDX-License-Identifier: Apache-2.0
#include "series/postgres/append.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <map>
#include <set>
#include <tuple>

#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/storage/reasons.hpp>

#include "series/number_ranges.hpp"
#include "series/postgres/chunk_rows.hpp"

namespace ecp::inline v0::series::postgres {
namespace {

constexpr int most_rounds = 5;  // Of making a row that somebody else removes meanwhile.

std::string hex(const IdBytes& id) { return to_hex(blob(id).octets); }

/// A buffer within its service.
using BufferName = std::tuple<std::int64_t, std::string, std::string>;  // Service, agent's hex, id.
using TagName = std::pair<std::int64_t, std::string>;                   // Service, tag.

/// Ranges as text: "1 20 25 30".
std::string text_of(const NumberRanges& ranges) {
  std::string text;
  for (const auto& [first, last] : ranges.all()) {
    if (!text.empty()) text += ' ';
    text += std::to_string(first) + ' ' + std::to_string(last);
  }
  return text;
}

Result<NumberRanges> ranges_of(std::string_view text) {
  NumberRanges ranges;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    NumberRange range;
    auto read = std::from_chars(at, end, range.first);
    if (read.ec != std::errc{} || read.ptr == end) {
      return Error(ecp::reasons::damaged, {{"noun", "row of applied numbers"}});
    }
    read = std::from_chars(read.ptr + 1, end, range.second);
    if (read.ec != std::errc{}) {
      return Error(ecp::reasons::damaged, {{"noun", "row of applied numbers"}});
    }
    ranges.add(range);
    at = read.ptr == end ? end : read.ptr + 1;
  }
  return ranges;
}

std::string services_json(const std::vector<SeriesKey>& keys) {
  json::Writer writer;
  writer.begin_array();
  for (const auto& key : keys) {
    writer.begin_object().field("p", hex(key.project)).field("s", hex(key.service)).end_object();
  }
  return writer.end_array().take();
}

/// One append on its way.
class Append {
 public:
  Append(Connection& connection, const KeyedBatches& batches, Time now)
      : connection_(connection), batches_(batches), now_(now) {}

  Result<std::vector<Applied>> run() {
    ECP_TRY_VOID(lock());
    ECP_TRY_VOID(load_buffers());
    std::vector<std::int64_t> repeated;
    for (const auto& [key, batch] : batches_) {
      ECP_TRY(repeated.emplace_back(), take(services_.at(key), batch));
    }
    ECP_TRY_VOID(store_samples());
    ECP_TRY_VOID(store_buffers());
    std::vector<Applied> answers;
    for (const auto& [key, batch] : batches_) {
      const auto name = name_of(services_.at(key), batch);
      const auto& ranges = buffers_.at(name);
      Applied answer{ranges.upto(), ranges.beyond(), repeated[answers.size()],
                     ended_.count(name) > 0};
      if (answer.ranges.size() > max_ranges_told) answer.ranges.resize(max_ranges_told);
      answers.push_back(std::move(answer));
    }
    return answers;
  }

 private:
  static BufferName name_of(std::int64_t service, const NumberedBatch& batch) {
    return {service, hex(batch.agent), batch.buffer_id};
  }

  Result<void> lock() {
    std::set<SeriesKey> wanted;
    for (const auto& batch : batches_) wanted.insert(batch.first);
    const std::vector<SeriesKey> keys(wanted.begin(), wanted.end());
    ECP_TRY(const auto ids, lock_services(connection_, keys));
    for (std::size_t i = 0; i < keys.size(); ++i) services_.emplace(keys[i], ids[i]);
    return {};
  }

  Result<void> load_buffers() {
    json::Writer writer;
    writer.begin_array();
    for (const auto& [key, batch] : batches_) {
      const auto name = name_of(services_.at(key), batch);
      if (!buffers_.try_emplace(name).second) continue;
      write_name(writer.begin_object(), name).end_object();
    }
    ECP_TRY(auto* const row,
            connection_.bound(
                "SELECT b.service, encode(b.agent, 'hex'), b.buffer, b.applied, b.ended FROM"
                " series_buffers b JOIN json_to_recordset(CAST($1 AS json)) AS w"
                " (service BIGINT, agent TEXT, buffer TEXT) ON b.service = w.service"
                " AND b.agent = decode(w.agent, 'hex') AND b.buffer = w.buffer",
                writer.end_array().take()));
    while (true) {
      ECP_TRY(const bool more, row->step());
      if (!more) return {};
      const BufferName name{row->integer(0), std::string(row->text(1)), std::string(row->text(2))};
      ECP_TRY(buffers_[name], ranges_of(row->text(3)));
      if (row->integer(4) != 0) ended_.insert(name);
    }
  }

  /// Sort out what is new in a batch, and what will never come; return how much came before.
  Result<std::int64_t> take(std::int64_t service, const NumberedBatch& batch) {
    const auto name = name_of(service, batch);
    if (ended_.count(name) > 0) return 0;
    auto& ranges = buffers_.at(name);
    const auto size = static_cast<std::int64_t>(batch.samples.size());
    const auto repeated = size - ranges.count_missing({batch.first, batch.first + size - 1});
    for (const auto& range : batch.known) {
      if (ranges.missing(range).empty()) continue;
      ranges.add(range);
      changed_.insert(name);
    }
    for (const auto& range : ranges.missing({batch.first, batch.first + size - 1})) {
      for (auto number = range.first; number <= range.second; ++number) {
        auto sample = batch.samples[static_cast<std::size_t>(number - batch.first)];
        sample.time = bounded_time(sample.time, now_);
        samples_[{service, sample.tag}].push_back(std::move(sample));
      }
      ranges.add(range);
      changed_.insert(name);
    }
    auto lost = batch.dropped;
    if (batch.floor > 1) lost.emplace_back(1, batch.floor - 1);
    for (const auto& range : lost) {
      const auto count = ranges.count_missing(range);
      if (count == 0) continue;
      ranges.add(range);
      changed_.insert(name);
      ECP_TRY_VOID(note_loss(service, batch, count));
    }
    return repeated;
  }

  /// A gap that ends where the batch begins.
  Result<void> note_loss(std::int64_t service, const NumberedBatch& batch, std::int64_t count) {
    const auto to = batch.samples.empty() ? now_ : bounded_time(batch.samples.front().time, now_);
    const auto just_before = to - Milliseconds(1);
    ECP_TRY(const auto newest, newest_until(connection_, service, to - day_length, just_before));
    return insert_gap(connection_, service,
                      {newest.value_or(just_before), to, count, "buffer_full"});
  }

  Result<void> store_samples() {
    if (samples_.empty()) return {};
    ECP_TRY(const auto tags, tag_ids());
    std::vector<ChunkRow> rows;
    json::Writer newest;
    newest.begin_array();
    for (auto& [name, samples] : samples_) {
      const auto tag = tags.at(name);
      const auto* last = &samples.front();
      for (const auto& sample : samples) {
        if (sample.time >= last->time) last = &sample;
      }
      ECP_TRY(const auto newest_body, encode_chunk({*last}));
      newest.begin_object()
          .field("tag", tag)
          .field("at", to_ms(last->time))
          .field("body", to_base64(newest_body))
          .end_object();
      ECP_TRY(auto chunks, chunk_up(tag, std::move(samples)));
      std::move(chunks.begin(), chunks.end(), std::back_inserter(rows));
    }
    ECP_TRY_VOID(insert_chunks(connection_, rows, false));
    ECP_TRY_VOID(connection_.run(
        "UPDATE series_tags t SET latest_at = w.at, latest = decode(w.body, 'base64')"
        " FROM json_to_recordset(CAST($1 AS json)) AS w (tag BIGINT, at BIGINT, body TEXT)"
        " WHERE t.id = w.tag AND (t.latest_at IS NULL OR t.latest_at <= w.at)",
        newest.end_array().take()));
    return {};
  }

  Result<std::map<TagName, std::int64_t>> tag_ids() {
    json::Writer writer;
    writer.begin_array();
    for (const auto& entry : samples_) {
      writer.begin_object()
          .field("service", entry.first.first)
          .field("tag", entry.first.second)
          .end_object();
    }
    const auto wanted = writer.end_array().take();
    ECP_TRY(auto known, known_tags(wanted));
    if (known.size() == samples_.size()) return known;
    ECP_TRY_VOID(
        connection_.run("INSERT INTO series_tags (service, tag) SELECT service, tag FROM"
                        " json_to_recordset(CAST($1 AS json)) AS w (service BIGINT, tag TEXT)"
                        " ON CONFLICT DO NOTHING",
                        wanted));
    return known_tags(wanted);
  }

  Result<std::map<TagName, std::int64_t>> known_tags(const std::string& wanted) {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT t.service, t.tag, t.id FROM series_tags t JOIN"
                              " json_to_recordset(CAST($1 AS json)) AS w (service BIGINT, tag TEXT)"
                              " ON t.service = w.service AND t.tag = w.tag",
                              wanted));
    std::map<TagName, std::int64_t> known;
    while (true) {
      ECP_TRY(const bool more, row->step());
      if (!more) return known;
      known.emplace(TagName{row->integer(0), std::string(row->text(1))}, row->integer(2));
    }
  }

  Result<void> store_buffers() {
    if (changed_.empty()) return {};
    json::Writer writer;
    writer.begin_array();
    for (const auto& name : changed_) {
      write_name(writer.begin_object(), name)
          .field("applied", text_of(buffers_.at(name)))
          .end_object();
    }
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO series_buffers (service, agent, buffer, applied) SELECT service,"
        " decode(agent, 'hex'), buffer, applied FROM json_to_recordset(CAST($1 AS json)) AS w"
        " (service BIGINT, agent TEXT, buffer TEXT, applied TEXT)"
        " ON CONFLICT (service, agent, buffer) DO UPDATE SET applied = excluded.applied",
        writer.end_array().take()));
    return {};
  }

  static json::Writer& write_name(json::Writer& writer, const BufferName& name) {
    return writer.field("service", std::get<0>(name))
        .field("agent", std::get<1>(name))
        .field("buffer", std::get<2>(name));
  }

  Connection& connection_;
  const KeyedBatches& batches_;
  const Time now_;
  std::map<SeriesKey, std::int64_t> services_;
  std::map<BufferName, NumberRanges> buffers_;
  std::set<BufferName> ended_;
  std::set<BufferName> changed_;
  std::map<TagName, std::vector<Sample>> samples_;  ///< New ones, in the order of their numbers.
};

}  // namespace

Result<void> relax(Connection& connection) {
  return connection.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
}

Result<std::vector<std::int64_t>> lock_services(Connection& connection,
                                                const std::vector<SeriesKey>& keys) {
  const auto wanted = services_json(keys);
  for (int round = 0; round < most_rounds; ++round) {
    ECP_TRY(auto* const row,
            connection.bound("SELECT s.id, encode(s.project, 'hex'), encode(s.service, 'hex') FROM"
                             " series_services s JOIN json_to_recordset(CAST($1 AS json)) AS w"
                             " (p TEXT, s TEXT) ON s.project = decode(w.p, 'hex') AND s.service ="
                             " decode(w.s, 'hex') ORDER BY s.id FOR UPDATE OF s",
                             wanted));
    std::map<std::pair<std::string, std::string>, std::int64_t> found;
    while (true) {
      ECP_TRY(const bool more, row->step());
      if (!more) break;
      found.emplace(std::pair(std::string(row->text(1)), std::string(row->text(2))),
                    row->integer(0));
    }
    if (found.size() == keys.size()) {
      std::vector<std::int64_t> ids;
      ids.reserve(keys.size());
      for (const auto& key : keys) ids.push_back(found.at({hex(key.project), hex(key.service)}));
      return ids;
    }
    ECP_TRY_VOID(
        connection.run("INSERT INTO series_services (project, service) SELECT decode(p, 'hex'),"
                       " decode(s, 'hex') FROM json_to_recordset(CAST($1 AS json)) AS w"
                       " (p TEXT, s TEXT) ORDER BY p, s ON CONFLICT DO NOTHING",
                       wanted));
  }
  return storage::reasons::busy;
}

Result<void> begin_buffer(Connection& connection, const SeriesKey& key, const IdBytes& agent,
                          std::string_view buffer_id) {
  ECP_TRY(const auto ids, lock_services(connection, {key}));
  ECP_TRY_VOID(connection.run(
      "WITH begun AS (INSERT INTO series_buffers (service, agent, buffer, applied) VALUES"
      " ($1, $2, $3, '') ON CONFLICT DO NOTHING RETURNING service)"
      " UPDATE series_buffers b SET ended = 1 FROM begun WHERE b.service = begun.service AND"
      " b.agent = $2",
      ids.front(), blob(agent), buffer_id));
  return {};
}

Result<std::vector<Applied>> append_batches(Connection& connection, const KeyedBatches& batches,
                                            Time now) {
  if (batches.empty()) return std::vector<Applied>();
  return Append(connection, batches, now).run();
}

Result<void> insert_gap(Connection& connection, std::int64_t service, const Gap& gap) {
  ECP_TRY_VOID(connection.run(
      "INSERT INTO series_gaps (service, since, why, until, samples) VALUES ($1, $2, $3, $4, $5)"
      " ON CONFLICT (service, since, why) DO UPDATE SET until = greatest(series_gaps.until,"
      " excluded.until), samples = series_gaps.samples + excluded.samples",
      service, gap.from, gap.why, gap.to, gap.samples));
  return {};
}

Result<std::optional<Time>> newest_until(Connection& connection, std::int64_t service, Time least,
                                         Time at) {
  ECP_TRY(auto* const row,
          connection.bound("SELECT c.until, CASE WHEN c.until > $3 THEN c.body END FROM series_tags"
                           " t CROSS JOIN LATERAL (SELECT until, body FROM series_chunks WHERE"
                           " tag = t.id AND since <= $3 AND since > $2 - 3600000 AND until > $2"
                           " ORDER BY since DESC LIMIT 1) c WHERE t.service = $1",
                           service, least, at));
  std::optional<Time> newest;
  const auto consider = [&](Time time) {
    if (time > least && time <= at && (!newest || time > *newest)) newest = time;
  };
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) return newest;
    consider(from_ms(row->integer(0)));
    if (row->is_null(1)) continue;
    ECP_TRY(const auto times, decode_times(row->blob(1)));
    for (const auto time : times) consider(time);
  }
}

}  // namespace ecp::inline v0::series::postgres
