// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One filled-in example of every document of the link.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/link/documents.hpp>

namespace ecp::tests {

/// A document under test: its golden file, its example as JSON, and "parse it and write it back".
struct DocumentSample {
  std::string name;
  std::string json;
  std::function<Result<std::string>(std::string_view)> read_back;
};

const std::vector<DocumentSample>& document_samples();

/// Ids that never change, so that golden files do not.
template <class SomeId>
SomeId fixed_id(std::uint8_t seed) {
  IdBytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(seed + i);
  return SomeId(bytes);
}

}  // namespace ecp::tests
