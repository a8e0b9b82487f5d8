// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Items of journals as they are kept: each the document of a batch of one.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/link/documents.hpp>

namespace ecp::inline v0::pipeline {

inline constexpr std::string_view reported_journal = "reported";
inline constexpr std::string_view alarm_journal = "alarm";
inline constexpr std::string_view event_journal = "event";

[[nodiscard]] inline bool is_journal(std::string_view stream) {
  return stream == reported_journal || stream == alarm_journal || stream == event_journal;
}

template <class Item>
[[nodiscard]] std::string journal_body(const Item& item) {
  link::JournalBatch<Item> batch;
  batch.buffer_id = "item";
  batch.first = 1;
  batch.items.push_back(item);
  return link::to_json(batch);
}

}  // namespace ecp::inline v0::pipeline
