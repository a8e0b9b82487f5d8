// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <ecp/core/env.hpp>

namespace ecp {
namespace {

/// What a StreamLog has written into a pipe.
class Pipe {
 public:
  Pipe() { REQUIRE(::pipe2(ends_.data(), O_NONBLOCK | O_CLOEXEC) == 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int end() const { return ends_[1]; }
  [[nodiscard]] std::string read() const {
    std::array<char, 4096> buffer{};
    const auto count = ::read(ends_[0], buffer.data(), buffer.size());
    return count > 0 ? std::string(buffer.data(), static_cast<std::size_t>(count)) : std::string();
  }

 private:
  std::array<int, 2> ends_{};
};

TEST_SUITE("core.StreamLog") {
  TEST_CASE("an entry is a line of time, level, component, message and fields") {
    const Pipe pipe;
    const ManualClock clock(from_ms(0));
    StreamLog log(pipe.end(), LogLevel::info, clock);

    log.warning("fleet", "a node is late", {{"node", "p-7"}, {"by", "5 s"}, {"note", ""}});

    CHECK(pipe.read() ==
          "1970-01-01T00:00:00.000Z warning fleet: a node is late node=p-7 by=\"5 s\" note=\"\"\n");
  }

  TEST_CASE("entries below the least level are not written") {
    const Pipe pipe;
    const ManualClock clock;
    StreamLog log(pipe.end(), LogLevel::warning, clock);

    log.info("fleet", "quiet");
    log.debug("fleet", "quieter");
    CHECK(pipe.read().empty());
    log.error("fleet", "loud");
    CHECK(pipe.read().ends_with(" error fleet: loud\n"));
  }

  TEST_CASE("a value cannot end its line, forge another field or steer a terminal") {
    const Pipe pipe;
    const ManualClock clock(from_ms(0));
    StreamLog log(pipe.end(), LogLevel::info, clock);

    log.info(
        "c", "m",
        {{"a", "x\ny"}, {"b", "x\" c=1"}, {"d", "\x1b[2J\xC2\x9B"}, {"e", "\xFF\\"}, {"f", "Ö"}});

    CHECK(pipe.read() ==
          "1970-01-01T00:00:00.000Z info c: m a=x\\ny b=\"x\\\" c=1\" "
          "d=\\x1b[2J\\u009b e=\\xff\\\\ f=Ö\n");
  }

  TEST_CASE("a closed descriptor does not stop the program") {
    const ManualClock clock;
    StreamLog log(-1, LogLevel::info, clock);

    log.info("c", "lost");
  }
}

TEST_SUITE("core.MemoryLog") {
  TEST_CASE("entries are kept with their fields") {
    MemoryLog log;

    log.error("c", "went wrong", {{"why", "x"}});

    REQUIRE(log.entries().size() == 1);
    CHECK(log.entries()[0].level == LogLevel::error);
    CHECK(log.entries()[0].component == "c");
    CHECK(log.entries()[0].text == "went wrong why=x");
    CHECK(log.contains("why=x"));
    CHECK_FALSE(log.contains("why=y"));
  }
}

}  // namespace
}  // namespace ecp
