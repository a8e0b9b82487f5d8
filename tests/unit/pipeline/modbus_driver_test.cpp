// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace kind = ecp::kind;
namespace pipeline = ecp::pipeline;
using ecp::Result;
using ecp::series::Value;

namespace {

/// A pymodbus server in a process of its own.
class Device {
 public:
  explicit Device(int port = 0) {
    std::string command = "exec /usr/bin/python3 " ECP_MODBUS_DEVICE;
    if (port != 0) command += " " + std::to_string(port);
    output_ = ::popen((command + " 2>/dev/null").c_str(), "r");
    REQUIRE(output_ != nullptr);
    REQUIRE(std::fscanf(output_, "%d %d", &pid_, &port_) == 2);
  }
  ~Device() { kill(); }
  void kill() {
    if (output_ == nullptr) return;
    ::kill(pid_, SIGKILL);
    ::pclose(output_);
    output_ = nullptr;
  }
  [[nodiscard]] int port() const { return port_; }

 private:
  FILE* output_ = nullptr;
  int pid_ = 0;
  int port_ = 0;
};

/// A driver on a device, and everything it reads.
class Line {
 public:
  Line(int port, const std::string& tags, const std::string& more = "",
       const std::string& host = "127.0.0.1") {
    const auto text = R"({"drivers":[{"name":"d","type":"modbus-tcp","host":")" + host +
                      R"(","port":)" + std::to_string(port) +
                      R"(,"timeout_ms":300,"back_off_min_ms":100)" + more +
                      R"(,"groups":[{"name":"g","interval_ms":20,"tags":[)" + tags + "]}]}]}";
    auto config = kind::parse_pipeline_config(text);
    REQUIRE_MESSAGE(config, text);
    config_ = config->drivers.at(0);
    auto opened = factory_->open(config_);
    REQUIRE(opened);
    driver_ = std::move(*opened);
    driver_->start({[this](std::vector<pipeline::Reading> readings) { take(std::move(readings)); },
                    [this](std::optional<ecp::Error> problem) {
                      const std::lock_guard lock(mutex_);
                      problem_ = std::move(problem);
                      changed_.notify_all();
                    }});
  }
  ~Line() { driver_->stop(); }

  /// Wait until a condition on the tags read holds; false after 10 s.
  template <class Condition>
  bool until(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return condition(*this); });
  }
  /// The newest value as text, the symbol of an error, or "" before the first reading.
  [[nodiscard]] std::string value(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? "" : found->second;
  }
  [[nodiscard]] int count(const std::string& name) const {
    const auto found = counts_.find(name);
    return found == counts_.end() ? 0 : found->second;
  }
  std::string read(const std::string& name) {
    CHECK(until([&](const Line& line) { return !line.value(name).empty(); }));
    const std::lock_guard lock(mutex_);
    return value(name);
  }
  std::string write(const std::string& name, Value wanted) {
    std::optional<std::string> outcome;
    for (std::uint32_t i = 0; i < config_.groups[0].tags.size(); ++i) {
      if (config_.groups[0].tags[i].name != name) continue;
      driver_->write({{{0, i}, std::move(wanted), [&](const Result<Value>& result) {
                         const std::lock_guard lock(mutex_);
                         outcome = text(result);
                         changed_.notify_all();
                       }}});
    }
    CHECK(until([&](const Line&) { return outcome.has_value(); }));
    return outcome.value_or("");
  }
  /// Write several tags at once; their outcomes in order.
  std::vector<std::string> write(const std::vector<std::pair<std::string, Value>>& wanted) {
    std::vector<std::string> outcomes(wanted.size());
    std::size_t left = wanted.size();
    std::vector<pipeline::Write> writes;
    for (std::size_t n = 0; n < wanted.size(); ++n) {
      for (std::uint32_t i = 0; i < config_.groups[0].tags.size(); ++i) {
        if (config_.groups[0].tags[i].name != wanted[n].first) continue;
        writes.push_back({{0, i}, wanted[n].second, [&, n](const Result<Value>& result) {
                            const std::lock_guard lock(mutex_);
                            outcomes[n] = text(result);
                            --left;
                            changed_.notify_all();
                          }});
      }
    }
    driver_->write(std::move(writes));
    CHECK(until([&](const Line&) { return left == 0; }));
    return outcomes;
  }
  void stop() { driver_->stop(); }

 private:
  static std::string text(const Result<Value>& value) {
    return value ? ecp::series::to_json(*value) : std::string(value.error().reason->symbol);
  }
  void take(std::vector<pipeline::Reading> readings) {
    const std::lock_guard lock(mutex_);
    for (const auto& reading : readings) {
      const auto& name = config_.groups[reading.place.group].tags[reading.place.tag].name;
      values_[name] = text(reading.value);
      counts_[name] += reading.value.has_value() ? 1 : 0;
    }
    changed_.notify_all();
  }

  ecp::MemoryLog log_;
  ecp::RealEnv world_{log_, 1};
  std::unique_ptr<pipeline::DriverFactory> factory_ = pipeline::open_modbus_drivers(world_.env());
  kind::DriverConfig config_;
  std::unique_ptr<pipeline::Driver> driver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> values_;
  std::map<std::string, int> counts_;  ///< Good readings.
  std::optional<ecp::Error> problem_;
};

std::string tag(const std::string& name, const std::string& address, const std::string& type,
                const std::string& more = "") {
  return R"({"name":")" + name + R"(","address":")" + address + R"(","type":")" + type + "\"" +
         more + "}";
}

const std::string writable = R"(,"writable":true,"min":-1000,"max":1000)";

}  // namespace

TEST_SUITE("pipeline.ModbusDriver") {
  TEST_CASE("a real server's areas, types and byte orders are read") {
    const Device device;
    Line line(device.port(),
              tag("i16", "1!400001", "int16") + "," + tag("i32", "1!400002", "int32") + "," +
                  tag("i64", "1!400004", "int64") + "," + tag("f32", "1!400008", "float32") + "," +
                  tag("f64", "1!400010", "float64", R"(,"precision":2)") + "," +
                  tag("swapped", "1!400014", "float32", R"(,"byte_order":"cdab")") + "," +
                  tag("u64", "1!400016", "uint64") + "," + tag("text", "1!400020.4H", "text") +
                  "," + tag("input", "1!300002", "uint16", R"(,"scale":0.5)") + "," +
                  tag("coil", "1!000004", "boolean") + "," + tag("bit", "1!400062.0", "boolean") +
                  "," + tag("discrete", "1!100001", "boolean"));

    CHECK(line.read("i16") == "-123");
    CHECK(line.read("i32") == "-70000");
    CHECK(line.read("i64") == "-5000000000");
    CHECK(line.read("f32") == "21.5");
    CHECK(line.read("f64") == "1234.57");
    CHECK(line.read("swapped") == "21.5");
    CHECK(line.read("u64") == ecp::series::to_json(Value(9223372036854775808.0)));
    CHECK(line.read("text") == "\"furnace\"");
    CHECK(line.read("input") == "39");
    CHECK(line.read("coil") == "true");
    CHECK(line.read("bit") == "true");
    CHECK(line.read("discrete") == "true");
  }

  TEST_CASE("a tag that does not exist fails alone, its neighbours are read on") {
    const Device device;
    Line line(device.port(), tag("before", "1!400050", "uint16") + "," +
                                 tag("hole", "1!400055", "uint16") + "," +
                                 tag("after", "1!400061", "uint16"));

    CHECK(line.until([](const Line& seen) {
      return seen.value("hole") == "pipeline.device_exception" && seen.value("after") == "60" &&
             seen.value("before") == "0";
    }));
    CHECK(line.until([](const Line& seen) {
      return seen.count("before") > 5 && seen.count("after") > 5 && seen.count("hole") == 0;
    }));
  }

  TEST_CASE("registers that do not exist between two tags do no harm") {
    const Device device;
    Line line(device.port(),
              tag("before", "1!400050", "uint16") + "," + tag("after", "1!400061", "uint16"));

    CHECK(line.until([](const Line& seen) {
      return seen.value("after") == "60" && seen.value("before") == "0";
    }));
  }

  TEST_CASE("a write is read back, in every kind of register") {
    const Device device;
    Line line(device.port(), tag("float", "1!400031", "float32", writable) + "," +
                                 tag("word", "1!400035", "int16", writable) + "," +
                                 tag("scaled", "1!400036", "int16", writable + R"(,"scale":0.1)") +
                                 "," + tag("text", "1!400020.4H", "text", R"(,"writable":true)") +
                                 "," + tag("coil", "1!000003", "boolean", R"(,"writable":true)"));

    CHECK(line.write("float", Value(400.5)) == "400.5");
    CHECK(line.write("word", Value(std::int64_t{-7})) == "-7");
    CHECK(line.write("scaled", Value(12.3)).substr(0, 4) == "12.3");
    CHECK(line.write("text", Value(std::string("oven"))) == "\"oven\"");
    CHECK(line.write("coil", Value(true)) == "true");
    CHECK(line.until([](const Line& seen) { return seen.value("float") == "400.5"; }));
  }

  TEST_CASE("several writes are merged where they follow each other, and each is read back") {
    const Device device;
    Line line(device.port(), tag("a", "1!400031", "float32", writable) + "," +
                                 tag("b", "1!400033", "float32", writable) + "," +
                                 tag("c", "1!400035", "int16", writable) + "," +
                                 tag("coil", "1!000003", "boolean", R"(,"writable":true)"));

    const auto outcomes = line.write({{"a", Value(1.5)},
                                      {"b", Value(2.5)},
                                      {"c", Value(std::int64_t{3})},
                                      {"coil", Value(true)}});

    CHECK(outcomes == std::vector<std::string>{"1.5", "2.5", "3", "true"});
  }

  TEST_CASE("what comes after a failed write is not written, and what was before it is verified") {
    const Device device;
    Line line(device.port(), tag("a", "1!400031", "float32", writable) + "," +
                                 tag("hole", "1!400056", "int16", writable) + "," +
                                 tag("b", "1!400033", "float32", writable));

    const auto outcomes =
        line.write({{"a", Value(1.5)}, {"hole", Value(std::int64_t{1})}, {"b", Value(2.5)}});

    CHECK(outcomes ==
          std::vector<std::string>{"1.5", "pipeline.device_exception", "pipeline.not_written"});
    CHECK(line.until([](const Line& seen) { return seen.value("b") == "0"; }));
  }

  TEST_CASE("neighbours that the device refuses together are written one by one") {
    const Device device;
    Line line(device.port(), tag("good", "1!400050", "int16", writable) + "," +
                                 tag("hole", "1!400051", "int16", writable));

    const auto outcomes =
        line.write({{"good", Value(std::int64_t{5})}, {"hole", Value(std::int64_t{6})}});

    CHECK(outcomes == std::vector<std::string>{"5", "pipeline.device_exception"});
  }

  TEST_CASE("a write that the device swallows is not called done") {
    const Device device;
    Line line(device.port(), tag("stubborn", "1!400041", "int16", writable) + "," +
                                 tag("hole", "1!400056", "int16", writable));

    CHECK(line.write("stubborn", Value(std::int64_t{5})) == "pipeline.write_not_verified");
    CHECK(line.write("hole", Value(std::int64_t{5})) == "pipeline.device_exception");
  }

  TEST_CASE("a silent unit behind a gateway costs the others one time-out per back-off") {
    const Device device;
    Line line(device.port(), tag("dead", "2!400001", "int16") + "," +
                                 tag("alive", "1!400001", "int16") + "," +
                                 tag("asked", "1!300011", "uint16"));

    CHECK(line.until([](const Line& seen) { return seen.count("asked") > 100; }));

    line.stop();
    CHECK(line.value("dead") == "pipeline.device_timeout");
    CHECK(line.count("alive") > 90);
    CHECK(std::stoi(line.value("asked")) >= 2);  // Tried again, after waits of 0.1 s, 0.2 s, ...
    CHECK(std::stoi(line.value("asked")) <= 12);
  }

  TEST_CASE("requests that are lost on the way are sent again as often as retries says") {
    const Device device;
    const auto tags = tag("lossy", "200!400001", "int16");  // Answers every third request.
    SUBCASE("often enough") {
      Line line(device.port(), tags, R"(,"retries":2)");
      CHECK(line.until([](const Line& seen) {
        REQUIRE(seen.value("lossy") != "pipeline.device_timeout");
        return seen.count("lossy") > 2;
      }));
    }
    SUBCASE("not often enough") {
      Line line(device.port(), tags, R"(,"retries":1)");
      CHECK(line.read("lossy") == "pipeline.device_timeout");
    }
  }

  TEST_CASE("a device is found by its name") {
    const Device device;  // Not on ::1, which localhost means first on many machines.
    Line line(device.port(), tag("t", "1!400001", "int16"), "", "localhost");

    CHECK(line.read("t") == "-123");
  }

  TEST_CASE("a write that was sent and never answered is unknown, not failed") {
    const Device device;
    Line line(device.port(), tag("silent", "2!400001", "int16", writable));

    CHECK(line.write("silent", Value(std::int64_t{5})) == "pipeline.write_unknown");
  }

  TEST_CASE("several requests may be under way at once when that is configured") {
    const Device device;
    Line line(device.port(),
              tag("a", "1!400001", "int16") + "," + tag("b", "1!300001", "uint16") + "," +
                  tag("c", "1!000002", "boolean"),
              R"(,"max_in_flight":4)");

    CHECK(line.until([](const Line& seen) {
      return seen.count("a") > 5 && seen.count("b") > 5 && seen.count("c") > 5;
    }));
  }

  TEST_CASE("a device that went away is told, and read again when it is back") {
    Device device;
    Line line(device.port(), tag("t", "1!400001", "int16"), R"(,"back_off_max_ms":200)");
    CHECK(line.until([](const Line& seen) { return seen.count("t") > 0; }));

    device.kill();
    CHECK(line.until(
        [](const Line& seen) { return seen.value("t") == "pipeline.device_unreachable"; }));
    const Device again(device.port());

    CHECK(line.until([](const Line& seen) { return seen.value("t") == "-123"; }));
  }

  TEST_CASE("a device that is not there is told, and a write to it fails at once") {
    Line line(1, tag("t", "1!400001", "int16", writable));

    CHECK(line.read("t") == "pipeline.device_unreachable");
    CHECK(line.write("t", Value(std::int64_t{1})) == "pipeline.device_unreachable");
  }

  TEST_CASE("a write still waiting when the driver stops is answered") {
    const Device device;
    Line line(device.port(), tag("t", "2!400001", "int16", writable));
    line.stop();

    CHECK(line.write("t", Value(std::int64_t{1})) == "pipeline.stopped");
  }

  TEST_CASE("stopping the driver makes no bad values of what it was reading") {
    const Device device;
    Line line(device.port(),
              tag("good", "1!400001", "int16") + "," + tag("silent", "2!400001", "int16"));
    line.read("good");
    line.stop();

    CHECK(line.value("good") == "-123");
    CHECK(line.value("silent") != "pipeline.stopped");
  }
}
