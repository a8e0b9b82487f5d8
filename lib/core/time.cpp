// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/time.hpp>

#include <algorithm>
#include <array>
#include <mutex>
#include <optional>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0 {
namespace {

using Days = std::chrono::sys_days;

constexpr Time first_time = Days{std::chrono::year{0} / 1 / 1};
constexpr Time last_time = Days{std::chrono::year{10'000} / 1 / 1} - Milliseconds{1};

void append_padded(std::string& out, std::int64_t number, int digits) {
  std::array<char, 4> text{};
  for (int i = digits - 1; i >= 0; --i) {
    text[static_cast<std::size_t>(i)] = static_cast<char>('0' + number % 10);
    number /= 10;
  }
  out.append(text.data(), static_cast<std::size_t>(digits));
}

/// Takes a text apart from its beginning; after the first misfit it stays failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int number(std::size_t digits, int min, int max) {
    int value = 0;
    for (std::size_t i = 0; i < digits; ++i) value = value * 10 + digit();
    if (value < min || value > max) failed_ = true;
    return value;
  }
  int digit() {
    if (!at_digit()) {
      failed_ = true;
      return 0;
    }
    const int value = rest_.front() - '0';
    rest_.remove_prefix(1);
    return value;
  }
  void one_of(std::string_view characters) {
    if (!at(characters)) {
      failed_ = true;
    } else {
      rest_.remove_prefix(1);
    }
  }
  [[nodiscard]] bool at(std::string_view characters) const {
    return !rest_.empty() && characters.find(rest_.front()) != std::string_view::npos;
  }
  [[nodiscard]] bool at_digit() const { return at("0123456789"); }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

/// Digits of a second beyond the millisecond are cut off.
Milliseconds scan_fraction(Scanner& scanner) {
  if (!scanner.at(".")) return Milliseconds{0};
  scanner.one_of(".");
  int value = scanner.digit() * 100;
  for (int weight = 10; scanner.at_digit(); weight /= 10) value += scanner.digit() * weight;
  return Milliseconds{value};
}

std::chrono::minutes scan_offset(Scanner& scanner) {
  if (scanner.at("Zz")) {
    scanner.one_of("Zz");
    return std::chrono::minutes{0};
  }
  const bool is_west = scanner.at("-");
  scanner.one_of("+-");
  const int hours = scanner.number(2, 0, 23);
  scanner.one_of(":");
  const int minutes = hours * 60 + scanner.number(2, 0, 59);
  return std::chrono::minutes{is_west ? -minutes : minutes};
}

std::optional<Time> scan_time(std::string_view text) {
  namespace chrono = std::chrono;
  Scanner scanner(text);
  const int years = scanner.number(4, 0, 9999);
  scanner.one_of("-");
  const int months = scanner.number(2, 1, 12);
  scanner.one_of("-");
  const int days = scanner.number(2, 1, 31);
  scanner.one_of("Tt");
  const int hours_of_day = scanner.number(2, 0, 23);
  scanner.one_of(":");
  const int minutes_of_hour = scanner.number(2, 0, 59);
  scanner.one_of(":");
  const int seconds_of_minute = scanner.number(2, 0, 59);
  const auto fraction = scan_fraction(scanner);
  const auto offset = scan_offset(scanner);
  const chrono::year_month_day date{chrono::year{years},
                                    chrono::month{static_cast<unsigned>(months)},
                                    chrono::day{static_cast<unsigned>(days)}};
  if (!scanner.done() || !date.ok()) return std::nullopt;
  return chrono::sys_days{date} + chrono::hours{hours_of_day} + chrono::minutes{minutes_of_hour} +
         chrono::seconds{seconds_of_minute} + fraction - offset;
}

}  // namespace

std::string to_rfc3339(Time time) {
  time = std::clamp(time, first_time, last_time);
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::int64_t clock = (time - day).count();
  std::string out;
  out.reserve(24);
  append_padded(out, int{date.year()}, 4);
  out += '-';
  append_padded(out, unsigned{date.month()}, 2);
  out += '-';
  append_padded(out, unsigned{date.day()}, 2);
  out += 'T';
  append_padded(out, clock / 3'600'000, 2);
  out += ':';
  append_padded(out, clock / 60'000 % 60, 2);
  out += ':';
  append_padded(out, clock / 1'000 % 60, 2);
  out += '.';
  append_padded(out, clock % 1'000, 3);
  out += 'Z';
  return out;
}

Result<Time> parse_rfc3339(std::string_view text) {
  const auto time = scan_time(text);
  if (!time) return reasons::bad_time;
  return *time;
}

Clock::~Clock() = default;

struct ManualClock::State {
  mutable std::mutex mutex;
  Time now;
  SteadyTime steady{std::chrono::hours{1}};
};

ManualClock::ManualClock(Time start) : state_(std::make_unique<State>()) { state_->now = start; }

ManualClock::~ManualClock() = default;

Time ManualClock::now() const {
  const std::lock_guard lock(state_->mutex);
  return state_->now;
}

SteadyTime ManualClock::steady() const {
  const std::lock_guard lock(state_->mutex);
  return state_->steady;
}

void ManualClock::advance(Milliseconds step) {
  const std::lock_guard lock(state_->mutex);
  state_->now += step;
  state_->steady += step;
}

void ManualClock::step_wall(Milliseconds step) {
  const std::lock_guard lock(state_->mutex);
  state_->now += step;
}

}  // namespace ecp::inline v0
