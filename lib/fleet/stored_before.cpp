// SPDX-License-Identifier: Apache-2.0
#include "fleet/stored_before.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

namespace ecp::inline v0::fleet {
namespace {

/// Samples of a tag that lie closer together than this are looked up together.
constexpr Milliseconds near{60'000};
constexpr std::size_t most_looked_up = 20'000;

/// What a sample says, as text that is equal for equal ones, also where a number is none.
std::string said(const series::Sample& sample) {
  std::string text = std::to_string(to_ms(sample.time)) + ' ';
  text += std::to_string(static_cast<int>(sample.quality)) + sample.error + ' ';
  if (sample.quality == series::Quality::bad) return text;
  return text + std::to_string(sample.value.index()) + series::to_json(sample.value);
}

using Numbered = std::pair<std::int64_t, const series::Sample*>;

}  // namespace

Result<std::vector<std::pair<std::int64_t, std::int64_t>>> stored_before(
    series::SeriesStore& store, const series::SeriesKey& key, const series::NumberedBatch& batch,
    std::int64_t renumbered) {
  std::map<std::string_view, std::vector<Numbered>> tags;
  auto number = batch.first;
  for (const auto& sample : batch.samples) {
    if (number > renumbered) break;
    tags[sample.tag].emplace_back(number++, &sample);
  }
  std::vector<std::pair<std::int64_t, std::int64_t>> known;
  for (auto& [tag, samples] : tags) {
    std::stable_sort(samples.begin(), samples.end(), [](const auto& left, const auto& right) {
      return left.second->time < right.second->time;
    });
    for (auto next = samples.begin(); next != samples.end();) {
      const auto begin = next;
      auto last = begin->second->time;
      for (; next != samples.end() && next->second->time - last <= near; ++next) {
        last = next->second->time;
      }
      ECP_TRY(const auto stored,
              store.samples(key, tag, begin->second->time, last + Milliseconds(1), most_looked_up));
      std::set<std::string> there;
      for (const auto& sample : stored) there.insert(said(sample));
      for (auto one = begin; one != next; ++one) {
        if (there.count(said(*one->second)) > 0) known.emplace_back(one->first, one->first);
      }
    }
  }
  std::sort(known.begin(), known.end());
  return known;
}

}  // namespace ecp::inline v0::fleet
