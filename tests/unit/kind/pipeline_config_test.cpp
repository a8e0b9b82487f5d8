// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>

#include <ecp/kind/pipeline_config.hpp>

namespace kind = ecp::kind;

namespace {

/// A configuration with one driver, one group and the given tags.
std::string with_tags(const std::string& tags, const std::string& more = "") {
  return R"({"drivers":[{"name":"furnace","type":"modbus-tcp","host":"10.0.0.7")" + more +
         R"(,"groups":[{"name":"fast","interval_ms":200,"tags":[)" + tags + "]}]}]}";
}

std::string tag(const std::string& more) {
  return R"({"name":"t","address":"1!400001","type":"float32")" + more + "}";
}

std::string problem_of(const std::string& text) {
  const auto config = kind::parse_pipeline_config(text);
  return config ? "" : config.error().message();
}

}  // namespace

TEST_SUITE("kind.PipelineConfig") {
  TEST_CASE("what is left out has the documented defaults") {
    const auto config = kind::parse_pipeline_config(with_tags(tag("")));

    REQUIRE(config);
    const auto& driver = config->drivers.at(0);
    CHECK(driver.port == 502);
    CHECK(driver.timeout == ecp::Milliseconds{1000});
    CHECK(driver.max_in_flight == 1);
    const auto& read = driver.groups.at(0).tags.at(0);
    CHECK(read.scale == 1.0);
    CHECK(read.precision == -1);
    CHECK_FALSE(read.writable);
    CHECK(read.report_unchanged);
  }

  TEST_CASE("a configuration written as JSON reads back the same") {
    const auto first = kind::parse_pipeline_config(with_tags(
        tag(R"(,"byte_order":"cdab","scale":0.1,"precision":2,"writable":true,"min":-5,"max":900.5)"),
        R"(,"port":5020,"timeout_ms":500,"max_in_flight":4)"));
    REQUIRE(first);

    const auto second = kind::parse_pipeline_config(kind::to_json(*first));

    REQUIRE(second);
    CHECK(kind::to_json(*second) == kind::to_json(*first));
    CHECK(second->drivers[0].groups[0].tags[0].max == 900.5);
  }

  TEST_CASE("an unknown field is refused by its full path [R14]") {
    CHECK(
        problem_of(with_tags(tag(R"(,"adress":1)"))).find("drivers[0].groups[0].tags[0].adress") !=
        std::string::npos);
    CHECK(problem_of(R"({"drivers":[],"x":1})").find("x") != std::string::npos);
  }

  TEST_CASE("a bad address is told with its field") {
    const auto problem = problem_of(with_tags(R"({"name":"t","address":"1!99","type":"int16"})"));

    CHECK(problem.find("drivers[0].groups[0].tags[0].address") != std::string::npos);
  }

  TEST_CASE("a writable number needs min and max, in order") {
    CHECK(problem_of(with_tags(tag(R"(,"writable":true)"))).find(".min") != std::string::npos);
    CHECK(problem_of(with_tags(tag(R"(,"writable":true,"min":0)"))).find(".max") !=
          std::string::npos);
    CHECK(problem_of(with_tags(tag(R"(,"writable":true,"min":2,"max":1)"))) != "");
    CHECK(problem_of(with_tags(tag(R"(,"writable":true,"min":1,"max":1)"))) == "");
  }

  TEST_CASE("what cannot be written on the device is not writable") {
    CHECK(
        problem_of(with_tags(
            R"({"name":"t","address":"1!300001","type":"int16","writable":true,"min":0,"max":1})")) !=
        "");
    CHECK(problem_of(with_tags(
              R"({"name":"t","address":"1!400001.3","type":"boolean","writable":true})")) != "");
    CHECK(problem_of(with_tags(
              R"({"name":"t","address":"1!000001","type":"boolean","writable":true})")) == "");
  }

  TEST_CASE("type and address must fit each other") {
    for (const auto* text : {R"({"name":"t","address":"1!000001","type":"int16"})",
                             R"({"name":"t","address":"1!400001","type":"boolean"})",
                             R"({"name":"t","address":"1!400001.3","type":"int16"})",
                             R"({"name":"t","address":"1!400001","type":"text"})",
                             R"({"name":"t","address":"1!400001.4H","type":"int16"})",
                             R"({"name":"t","address":"1!465536","type":"float32"})",
                             R"({"name":"t","address":"1!400001","type":"float32","scale":0})",
                             R"({"name":"a/b","address":"1!400001","type":"int16"})",
                             R"({"name":"t","address":"1!400001","type":"decimal"})"}) {
      CAPTURE(text);
      CHECK(problem_of(with_tags(text)) != "");
    }
  }

  TEST_CASE("a name is there once in its list") {
    CHECK(problem_of(with_tags(tag("") + "," + tag(""))).find("tags[1].name") != std::string::npos);
  }

  TEST_CASE("bounds are kept by every number") {
    for (const auto* more :
         {R"(,"port":0)", R"(,"port":65536)", R"(,"timeout_ms":9)", R"(,"max_in_flight":17)",
          R"(,"registers_per_read":126)", R"(,"back_off_min_ms":500,"back_off_max_ms":100)"}) {
      CAPTURE(more);
      CHECK(problem_of(with_tags("", more)) != "");
    }
  }

  TEST_CASE("a tag is found by driver/group/tag and nothing else") {
    const auto config = kind::parse_pipeline_config(with_tags(tag("")));
    REQUIRE(config);

    CHECK(kind::find_tag(*config, "furnace/fast/t") != nullptr);
    CHECK(kind::find_tag(*config, "furnace/fast/u") == nullptr);
    CHECK(kind::find_tag(*config, "furnace/t") == nullptr);
    CHECK(kind::find_tag(*config, "furnace/fast/t/x") == nullptr);
    CHECK(kind::find_tag(*config, "") == nullptr);
  }

  TEST_CASE("a service resource reads back, and what a newer peer adds is ignored") {
    kind::ServiceResource resource;
    resource.id = ecp::link::EdgeServiceId(ecp::IdBytes{1, 2, 3});
    resource.name = "furnace";
    resource.kind = "pipeline";
    resource.runtime = "builtin";
    resource.running = false;
    resource.config_json = R"({"drivers":[]})";
    auto text = kind::to_json(resource);
    text.insert(1, R"("later":{"x":1},)");

    const auto read = kind::parse_service_resource(text);

    REQUIRE(read);
    CHECK(read->id == resource.id);
    CHECK(read->kind == "pipeline");
    CHECK_FALSE(read->running);
    CHECK(read->config_json == resource.config_json);
  }

  TEST_CASE("guards of writes are read, and written as they were") {
    const auto config = kind::parse_pipeline_config(with_tags(tag(
        R"(,"writable":true,"min":0,"max":100,"max_step":2.5,"min_interval_ms":500,)"
        R"("on_loss":{"cloud":{"after_ms":60000,"safe_value":20},"writer":{"after_ms":5000}})")));
    REQUIRE(config);

    const auto again = kind::parse_pipeline_config(kind::to_json(*config));

    REQUIRE(again);
    CHECK(kind::to_json(*again) == kind::to_json(*config));
    const auto& read = again->drivers[0].groups[0].tags[0];
    CHECK(read.max_step == 2.5);
    CHECK(read.min_interval == ecp::Milliseconds{500});
    REQUIRE(read.on_loss.size() == 2);
    CHECK(read.on_loss[0].of == kind::Loss::cloud);
    CHECK(read.on_loss[0].after == ecp::Milliseconds{60'000});
    CHECK(read.on_loss[0].safe_value_json == "20");
    CHECK(read.on_loss[1].of == kind::Loss::writer);
    CHECK(read.on_loss[1].safe_value_json.empty());
  }

  TEST_CASE("a guard that cannot do what it says is refused by its field") {
    const std::string writable = R"(,"writable":true,"min":0,"max":100)";
    const auto problem = [&](const std::string& more) {
      return problem_of(with_tags(tag(writable + more)));
    };
    const auto names = [](const std::string& told, const char* field) {
      return told.find(field) != std::string::npos;
    };

    CHECK(names(problem(R"(,"max_step":0)"), "max_step"));
    CHECK(names(problem(R"(,"min_interval_ms":-1)"), "min_interval_ms"));
    CHECK(names(problem(R"(,"on_loss":{"cloud":{"after_ms":99}})"), "on_loss.cloud.after_ms"));
    CHECK(names(problem(R"(,"on_loss":{"cloud":{}})"), "on_loss.cloud.after_ms"));
    CHECK(names(problem(R"(,"on_loss":{"sun":{"after_ms":1000}})"), "on_loss.sun"));
    for (const auto* value : {"101", "-1", "true", "\"20\"", "[20]"}) {
      CAPTURE(value);
      CHECK(names(problem(R"(,"on_loss":{"cloud":{"after_ms":1000,"safe_value":)" +
                          std::string(value) + "}}"),
                  "safe_value"));
    }
    CHECK(names(problem(R"(,"min_interval_ms":5000,"on_loss":{"writer":{"after_ms":5000}})"),
                "on_loss.writer.after_ms"));
  }

  TEST_CASE("guards of writes belong to data tags that are written") {
    CHECK(problem_of(with_tags(tag(R"(,"max_step":1)"))).find("max_step") != std::string::npos);
    CHECK(problem_of(with_tags(tag(R"(,"min_interval_ms":1)"))).find("min_interval_ms") !=
          std::string::npos);
    CHECK(problem_of(with_tags(tag(R"(,"on_loss":{})"))).find("on_loss") != std::string::npos);
  }
}
