// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/random.hpp>
#include <ecp/link/documents.hpp>

#include "samples.hpp"

using namespace ecp;
using namespace ecp::tests;

namespace {

/// Put `replacement` in place of every scalar of a JSON text, one at a time.
std::vector<std::string> with_each_value_replaced(const std::string& json,
                                                  const std::string& replacement) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != ':') continue;
    auto end = json.find_first_of(",}]", i + 1);
    if (json[i + 1] == '"') end = json.find('"', i + 2) + 1;
    if (end == std::string::npos || end == 0) continue;
    texts.push_back(json.substr(0, i + 1) + replacement + json.substr(end));
  }
  return texts;
}

}  // namespace

TEST_SUITE("link.Decoders") {
  TEST_CASE("[R24] hostile texts get a typed error from every decoder") {
    const std::vector<std::string> texts{"",
                                         "null",
                                         "1",
                                         "\"\"",
                                         "[]",
                                         "{}",
                                         "{\"v\":null}",
                                         "{\"v\":0}",
                                         "{\"v\":1",
                                         "\xff\xfe",
                                         "{\"v\":1,\"v\":1}",
                                         "{\"v\":9223372036854775808}",
                                         "{\"v\":1e999}",
                                         "{\"v\":NaN}",
                                         std::string(2'000'000, '['),
                                         "{\"v\":1,\"x\":\"\\ud800\"}"};
    for (const auto& sample : document_samples()) {
      CAPTURE(sample.name);
      for (const auto& text : texts) {
        CAPTURE(text.substr(0, 40));
        auto read = sample.read_back(text);
        REQUIRE_FALSE(read);
        CHECK(read.error().code() == ErrorCode::invalid_argument);
      }
    }
  }

  TEST_CASE("[R24] a value of a wrong kind in any place is an error or read over, never a crash") {
    for (const auto& sample : document_samples()) {
      for (const auto* value : {"null", "-1", "1e999", "9223372036854775808", "\"\\ud800\"", "[]",
                                "{}", "true", "\"\\u0000\"", "\"\"", "1.5", "NaN"}) {
        for (const auto& text : with_each_value_replaced(sample.json, value)) {
          CAPTURE(text);
          const auto read = sample.read_back(text);
          CHECK((read || read.error().code() == ErrorCode::invalid_argument));
        }
      }
    }
  }

  TEST_CASE("[R24] cut off documents are errors") {
    for (const auto& sample : document_samples()) {
      CAPTURE(sample.name);
      for (std::size_t size = 0; size < sample.json.size(); ++size) {
        CHECK_FALSE(sample.read_back(std::string_view(sample.json).substr(0, size)));
      }
    }
  }

  TEST_CASE("[R24] ten thousand damaged copies of each document are survived") {
    SeededRandom random(24);
    for (const auto& sample : document_samples()) {
      for (int round = 0; round < 10'000; ++round) {
        std::string text = sample.json;
        for (std::uint64_t change = 0; change <= random.below(4); ++change) {
          const auto at = static_cast<std::size_t>(random.below(text.size()));
          text[at] = static_cast<char>(random.below(256));
        }
        auto read = sample.read_back(text);
        if (read) CHECK(sample.read_back(*read));
      }
    }
  }

  TEST_CASE("[R24] damaged telemetry payloads are survived") {
    link::TelemetryHead head;
    head.buffer_id = "b";
    head.stream = "svc";
    head.first = 1;
    head.last = 2;
    const Bytes good = link::encode_telemetry(head, "body");
    for (std::size_t size = 0; size < good.size() - 4; ++size) {
      CHECK_FALSE(link::decode_telemetry(BytesView(good).substr(0, size)));
    }
    CHECK_FALSE(link::decode_telemetry("\xff\xff\xff\xff" + good));
    SeededRandom random(25);
    for (int round = 0; round < 20'000; ++round) {
      Bytes payload = good;
      payload[static_cast<std::size_t>(random.below(payload.size()))] =
          static_cast<char>(random.below(256));
      auto decoded = link::decode_telemetry(payload);
      if (decoded) CHECK(decoded->second.size() <= payload.size());
    }
  }
}
