// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <ecp/core/random.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace kind = ecp::kind;

namespace {

std::string resource() {
  kind::ServiceResource made;
  made.id = ecp::link::EdgeServiceId(ecp::IdBytes{6});
  made.name = "furnace";
  made.kind = "pipeline";
  made.runtime = "builtin";
  made.config_json =
      R"({"drivers":[{"name":"d","type":"modbus-tcp","host":"h","groups":[{"name":"g","tags":[)"
      R"({"name":"t","address":"1!400001","type":"float32","writable":true,"min":0,"max":9}]}]}]})";
  return kind::to_json(made);
}

/// Read it as an agent does; the code of the refusal, or none.
std::optional<ecp::ErrorCode> refusal(std::string_view text) {
  const auto read = kind::parse_service_resource(text);
  if (!read) return read.error().code();
  const auto config = kind::parse_pipeline_config(read->config_json);
  if (!config) return config.error().code();
  return std::nullopt;
}

}  // namespace

TEST_SUITE("kind.hostile") {
  TEST_CASE("hostile texts get a typed error from the agent's decoders [R24]") {
    REQUIRE_FALSE(refusal(resource()));
    for (const auto& text :
         {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
          std::string("{\"v\":9223372036854775808}"), std::string("{\"v\":1e999}"),
          std::string("{\"v\":NaN}"), std::string("\xff\xfe"), std::string(2'000'000, '['),
          std::string("{\"v\":1,\"name\":\"\\ud800\"}")}) {
      CAPTURE(text.substr(0, 40));
      CHECK(refusal(text) == ecp::ErrorCode::invalid_argument);
      const auto config = kind::parse_pipeline_config(text);
      REQUIRE_FALSE(config);
      CHECK(config.error().code() == ecp::ErrorCode::invalid_argument);
    }
  }

  TEST_CASE("a resource cut off at any octet is an error [R24]") {
    const auto good = resource();
    for (std::size_t size = 0; size < good.size(); ++size) {
      CHECK(refusal(std::string_view(good).substr(0, size)));
    }
  }

  TEST_CASE("twenty thousand damaged resources are survived [R24]") {
    const auto good = resource();
    ecp::SeededRandom random(24);
    for (int round = 0; round < 20'000; ++round) {
      auto text = good;
      for (auto changes = random.below(4) + 1; changes > 0; --changes) {
        text[static_cast<std::size_t>(random.below(text.size()))] =
            static_cast<char>(random.below(256));
      }
      const auto refused = refusal(text);
      if (refused) CHECK(*refused == ecp::ErrorCode::invalid_argument);
    }
  }
}
