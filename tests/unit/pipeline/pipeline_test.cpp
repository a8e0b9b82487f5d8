// SPDX-License-Identifier: Apache-2.0
#include <map>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include <ecp/pipeline/pipeline.hpp>
#include <ecp/pipeline/reasons.hpp>

#include "support/scripted_drivers.hpp"

namespace kind = ecp::kind;
namespace pipeline = ecp::pipeline;
namespace reasons = ecp::pipeline::reasons;
using ecp::link::ServiceState;

namespace {

const char* const two_drivers = R"({"drivers":[
  {"name":"a","type":"modbus-tcp","host":"h","groups":[{"name":"g","tags":[
    {"name":"plain","address":"1!400001","type":"float32"},
    {"name":"calm","address":"1!400003","type":"float32","deadband":1.0},
    {"name":"change","address":"1!400005","type":"int16","report_unchanged":false},
    {"name":"setpoint","address":"1!400007","type":"float32","writable":true,"min":0,"max":10}]}]},
  {"name":"b","type":"modbus-tcp","host":"h","groups":[]}]})";

/// A pipeline on scripted drivers that keeps what it observes.
struct Line {
  ecp_test::ScriptedDrivers drivers;
  std::vector<pipeline::Observation> seen;
  int status_changes = 0;
  std::unique_ptr<pipeline::Pipeline> service;

  explicit Line(ecp::Time former = {}) {
    auto config = kind::parse_pipeline_config(two_drivers);
    REQUIRE(config);
    auto opened = pipeline::Pipeline::open(std::move(*config), drivers);
    REQUIRE(opened);
    service = std::move(*opened);
    service->start({[this](std::vector<pipeline::Observation> observations) {
                      for (auto& each : observations) seen.push_back(std::move(each));
                    },
                    [this] { ++status_changes; }},
                   former);
  }
  ecp_test::ScriptedDriver& driver(const std::string& name) { return *drivers.opened.at(name); }
  /// Feed one value of a tag; true when it is reported.
  bool feed(std::uint32_t tag, ecp::Result<ecp::series::Value> value) {
    driver("a").feed({0, tag}, std::move(value));
    return seen.back().is_reported;
  }
};

ecp::Result<ecp::series::Value> real(double value) { return ecp::series::Value(value); }
ecp::Result<ecp::series::Value> whole(std::int64_t value) { return ecp::series::Value(value); }

}  // namespace

TEST_SUITE("pipeline.Pipeline") {
  TEST_CASE("a sample carries driver, group and tag, and the time of receipt") {
    Line line;
    line.feed(0, real(1.5));

    REQUIRE(line.seen.size() == 1);
    CHECK(line.seen[0].sample.tag == "a/g/plain");
    CHECK(line.seen[0].sample.value == ecp::series::Value(1.5));
  }

  TEST_CASE("of two readings of a tag in one millisecond the later has the next one") {
    Line line;
    const ecp::Time now{ecp::Milliseconds{1'700'000'000'000}};
    const auto time_of_next = [&](std::uint32_t tag, ecp::Time time) {
      line.driver("a").feed({0, tag}, real(1.0), time);
      return line.seen.back().sample.time - now;
    };

    CHECK(time_of_next(0, now).count() == 0);
    CHECK(time_of_next(1, now).count() == 0);
    CHECK(time_of_next(0, now).count() == 1);
    CHECK(time_of_next(0, now).count() == 2);
    CHECK(time_of_next(0, now + ecp::Milliseconds{2}).count() == 3);
    CHECK(time_of_next(0, now + ecp::Milliseconds{9}).count() == 9);
    CHECK(time_of_next(0, now - ecp::Milliseconds{3'600'000}).count() == -3'600'000);
  }

  TEST_CASE("the first reading of a new version is not in the millisecond of the former's last") {
    const ecp::Time now{ecp::Milliseconds{1'700'000'000'000}};
    Line former;
    former.driver("a").feed({0, 0}, real(1.0), now);
    former.service->stop();
    CHECK(former.service->last_reading() == now);

    Line line(former.service->last_reading());
    line.driver("a").feed({0, 1}, real(1.0), now);

    CHECK(line.seen.at(0).sample.time == now + ecp::Milliseconds{1});
  }

  TEST_CASE("each tag is reported by its own rule") {
    Line line;

    CHECK(line.feed(0, real(1.0)));
    CHECK(line.feed(0, real(1.0)));
    CHECK(line.feed(1, real(1.0)));
    CHECK_FALSE(line.feed(1, real(2.0)));
    CHECK(line.feed(1, real(2.1)));
    CHECK(line.feed(2, whole(5)));
    CHECK_FALSE(line.feed(2, whole(5)));
    CHECK(line.feed(2, whole(6)));
  }

  TEST_CASE("an error is told once until it changes, and the value after it always") {
    Line line;
    line.feed(2, whole(5));

    CHECK(line.feed(2, reasons::device_timeout));
    CHECK_FALSE(line.feed(2, reasons::device_timeout));
    CHECK(line.feed(2, ecp::Error(reasons::device_unreachable)));
    CHECK(line.feed(2, whole(5)));

    CHECK(line.seen[1].sample.quality == ecp::series::Quality::bad);
    CHECK(line.seen[1].sample.error == "pipeline.device_timeout");
  }

  TEST_CASE("a write goes to the driver of the tag, judged") {
    Line line;
    std::string outcome;
    const auto keep = [&](const pipeline::WriteResults& results) {
      const auto& result = results.at(0);
      outcome = result ? ecp::series::to_json(*result) : std::string(result.error().reason->symbol);
    };

    line.service->write({{"a/g/setpoint", "5", {}}}, {true, false}, keep);
    CHECK(outcome == "5");
    line.service->write({{"a/g/setpoint", "11", {}}}, {true, false}, keep);
    CHECK(outcome == "pipeline.write_out_of_range");
    line.service->write({{"a/g/setpoint", "5", {}}}, {false, false}, keep);
    CHECK(outcome == "pipeline.writes_off");
    line.service->write({{"a/g/nothing", "5", {}}}, {true, false}, keep);
    CHECK(outcome == "pipeline.unknown_tag");

    CHECK(line.driver("a").writes.size() == 1);
  }

  TEST_CASE("a device that never had a good value is told with its reason") {
    Line line;
    line.driver("b").feed_state(std::nullopt);
    line.feed(0, ecp::Error(reasons::bad_value, {{"problem", "not a number"}}));
    CHECK(line.service->status().state == ServiceState::degraded);
    CHECK(line.service->status().reason.starts_with("pipeline.bad_value: driver a:"));
    const auto changes = line.status_changes;
    line.feed(0, ecp::Error(reasons::bad_value, {{"problem", "not a number"}}));
    CHECK(line.status_changes == changes);

    line.feed(0, real(1.0));
    CHECK(line.status_changes == changes + 1);
    CHECK(line.service->status().reason.empty());
    line.feed(0, ecp::Error(reasons::bad_value, {{"problem", "not a number"}}));
    CHECK(line.service->status().reason.empty());  // Now it is the tag's own trouble.
  }

  TEST_CASE("its state follows its devices") {
    Line line;
    CHECK(line.service->status().state == ServiceState::starting);

    line.feed(0, real(1));
    line.driver("b").feed_state(std::nullopt);
    line.driver("b").handlers.on_state(ecp::Error(reasons::device_timeout));
    const auto degraded = line.service->status();
    line.driver("a").handlers.on_state(ecp::Error(reasons::device_timeout));
    const auto failed = line.service->status();
    line.service->stop();

    CHECK(degraded.state == ServiceState::degraded);
    CHECK(degraded.reason.find("driver b") != std::string::npos);
    CHECK(failed.state == ServiceState::failed);
    CHECK(line.service->status().state == ServiceState::stopped);
    CHECK(line.status_changes == 4);
  }
}
