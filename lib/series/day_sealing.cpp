// SPDX-License-Identifier: Apache-2.0
#include "series/day_sealing.hpp"

#include <algorithm>
#include <vector>

#include "series/chunk.hpp"
#include "series/day_rows.hpp"

namespace ecp::inline v0::series::day {
namespace {

using storage::sql::Blob;
using storage::sql::Connection;

constexpr std::int64_t rows_at_once = 16 * rows_to_seal;
constexpr std::size_t samples_per_chunk = 600;
constexpr std::int64_t small_chunk = 300;
constexpr std::int64_t pages_to_copy = 16'384;  // 64 MiB; VACUUM keeps a copy in memory.

/// The oldest open rows of a tag, and the key of the last of them.
struct OpenRows {
  std::vector<Sample> samples;
  std::int64_t time = 0;
  std::int64_t buffer = 0;
  std::int64_t number = 0;
};

Result<OpenRows> read_open(Connection& writer, std::int64_t tag) {
  ECP_TRY(auto* const row,
          writer.bound("SELECT time, form, value, error, buffer, number FROM samples WHERE tag = "
                       "$1 ORDER BY time, buffer, number LIMIT $2",
                       tag, rows_at_once));
  OpenRows open;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    open.samples.push_back(read_row(*row, {}));
    open.time = row->integer(0);
    open.buffer = row->integer(4);
    open.number = row->integer(5);
  }
  row->reset();
  return open;
}

/// Late samples come a few at a time: each time they join the small chunk of the time before.
Result<void> take_small_chunks(Connection& writer, std::int64_t tag, std::vector<Sample>& into) {
  ECP_TRY(auto* const row, writer.bound("SELECT id, body FROM chunks WHERE tag = $1 AND samples < "
                                        "$2 ORDER BY id",
                                        tag, small_chunk));
  std::vector<std::int64_t> taken;
  std::vector<Sample> samples;
  while (true) {
    ECP_TRY(const bool more, row->step());
    if (!more) break;
    taken.push_back(row->integer(0));
    ECP_TRY(auto some, stored(decode_chunk(row->blob(1), {})));
    std::move(some.begin(), some.end(), std::back_inserter(samples));
  }
  row->reset();
  for (const auto id : taken) {
    ECP_TRY_VOID(writer.run("DELETE FROM chunks WHERE id = $1", id));
  }
  std::move(into.begin(), into.end(), std::back_inserter(samples));
  std::stable_sort(samples.begin(), samples.end(),
                   [](const Sample& a, const Sample& b) { return a.time < b.time; });
  into = std::move(samples);
  return {};
}

/// `samples` by time, as chunks of about the same size.
Result<void> insert_chunks(Connection& writer, std::int64_t tag,
                           const std::vector<Sample>& samples) {
  const auto chunks =
      std::max<std::size_t>(1, (samples.size() + samples_per_chunk / 2) / samples_per_chunk);
  for (std::size_t i = 0; i < chunks; ++i) {
    const auto place = [&](std::size_t part) {
      return samples.begin() + static_cast<std::ptrdiff_t>(samples.size() * part / chunks);
    };
    const std::vector<Sample> part(place(i), place(i + 1));
    ECP_TRY(const auto body, encode_chunk(part));
    ECP_TRY_VOID(
        writer.run("INSERT INTO chunks (tag, since, until, samples, body) VALUES ($1, $2, $3, $4, "
                   "$5)",
                   tag, part.front().time, part.back().time, static_cast<std::int64_t>(part.size()),
                   Blob{body}));
  }
  return {};
}

Result<std::int64_t> number_of_pages(Connection& writer, const char* pragma) {
  ECP_TRY(auto* const row, writer.bound(pragma));
  ECP_TRY(const bool found, row->step());
  const auto pages = found ? row->integer(0) : 0;
  row->reset();
  return pages;
}

}  // namespace

Result<std::int64_t> seal_tag(Connection& writer, std::int64_t tag) {
  ECP_TRY(auto open, read_open(writer, tag));
  const auto sealed = static_cast<std::int64_t>(open.samples.size());
  if (sealed == 0) return 0;
  if (sealed < small_chunk) ECP_TRY_VOID(take_small_chunks(writer, tag, open.samples));
  ECP_TRY_VOID(insert_chunks(writer, tag, open.samples));
  ECP_TRY_VOID(
      writer.run("DELETE FROM samples WHERE tag = $1 AND (time, buffer, number) <= "
                 "($2, $3, $4)",
                 tag, open.time, open.buffer, open.number));
  return sealed;
}

Result<std::int64_t> seal_some(Connection& writer) {
  std::int64_t sealed = 0;
  while (sealed < rows_at_once) {
    ECP_TRY(auto* const row, writer.bound("SELECT tag FROM samples ORDER BY tag LIMIT 1"));
    ECP_TRY(const bool found, row->step());
    const auto tag = found ? row->integer(0) : 0;
    row->reset();
    if (!found) break;
    ECP_TRY(const auto some, seal_tag(writer, tag));
    sealed += some;
  }
  return sealed;
}

Result<void> compact(Connection& writer) {
  ECP_TRY(const auto all, number_of_pages(writer, "PRAGMA page_count"));
  ECP_TRY(const auto empty, number_of_pages(writer, "PRAGMA freelist_count"));
  if (empty * 8 < all || all - empty > pages_to_copy) return {};
  return writer.execute("VACUUM");
}

}  // namespace ecp::inline v0::series::day
