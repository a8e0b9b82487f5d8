// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/core/random.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace kind = ecp::kind;
namespace modbus = ecp::pipeline::modbus;

namespace {

/// What a device answers to the head of a request; empty: it hangs up.
struct Lie {
  const char* name;
  std::string (*answer)(const std::string& request);
};

std::string head(const std::string& request, const std::string& length) {
  return request.substr(0, 4) + length + request.substr(6, 1);
}

std::string truth(const std::string& request) {
  return head(request, {"\0\x05", 2}) + std::string("\x03\x02\x00\x07", 4);
}

std::string with(std::string answer, std::size_t place, char octet) {
  answer.at(place) = static_cast<char>(answer.at(place) ^ octet);
  return answer;
}

const Lie lies[] = {
    {"another transaction", [](const std::string& asked) { return with(truth(asked), 1, 0x40); }},
    {"another unit", [](const std::string& asked) { return with(truth(asked), 6, 0x04); }},
    {"another function", [](const std::string& asked) { return with(truth(asked), 7, 0x07); }},
    {"another protocol", [](const std::string& asked) { return with(truth(asked), 3, 0x01); }},
    {"too many octets told", [](const std::string& asked) { return with(truth(asked), 8, 0x06); }},
    {"length 65535", [](const std::string& asked) { return head(asked, "\xFF\xFF") + "\x03"; }},
    {"length 0",
     [](const std::string& asked) {
       return head(asked, {"\0\0", 2});
     }},
    {"length 1",
     [](const std::string& asked) {
       return head(asked, {"\0\x01", 2});
     }},
    {"no data",
     [](const std::string& asked) {
       return head(asked, {"\0\x02", 2}) + "\x03";
     }},
    {"too much data",
     [](const std::string& asked) {
       return head(asked, {"\0\x07", 2}) + std::string("\x03\x02\x00\x07\x00\x08", 6);
     }},
    {"an exception",
     [](const std::string& asked) {
       return head(asked, {"\0\x03", 2}) + "\x83\x0B";
     }},
    {"an exception without a code",
     [](const std::string& asked) {
       return head(asked, {"\0\x02", 2}) + "\x83";
     }},
    {"half an answer", [](const std::string& asked) { return truth(asked).substr(0, 9); }},
    {"HTTP", [](const std::string&) { return std::string("HTTP/1.1 400 Bad Request\r\n\r\n"); }},
    {"nothing", [](const std::string&) { return std::string(); }},
};

/// Answers as its lie says until it is told to be honest; a connection at a time.
class LyingDevice {
 public:
  explicit LyingDevice(const Lie& lie) : lie_(lie) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(listener_, place, size) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    REQUIRE(::getsockname(listener_, place, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  /// After the driver has hung up.
  ~LyingDevice() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] int port() const { return port_; }
  void be_honest() { is_honest_ = true; }

 private:
  void serve() const {
    int peer = -1;
    while ((peer = ::accept(listener_, nullptr, nullptr)) >= 0) {
      std::string request(12, '\0');
      while (::recv(peer, request.data(), request.size(), MSG_WAITALL) == 12) {
        const auto answer = is_honest_ ? truth(request) : lie_.answer(request);
        if (answer.empty()) break;
        if (::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) break;
      }
      ::close(peer);
    }
  }

  const Lie& lie_;
  int listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int port_ = 0;
  std::atomic<bool> is_honest_ = false;
  std::thread thread_;
};

/// The readings of one register of a device.
class Reader {
 public:
  explicit Reader(int port) {
    const auto text =
        R"({"drivers":[{"name":"d","type":"modbus-tcp","host":"127.0.0.1","port":)" +
        std::to_string(port) +
        R"(,"timeout_ms":100,"back_off_min_ms":100,"back_off_max_ms":200,"groups":[{"name":"g",)"
        R"("interval_ms":20,"tags":[{"name":"t","address":"1!400001","type":"uint16"}]}]}]})";
    const auto config = kind::parse_pipeline_config(text);
    REQUIRE_MESSAGE(config, text);
    driver_ = std::move(*factory_->open(config->drivers.at(0)));
    driver_->start({[this](const auto& readings) {
                      const std::lock_guard lock(mutex_);
                      for (const auto& reading : readings) last_ = reading.value;
                      changed_.notify_all();
                    },
                    [](const auto&) {}});
  }
  ~Reader() { driver_->stop(); }

  /// The first reading, or the first that has a value; none after 10 s.
  std::optional<ecp::Result<ecp::series::Value>> wait(bool for_value) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(10),
                      [&] { return last_ && (!for_value || last_->has_value()); });
    return last_;
  }

 private:
  ecp::MemoryLog log_;
  ecp::RealEnv world_{log_, 1};
  std::unique_ptr<ecp::pipeline::DriverFactory> factory_ =
      ecp::pipeline::open_modbus_drivers(world_.env());
  std::unique_ptr<ecp::pipeline::Driver> driver_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<ecp::Result<ecp::series::Value>> last_;
};

std::vector<kind::TagConfig> some_tags() {
  const auto text =
      R"({"drivers":[{"name":"d","type":"modbus-tcp","host":"h","groups":[{"name":"g","tags":[
        {"name":"a","address":"1!400001","type":"uint16"},
        {"name":"b","address":"1!400002","type":"float32","scale":0.1},
        {"name":"c","address":"1!400004","type":"float64"},
        {"name":"e","address":"1!400008.3","type":"boolean"}]}]}]})";
  auto config = kind::parse_pipeline_config(text);
  REQUIRE(config);
  return config->drivers.at(0).groups.at(0).tags;
}

}  // namespace

TEST_SUITE("pipeline.modbus.hostile") {
  TEST_CASE("no lie of a device becomes a value, and the truth after it does [R24]") {
    for (const auto& lie : lies) {
      CAPTURE(lie.name);
      LyingDevice device(lie);
      Reader reader(device.port());

      const auto first = reader.wait(false);
      device.be_honest();
      const auto later = reader.wait(true);

      REQUIRE(first);
      CHECK_FALSE(first->has_value());
      if (lie.name == std::string("HTTP")) {  // It takes connections, and cables are not to blame.
        CHECK(first->error().is(ecp::pipeline::reasons::bad_answer));
      }
      REQUIRE(later);
      REQUIRE(later->has_value());
      CHECK(**later == ecp::series::Value(std::int64_t{7}));
    }
  }

  TEST_CASE("twenty thousand damaged streams of answers are survived [R24]") {
    const auto tags = some_tags();
    const auto read = modbus::plan_reads(tags, 125, 10).at(0);
    ecp::Bytes pdu{"\x03"};
    pdu.push_back(static_cast<char>(read.count * 2));
    for (int i = 0; i < read.count * 2; ++i) pdu.push_back(static_cast<char>(i));
    const auto good = modbus::encode({7, 1, pdu}) + modbus::encode({8, 1, pdu});
    ecp::SeededRandom random(24);
    const auto below = [&](std::size_t bound) {
      return static_cast<std::size_t>(random.below(bound));
    };

    for (int round = 0; round < 20'000; ++round) {
      auto stream = good;
      for (auto changes = below(4) + 1; changes > 0; --changes) {
        stream[below(stream.size())] = static_cast<char>(below(256));
      }
      stream.resize(stream.size() - below(2) * below(stream.size()));
      while (true) {
        const auto frame = modbus::take_frame(stream);
        if (!frame || !*frame) break;
        const auto answer = modbus::read_answer(read, (*frame)->pdu);
        if (!answer) continue;
        CHECK(answer->size() == static_cast<std::size_t>(read.count) * 2);
        for (const auto& tag : tags) (void)modbus::decode(tag, modbus::raw_of(tag, read, *answer));
      }
    }
  }

  TEST_CASE("an answer cut off at any octet is no answer [R24]") {
    const auto tags = some_tags();
    const auto read = modbus::plan_reads(tags, 125, 10).at(0);
    ecp::Bytes pdu{"\x03"};
    pdu.push_back(static_cast<char>(read.count * 2));
    pdu.append(static_cast<std::size_t>(read.count) * 2, 'x');

    for (std::size_t size = 0; size < pdu.size(); ++size) {
      CHECK_FALSE(modbus::read_answer(read, ecp::BytesView(pdu).substr(0, size)));
    }
    const auto write = modbus::write_request(tags[1], "abcd");
    for (std::size_t size = 0; size < 5; ++size) {
      CHECK_FALSE(modbus::write_answer(write, ecp::BytesView(write).substr(0, size)));
    }
  }
}
