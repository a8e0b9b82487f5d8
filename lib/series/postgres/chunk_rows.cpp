// SPDX-License-Identifier: Apache-2.0
#include "series/postgres/chunk_rows.hpp"

#include <algorithm>

#include <ecp/core/json.hpp>

namespace ecp::inline v0::series::postgres {
namespace {

constexpr std::int64_t rows_at_once = 500;

std::int64_t hour_of(Time time) { return to_ms(time) / hour_length.count(); }

Result<ChunkRow> close_row(std::int64_t tag, const std::vector<Sample>& samples) {
  ChunkRow row;
  row.tag = tag;
  row.since = samples.front().time;
  row.until = samples.back().time;
  row.samples = static_cast<std::int64_t>(samples.size());
  ECP_TRY(row.body, encode_chunk(samples));
  return row;
}

}  // namespace

Result<std::vector<ChunkRow>> chunk_up(std::int64_t tag, std::vector<Sample> samples) {
  std::stable_sort(samples.begin(), samples.end(),
                   [](const Sample& a, const Sample& b) { return a.time < b.time; });
  std::vector<ChunkRow> rows;
  std::vector<Sample> open;
  for (auto& sample : samples) {
    const bool is_full = open.size() == max_chunk_samples;
    if (!open.empty() && (is_full || hour_of(open.front().time) != hour_of(sample.time))) {
      ECP_TRY(rows.emplace_back(), close_row(tag, open));
      open.clear();
    }
    open.push_back(std::move(sample));
  }
  if (open.empty()) return rows;
  ECP_TRY(rows.emplace_back(), close_row(tag, open));
  return rows;
}

Result<void> insert_chunks(Connection& connection, const std::vector<ChunkRow>& rows, bool merged) {
  if (rows.empty()) return {};
  json::Writer writer;
  writer.begin_array();
  for (const auto& row : rows) {
    writer.begin_object()
        .field("tag", row.tag)
        .field("since", to_ms(row.since))
        .field("until", to_ms(row.until))
        .field("samples", row.samples)
        .field("body", to_base64(row.body))
        .end_object();
  }
  ECP_TRY_VOID(
      connection.run("INSERT INTO series_chunks (tag, since, until, samples, body, merged)"
                     " SELECT tag, since, until, samples, decode(body, 'base64'), $2"
                     " FROM json_to_recordset(CAST($1 AS json))"
                     " AS row (tag BIGINT, since BIGINT, until BIGINT, samples BIGINT, body TEXT)",
                     writer.end_array().take(), merged));
  return {};
}

Result<void> read_chunks(Connection& connection, const ChunkRange& range,
                         const std::function<Result<bool>(ChunkRow&)>& visit) {
  // No row is longer than an hour, so none that begins earlier reaches into the range.
  Time since = range.from - hour_length;
  std::int64_t id = 0;
  while (true) {
    ECP_TRY(
        auto* const read,
        connection.bound(
            "SELECT since, id, until, samples, inside, CASE WHEN inside THEN"
            " substring(body FROM 1 FOR 160) ELSE body END FROM (SELECT *, $6 > 0 AND since >= $4"
            " AND until < $5 AND (since - $4) * $6 / ($5 - $4) = (until - $4) * $6 / ($5 - $4) AS"
            " inside"
            " FROM series_chunks WHERE tag = $1 AND (since, id) > ($2, $3) AND since < $5"
            " AND until >= $4 ORDER BY since, id LIMIT $7) AS found ORDER BY since, id",
            range.tag, since, id, range.from, range.to, range.intervals, rows_at_once));
    std::int64_t count = 0;
    while (true) {
      ECP_TRY(const bool more, read->step());
      if (!more) break;
      ++count;
      since = from_ms(read->integer(0));
      id = read->integer(1);
      ChunkRow row{range.tag,
                   since,
                   from_ms(read->integer(2)),
                   read->integer(3),
                   Bytes(read->blob(5)),
                   read->integer(4) == 0};
      ECP_TRY(const bool go_on, visit(row));
      if (!go_on) return {};
    }
    if (count < rows_at_once) return {};
  }
}

}  // namespace ecp::inline v0::series::postgres
