// SPDX-License-Identifier: Apache-2.0
/// @file
/// Fills an embedded series store with the signals of a furnace, or with random numbers, and asks
/// it for charts, in this process.
///
///   ecp-history fill <folder> <project> <service> <end in ms> <days> <days of the other signals>
///     also writes what it stored as line protocol to standard output, for other stores
///   ecp-history random <folder> <project> <service> <end in ms> <days>
///   ecp-history ask <folder> <project> <service> <tag> <end in ms> <days> <points> <times>
///     prints the milliseconds each chart took, and how many samples it counted
///
/// Samples come once a second, in batches of a minute; at the end the days that are over are
/// sealed.
#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/id.hpp>
#include <ecp/series/series_store.hpp>

namespace {

using namespace ecp;  // NOLINT: a program of one file.
using series::Sample;

constexpr Milliseconds second{1'000};
constexpr Milliseconds minute{60'000};
constexpr Milliseconds day{86'400'000};
constexpr std::string_view folder_of_tags = "furnace/fast/";

template <class T>
T must(Result<T> result) {
  if (result) return std::move(result).value();
  std::fprintf(stderr, "%s\n", result.error().describe().c_str());
  std::exit(1);
}

/// Of an id as the REST interface writes it.
IdBytes id_of(const std::string& text) {
  return must(id_from_text(text.substr(0, text.find('_')), text));
}

/// The furnace of tools/plant, polled once a second, as the demonstration's data tags have it.
class Furnace {
 public:
  void read(Time time, bool all, std::vector<Sample>& into) {
    constexpr std::int64_t readings_of_a_setpoint = 1'800;
    temperature_ += (setpoint_ - temperature_) * 0.25;
    if (++readings_ % readings_of_a_setpoint == 0) setpoint_ = setpoint_ > 500 ? 60 : 812.5;
    const auto at = time + Milliseconds(static_cast<std::int64_t>(random_() % 3));  // Polls jitter.
    add(into, "temperature", at, rounded(temperature_ + noise_(random_) * 0.15, 100));
    if (!all) return;
    const auto humidity = std::max(5.0, 60 - (temperature_ - 20) / 10) + noise_(random_) * 0.3;
    add(into, "humidity", at, rounded(humidity, 10));
    add(into, "counter", at, readings_ * 10);
    add(into, "setpoint", at, setpoint_);
  }

 private:
  static double rounded(double value, double factor) {
    const auto register_value = static_cast<float>(value);
    return std::round(static_cast<double>(register_value) * factor) / factor;
  }
  static void add(std::vector<Sample>& into, std::string_view name, Time at, series::Value value) {
    Sample sample;
    sample.tag = std::string(folder_of_tags) + std::string(name);
    sample.time = at;
    sample.value = std::move(value);
    into.push_back(std::move(sample));
  }

  std::mt19937 random_{7};
  std::normal_distribution<double> noise_{0, 1};
  double temperature_ = 20;
  double setpoint_ = 60;
  std::int64_t readings_ = 0;
};

/// A store whose clock is where the samples are.
class Store {
 public:
  Store(const std::string& folder, const series::SeriesKey& key, Time start)
      : key_(key), store_(must(series::open_embedded_series(folder, world_.env()))) {
    world_.clock.advance(start - world_.clock.now());
  }
  void append(std::vector<Sample> samples) {
    series::NumberedBatch batch;
    batch.buffer_id = "bench";
    batch.first = next_;
    next_ += static_cast<std::int64_t>(samples.size());
    batch.samples = std::move(samples);
    must(store_->append({{key_, batch}}));
    world_.clock.advance(minute);
  }
  void finish() {
    constexpr Milliseconds rest{3 * 3'600'000};
    world_.clock.advance(rest);
    must(store_->expire(from_ms(0)));
  }
  std::vector<series::Point> chart(const std::string& tag, Time from, Time to, std::size_t points) {
    return must(store_->aggregate(key_, tag, from, to, points));
  }

 private:
  ManualEnv world_;
  series::SeriesKey key_;
  std::unique_ptr<series::SeriesStore> store_;
  std::int64_t next_ = 1;
};

void print_lines(const std::vector<Sample>& samples) {
  for (const auto& sample : samples) {
    const auto value = series::to_json(sample.value);
    const auto name = sample.tag.substr(folder_of_tags.size());
    std::printf("furnace,tag=%s value=%s %lld\n", name.c_str(), value.c_str(),
                static_cast<long long>(to_ms(sample.time)));
  }
}

void fill(Store& store, Time end, std::int64_t days, std::int64_t days_of_all) {
  Furnace furnace;
  for (auto time = end - days * day; time < end; time += minute) {
    std::vector<Sample> batch;
    for (auto at = time; at < time + minute; at += second) {
      furnace.read(at, at >= end - days_of_all * day, batch);
    }
    print_lines(batch);
    store.append(std::move(batch));
  }
  store.finish();
}

void fill_random(Store& store, Time end, std::int64_t days) {
  std::mt19937_64 random(7);
  for (auto time = end - days * day; time < end; time += minute) {
    std::vector<Sample> batch;
    for (auto at = time; at < time + minute; at += second) {
      Sample sample;
      sample.tag = std::string(folder_of_tags) + "any";
      sample.time = at;
      sample.value = std::bit_cast<double>(random() & ~(std::uint64_t{1} << 62U));  // Finite.
      batch.push_back(std::move(sample));
    }
    store.append(std::move(batch));
  }
  store.finish();
}

void ask(Store& store, const std::string& tag, Time from, Time to, std::size_t points, int times) {
  for (int i = 0; i < times; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    const auto chart = store.chart(tag, from, to, points);
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begun;
    std::int64_t samples = 0;
    for (const auto& point : chart) samples += point.count;
    std::printf("%.3f %lld\n", took.count(), static_cast<long long>(samples));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&](std::size_t i) { return std::stoll(words.at(i)); };
  if (words.size() < 6) return 2;
  const series::SeriesKey key{id_of(words[2]), id_of(words[3])};
  if (words[0] == "ask" && words.size() == 9) {
    const auto end = from_ms(number(5));
    Store store(words[1], key, end);
    ask(store, words[4], end - number(6) * day, end, static_cast<std::size_t>(number(7)),
        static_cast<int>(number(8)));
    return 0;
  }
  const auto end = from_ms(number(4));
  Store store(words[1], key, end - number(5) * day);
  if (words[0] == "fill" && words.size() == 7) {
    fill(store, end, number(5), number(6));
  } else if (words[0] == "random") {
    fill_random(store, end, number(5));
  } else {
    return 2;
  }
  return 0;
}
