// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A series store on a folder of its own, fed by one buffer.

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/sql/driver.hpp>
#include <ecp/storage/sqlite.hpp>

#include <doctest/doctest.h>

#include "support/results.hpp"
#include "support/temporary_folder.hpp"

namespace ecp_test {

inline constexpr ecp::Milliseconds second{1'000};
inline constexpr ecp::Milliseconds hour{3'600'000};
inline constexpr ecp::Milliseconds day{86'400'000};
inline constexpr ecp::Milliseconds year = 365 * day;

/// A connection to a day file that no store has open.
inline std::unique_ptr<ecp::storage::sql::Connection> connect(const std::string& path) {
  ecp::storage::SqliteOptions options;
  options.path = path;
  return must(must(ecp::storage::sqlite_driver(options))->connect());
}
inline std::int64_t rows_of(const std::string& path, const std::string& table) {
  const auto connection = connect(path);
  auto* const row = must(connection->bound("SELECT count(*) FROM " + table));
  REQUIRE(must(row->step()));
  return row->integer(0);
}
inline void execute(const std::string& path, std::string_view sql) {
  must(connect(path)->execute(sql));
}

/// A folder of series, a clock that is moved, and one buffer that fills it.
struct Line {
  Line() { reopen(); }
  void reopen() {
    store.reset();
    store = must(ecp::series::open_embedded_series(folder / "series", env.env()));
  }
  void append(std::vector<ecp::series::Sample> samples) {
    ecp::series::NumberedBatch batch;
    batch.agent = ecp::IdBytes{1};
    batch.buffer_id = "buffer-1";
    batch.first = next;
    next += static_cast<std::int64_t>(samples.size());
    batch.samples = std::move(samples);
    CHECK(must(store->append({{key, batch}})).front().upto == next - 1);
  }
  /// Let so much time pass that the days before are over and calm, and do what is due.
  void pass_days() {
    env.clock.advance(3 * day);
    CHECK(must(store->expire(env.clock.now() - year)) == 0);
  }
  /// Path of the file of a day, closed.
  std::string file_of(ecp::Time time) {
    store.reset();
    return folder / ("series/" + ecp::to_rfc3339(time).substr(0, 10) + ".db");
  }
  /// Octets on the disk, all files of the folder together.
  double octets() {
    store.reset();
    std::uintmax_t total = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder / "series")) {
      total += entry.file_size();
    }
    return static_cast<double>(total);
  }

  ecp::testing::TemporaryFolder folder;
  ecp::ManualEnv env;
  ecp::series::SeriesKey key{ecp::IdBytes{2}, ecp::IdBytes{3}};
  std::int64_t next = 1;
  std::unique_ptr<ecp::series::SeriesStore> store;
};

}  // namespace ecp_test
