// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <ecp/core/limits.hpp>
#include <ecp/series/series_store.hpp>

#include <doctest/doctest.h>

#include "series_line.hpp"

using namespace ecp;
using namespace ecp_test;  // NOLINT: a test reads better without prefixes.
using series::NumberedBatch;
using series::Quality;
using series::Sample;

namespace {

/// What a store should know, kept the simple way.
class Memory {
 public:
  void add(const Sample& sample) { samples_[sample.tag].emplace(sample.time, sample); }

  std::vector<Sample> in(const std::string& tag, Time from, Time to, std::size_t limit) const {
    std::vector<Sample> found;
    const auto& all = samples_.at(tag);
    for (auto it = all.lower_bound(from); it != all.end() && it->first < to; ++it) {
      if (found.size() < limit) found.push_back(it->second);
    }
    return found;
  }
  bool has(const std::string& tag, Time time) const {
    const auto found = samples_.find(tag);
    return found != samples_.end() && found->second.count(time) > 0;
  }
  std::int64_t count() const {
    std::size_t total = 0;
    for (const auto& entry : samples_) total += entry.second.size();
    return static_cast<std::int64_t>(total);
  }
  const std::map<std::string, std::map<Time, Sample>>& all() const { return samples_; }

 private:
  std::map<std::string, std::map<Time, Sample>> samples_;
};

/// Two days, in which batches come late and in any order.
std::vector<Sample> random_batch(SeededRandom& random, Time start, Memory& memory) {
  std::vector<Sample> batch;
  const auto begin = start + Milliseconds(static_cast<std::int64_t>(random.below(172'800'000)));
  for (auto count = random.below(400); count > 0; --count) {
    const auto kind = random.below(3);
    Sample sample;
    sample.tag = "plc/fast/tag" + std::to_string(kind);
    sample.time = begin + Milliseconds(static_cast<std::int64_t>(random.below(4'000'000)));
    sample.late = random.below(3) == 0;
    sample.value = static_cast<std::int64_t>(random.below(1'000));
    if (kind == 1) sample.value = static_cast<double>(random.below(1'000)) / 8;
    if (kind == 2) sample.value = "word " + std::to_string(random.below(5));
    if (random.below(40) == 0) {
      sample.quality = Quality::bad;
      sample.value = 0.0;
      sample.error = "pipeline.timeout";
    }
    if (memory.has(sample.tag, sample.time)) continue;
    memory.add(sample);
    batch.push_back(sample);
  }
  return batch;
}

void check_chart(Line& line, const Memory& memory, const std::string& tag, Time from, Time to) {
  constexpr std::int64_t intervals = 37;
  const auto points = must(line.store->aggregate(line.key, tag, from, to, intervals));
  std::vector<std::vector<double>> expected(intervals);
  std::vector<std::int64_t> late(intervals);
  for (const auto& sample : memory.in(tag, from, to, ~std::size_t{0})) {
    if (sample.quality == Quality::bad || sample.value.index() == 3) continue;
    const auto place =
        static_cast<std::size_t>((sample.time - from).count() * intervals / (to - from).count());
    const auto* real = std::get_if<double>(&sample.value);
    expected[place].push_back(
        real != nullptr ? *real : static_cast<double>(std::get<std::int64_t>(sample.value)));
    late[place] += sample.late ? 1 : 0;
  }
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& numbers = expected[i];
    REQUIRE(points[i].count == static_cast<std::int64_t>(numbers.size()));
    CHECK(points[i].late == late[i]);
    if (numbers.empty()) continue;
    double sum = 0;
    for (const auto number : numbers) sum += number;
    CHECK(points[i].min == *std::min_element(numbers.begin(), numbers.end()));
    CHECK(points[i].max == *std::max_element(numbers.begin(), numbers.end()));
    CHECK(points[i].first == numbers.front());
    CHECK(points[i].last == numbers.back());
    CHECK(points[i].mean == doctest::Approx(sum / static_cast<double>(numbers.size())));
  }
}

/// Ask for everything, and compare it with what was put in.
void check_all(Line& line, const Memory& memory, Time start, SeededRandom& random) {
  CHECK(must(line.store->count(line.key)) == memory.count());
  const auto latest = must(line.store->latest(line.key));
  REQUIRE(latest.size() == memory.all().size());
  std::size_t place = 0;
  for (const auto& [tag, samples] : memory.all()) {
    CHECK(latest[place++].sample == samples.rbegin()->second);
    CHECK(must(line.store->samples(line.key, tag, start, start + 3 * day, 1'000'000)) ==
          memory.in(tag, start, start + 3 * day, 1'000'000));
    for (int i = 0; i < 10; ++i) {
      const auto from = start + Milliseconds(static_cast<std::int64_t>(random.below(180'000'000)));
      const auto to = from + Milliseconds(static_cast<std::int64_t>(random.below(50'000'000) + 1));
      const auto limit = static_cast<std::size_t>(random.below(500));
      CHECK(must(line.store->samples(line.key, tag, from, to, limit)) ==
            memory.in(tag, from, to, limit));
      check_chart(line, memory, tag, from, to);
    }
    check_chart(line, memory, tag, start, start + 3 * day);
  }
}

/// A furnace as tools/plant makes it, read as the demonstration does.
class Furnace {
 public:
  std::vector<Sample> read(Time time) {
    temperature_ += (setpoint_ - temperature_) * 0.05;
    if (++counter_ % 9'000 == 0) setpoint_ = setpoint_ > 500 ? 60 : 812.5;
    const auto humidity = std::max(5.0, 60 - (temperature_ - 20) / 10) + humidity_(random_);
    const auto seen = static_cast<float>(temperature_ + temperature_noise_(random_));
    // Polls are never quite in time.
    const auto at = time + Milliseconds(static_cast<std::int64_t>(random_() % 3));
    return {
        {"furnace/fast/temperature", at, Quality::good,
         std::round(static_cast<double>(seen) * 100) / 100, "", false},
        {"furnace/fast/counter", at, Quality::good, counter_ * 2, "", false},
        {"furnace/fast/setpoint", at, Quality::good, setpoint_, "", false},
        {"furnace/slow/humidity", at, Quality::good, std::round(humidity * 10) / 10, "", false}};
  }

 private:
  std::mt19937 random_{7};
  std::normal_distribution<double> temperature_noise_{0, 0.15};
  std::normal_distribution<double> humidity_{0, 0.3};
  double temperature_ = 20;
  double setpoint_ = 60;
  std::int64_t counter_ = 0;
};

}  // namespace

TEST_SUITE("series.sealing") {
  TEST_CASE("every answer is the same before and after samples are sealed, and with late ones") {
    Line line;
    Memory memory;
    SeededRandom random(5);
    const auto start = line.env.clock.now();
    line.env.clock.advance(2 * day);
    for (int i = 0; i < 30; ++i) line.append(random_batch(random, start, memory));
    check_all(line, memory, start, random);
    for (int round = 0; round < 3; ++round) {
      line.pass_days();
      check_all(line, memory, start, random);
      line.reopen();
      check_all(line, memory, start, random);
      line.append(random_batch(random, start, memory));  // From a backlog, into sealed days.
      check_all(line, memory, start, random);
    }
  }

  TEST_CASE("a tag has few open rows however much comes, and a day that is over has none") {
    Line line;
    const auto start = line.env.clock.now();
    for (int minute = 0; minute < 50; ++minute) {
      std::vector<Sample> samples;
      for (int i = 0; i < 60; ++i) {
        samples.push_back({"plc/fast/temperature", start + (60 * minute + i) * second,
                           Quality::good, 20.5, "", false});
      }
      line.append(samples);
    }
    const auto file = line.file_of(start);
    CHECK(rows_of(file, "samples") < 600);
    CHECK(rows_of(file, "chunks") == 5);
    line.reopen();
    line.pass_days();
    line.store.reset();
    CHECK(rows_of(file, "samples") == 0);
    CHECK(rows_of(file, "chunks") <= 6);
  }

  TEST_CASE("tags that fill up together are sealed by and by") {
    constexpr int tags = 60;
    Line line;
    const auto start = line.env.clock.now();
    int time = 0;
    const auto append = [&](int samples_each) {
      std::vector<Sample> samples;
      for (const auto end = time + samples_each; time < end; ++time) {
        for (int tag = 0; tag < tags; ++tag) {
          samples.push_back({"plc/fast/tag" + std::to_string(tag), start + time * second,
                             Quality::good, std::int64_t{time}, "", false});
        }
      }
      line.append(std::move(samples));
    };
    const auto chunks = [&] {
      const auto count = rows_of(line.file_of(start), "chunks");
      line.reopen();
      return count;
    };
    for (int i = 0; i < 10; ++i) append(60);
    const auto at_first = chunks();
    CHECK(at_first > 0);
    CHECK(at_first < tags / 2);
    for (int i = 0; i < 8; ++i) append(1);
    CHECK(chunks() == tags);
    CHECK(must(line.store->count(line.key)) == 608 * tags);
  }

  TEST_CASE("late samples that trickle in do not leave a chunk each") {
    Line line;
    const auto start = line.env.clock.now();
    for (int i = 0; i < 20; ++i) {
      line.append({{"plc/slow/level", start + i * second, Quality::good, 1.0 + i, "", true}});
      line.pass_days();
    }
    CHECK(must(line.store->count(line.key)) == 20);
    CHECK(rows_of(line.file_of(start), "chunks") == 1);
  }

  TEST_CASE("the furnace's signals take at most three octets a sample on the disk") {
    Line line;
    Furnace furnace;
    const auto start = line.env.clock.now() + 2 * hour;
    double samples = 0;
    for (int quarter = 0; quarter < 12 * 4; ++quarter) {
      std::vector<Sample> batch;
      for (int i = 0; i < 900; ++i) {
        const auto read = furnace.read(start + (quarter * 900 + i) * second);
        batch.insert(batch.end(), read.begin(), read.end());
      }
      samples += static_cast<double>(batch.size());
      line.append(std::move(batch));
    }
    const auto open = line.octets();
    MESSAGE("while the day runs: " << open / samples << " octets a sample");
    line.reopen();
    line.pass_days();
    const auto sealed = line.octets();
    MESSAGE("when it is over: " << sealed / samples << " octets a sample");
    CHECK(sealed <= 3 * samples);
    CHECK(open <= 5 * samples);
  }

  TEST_CASE("random numbers take at most ten octets a sample on the disk") {
    Line line;
    const auto start = line.env.clock.now() + 2 * hour;
    double samples = 0;
    for (int hours = 0; hours < 20; ++hours) {
      std::vector<Sample> batch;
      for (int i = 0; i < 3'600; ++i) {
        const auto bits = line.env.random.below(~std::uint64_t{0}) & ~(std::uint64_t{1} << 62U);
        batch.push_back({"plc/fast/any", start + (hours * 3'600 + i) * second, Quality::good,
                         std::bit_cast<double>(bits), "", false});
      }
      samples += static_cast<double>(batch.size());
      line.append(std::move(batch));
    }
    line.pass_days();
    const auto sealed = line.octets();
    MESSAGE("when it is over: " << sealed / samples << " octets a sample");
    CHECK(sealed <= 10 * samples);
  }

  TEST_CASE("a damaged chunk is told as lost data, and only where it is read") {
    Line line;
    const auto start = line.env.clock.now();
    for (const auto* tag : {"plc/fast/whole", "plc/fast/damaged"}) {
      std::vector<Sample> samples;
      for (int i = 0; i < 600; ++i) {
        samples.push_back({tag, start + i * second, Quality::good, 1.0 * i, "", false});
      }
      line.append(std::move(samples));
    }
    execute(line.file_of(start), "UPDATE chunks SET body = substr(body, 1, 60) WHERE id = 2");
    line.reopen();
    const auto end = start + hour;
    CHECK(must(line.store->samples(line.key, "plc/fast/whole", start, end, 1'000)).size() == 600);
    CHECK(ecp_test::failure(line.store->samples(line.key, "plc/fast/damaged", start, end, 1'000)) ==
          "core.damaged");
    CHECK(ecp_test::failure(line.store->aggregate(line.key, "plc/fast/damaged", start, end, 600)) ==
          "core.damaged");
  }

  TEST_CASE("[R23] a text or an error that no chunk could keep is refused whole") {
    Line line;
    const auto now = line.env.clock.now();
    const auto refuse = [&](const Sample& sample) {
      NumberedBatch batch;
      batch.first = 1;
      batch.samples = {{"a/b/c", now, Quality::good, true, "", false}, sample};
      CHECK(ecp_test::failure(line.store->append({{line.key, batch}})) == "series.bad_block");
    };
    refuse({"a/b/c", now, Quality::good, std::string(limits::sample_string + 1, 'x'), "", false});
    refuse({"a/b/c", now, Quality::bad, 0.0, std::string(513, 'x'), false});
    CHECK(must(line.store->count(line.key)) == 0);
  }
}
