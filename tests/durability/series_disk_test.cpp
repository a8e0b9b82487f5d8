// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/series/series_store.hpp>

#include "support/backends.hpp"
#include "support/lossy_disk.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using Fault = LossyDisk::Fault;
using Unsynced = LossyDisk::Unsynced;

constexpr std::int64_t most_accesses = 5'000;  // More than any of these acts needs.
constexpr Milliseconds day{86'400'000};
constexpr Milliseconds year = 365 * day;
constexpr auto tag = "furnace/fast/temperature";

/// A series store on a folder of its own, and the samples it was given.
class SeriesDisk {
 public:
  void open() { store_ = must(series::open_embedded_series(folder_.file("series"), world_.env())); }
  bool try_open() {
    auto opened = series::open_embedded_series(folder_.file("series"), world_.env());
    if (opened) store_ = std::move(opened).value();
    return opened.has_value();
  }
  void close() { store_.reset(); }

  /// Add samples, one a second; false when the store could not take them.
  bool append(std::int64_t count) {
    const auto batch = batch_of(count);
    if (!store_->append({{key_, batch}})) return false;
    given_.insert(given_.end(), batch.samples.begin(), batch.samples.end());
    return true;
  }
  /// Let the day be over and calm, and do what is due.
  bool pass_day() {
    world_.clock.advance(3 * day);
    return store_->expire(world_.clock.now() - year).has_value();
  }
  /// Put a file of the first form, whose samples were never sealed, in place of a store.
  void take_first_form() {
    must(make_private_folder(folder_.file("series")));
    std::filesystem::copy_file(ECP_GOLDEN_FOLDER "/day_file_1.db", path());
  }
  [[nodiscard]] std::string path() const {
    return folder_.file("series/" + to_rfc3339(start_).substr(0, 10) + ".db");
  }
  /// The store has what it said to have, once, and of what it did not say, all or nothing.
  void check(std::int64_t unsaid, std::int64_t number) {
    CHECK(integrity_of(path()) == "ok");
    const auto found = must(store_->samples(key_, tag, start_, start_ + day, 100'000));
    CHECK(must(store_->count(key_)) == static_cast<std::int64_t>(found.size()));
    if (found.size() == given_.size() + static_cast<std::size_t>(unsaid)) {
      const auto batch = batch_of(unsaid);
      given_.insert(given_.end(), batch.samples.begin(), batch.samples.end());
    }
    CHECK_MESSAGE(found == given_, "cut at access " << number);
  }
  [[nodiscard]] std::int64_t count() { return must(store_->count(key_)); }

 private:
  [[nodiscard]] series::NumberedBatch batch_of(std::int64_t count) const {
    series::NumberedBatch batch;
    batch.buffer_id = "b";
    batch.first = static_cast<std::int64_t>(given_.size()) + 1;
    for (std::int64_t i = 0; i < count; ++i) {
      const auto second = batch.first + i;
      batch.samples.push_back({tag, start_ + second * Milliseconds(1'000), series::Quality::good,
                               static_cast<double>(second % 17) / 8, "", false});
    }
    return batch;
  }

  TemporaryFolder folder_;
  ManualEnv world_{7};
  Time start_ = world_.clock.now();
  series::SeriesKey key_{IdBytes{2}, IdBytes{3}};
  std::unique_ptr<series::SeriesStore> store_;
  std::vector<series::Sample> given_;
};

/// Let the power go at one access of an act on a store with some samples; false when the act has
/// not so many. `unsaid`: what the act appends.
bool cut_at(LossyDisk& lossy, std::int64_t number, Unsynced unsynced, std::int64_t before,
            std::int64_t unsaid, const std::function<bool(SeriesDisk&)>& act) {
  SeriesDisk disk;
  SeededRandom chance(static_cast<std::uint64_t>(number));
  disk.open();
  REQUIRE(disk.append(before));
  lossy.fail_at(number, Fault::cut);
  const bool is_done = act(disk);
  const bool was_cut = lossy.end_fault();
  lossy.power_cut();
  disk.close();
  lossy.restore(unsynced, chance);
  disk.open();
  disk.check(is_done ? 0 : unsaid, number);
  CHECK(disk.append(100));
  disk.check(0, number);
  CHECK(disk.pass_day());
  disk.check(0, number);
  return was_cut;
}

void cut_everywhere(std::int64_t before, std::int64_t unsaid,
                    const std::function<bool(SeriesDisk&)>& act) {
  LossyDisk lossy;
  for (const auto unsynced : {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors}) {
    at_every_access(most_accesses, 2, [&](std::int64_t number) {
      return cut_at(lossy, number, unsynced, before, unsaid, act);
    });
  }
}

TEST_SUITE("durability.sealing") {
  TEST_CASE("a power cut while an append seals loses and doubles no sample") {
    cut_everywhere(590, 20, [](SeriesDisk& disk) { return disk.append(20); });
  }

  TEST_CASE("a power cut while a day that is over is sealed loses and doubles no sample") {
    cut_everywhere(590, 0, [](SeriesDisk& disk) { return disk.pass_day(); });
  }

  TEST_CASE("a power cut while a file of the first form is taken over loses no sample of it") {
    LossyDisk lossy;
    for (const auto unsynced : {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors}) {
      at_every_access(most_accesses, 2, [&](std::int64_t number) {
        SeriesDisk disk;
        SeededRandom chance(static_cast<std::uint64_t>(number));
        disk.take_first_form();
        lossy.fail_at(number, Fault::cut);
        if (disk.try_open()) (void)disk.pass_day();  // May well be cut.
        const bool was_cut = lossy.end_fault();
        lossy.power_cut();
        disk.close();
        lossy.restore(unsynced, chance);
        disk.open();
        CHECK_MESSAGE(disk.count() == 660, "cut at access " << number);
        CHECK(disk.pass_day());
        CHECK_MESSAGE(disk.count() == 660, "cut at access " << number);
        CHECK(integrity_of(disk.path()) == "ok");
        return was_cut;
      });
    }
  }
}

}  // namespace
}  // namespace ecp_test
