// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/random.hpp>

#include <algorithm>
#include <cstring>
#include <mutex>

namespace ecp::inline v0 {

Random::~Random() = default;

std::uint64_t Random::below(std::uint64_t bound) {
  if (bound == 0) return 0;
  // Numbers below 2^64 mod bound would come once more often than the others.
  const std::uint64_t least = (0 - bound) % bound;
  std::array<std::uint8_t, 8> octets{};
  std::uint64_t number = 0;
  do {
    fill(octets);
    std::memcpy(&number, octets.data(), sizeof number);
  } while (number < least);
  return number % bound;
}

Bytes Random::bytes(std::size_t count) {
  Bytes out(count, '\0');
  fill({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
  return out;
}

/// splitmix64 (Steele, Lea, Flood 2014): small, and every seed is a good one.
struct SeededRandom::State {
  std::mutex mutex;
  std::uint64_t position;

  std::uint64_t next() {
    std::uint64_t word = position += 0x9E3779B97F4A7C15U;
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9U;
    word = (word ^ (word >> 27)) * 0x94D049BB133111EBU;
    return word ^ (word >> 31);
  }
};

SeededRandom::SeededRandom(std::uint64_t seed) : state_(std::make_unique<State>()) {
  state_->position = seed;
}

SeededRandom::~SeededRandom() = default;

void SeededRandom::fill(std::span<std::uint8_t> octets) {
  const std::lock_guard lock(state_->mutex);
  while (!octets.empty()) {
    const std::uint64_t word = state_->next();
    const std::size_t count = std::min(octets.size(), sizeof word);
    std::memcpy(octets.data(), &word, count);
    octets = octets.subspan(count);
  }
}

/// The 74 random bits of RFC 9562 version 7 as a counter that starts anywhere in each millisecond
/// and then goes up in random steps (section 6.2, method 2).
struct IdSource::State {
  const Clock& clock;
  Random& random;
  std::mutex mutex;
  std::int64_t milliseconds = -1;
  std::uint64_t high = 0;  ///< 12 bits
  std::uint64_t low = 0;   ///< 62 bits

  static constexpr std::uint64_t high_mask = (1U << 12) - 1;
  static constexpr std::uint64_t low_mask = (std::uint64_t{1} << 62) - 1;

  std::uint64_t draw(std::size_t octets) {
    std::uint64_t number = 0;
    fill(octets, number);
    return number;
  }
  void fill(std::size_t octets, std::uint64_t& number) {
    random.fill({reinterpret_cast<std::uint8_t*>(&number), octets});
  }

  void start(std::int64_t now) {
    milliseconds = now;
    high = draw(2) & (high_mask >> 1);  // Room above for the steps.
    low = draw(8) & low_mask;
  }

  void step() {
    low += 1 + draw(4);
    if (low <= low_mask) return;
    low &= low_mask;
    if (++high <= high_mask) return;
    start(milliseconds + 1);
  }
};

IdSource::IdSource(const Clock& clock, Random& random)
    : state_(new State{.clock = clock, .random = random, .mutex = {}}) {}

IdSource::~IdSource() = default;

IdBytes IdSource::next_bytes() {
  const std::lock_guard lock(state_->mutex);
  // A wall clock that was set back must not make ids go back.
  const std::int64_t now = to_ms(state_->clock.now());
  if (now > state_->milliseconds) {
    state_->start(now);
  } else {
    state_->step();
  }
  IdBytes bytes{};
  const auto put = [&bytes](std::size_t begin, std::size_t count, std::uint64_t number) {
    for (std::size_t i = 0; i < count; ++i) {
      bytes[begin + i] = static_cast<std::uint8_t>(number >> (8 * (count - 1 - i)));
    }
  };
  put(0, 6, static_cast<std::uint64_t>(state_->milliseconds));
  put(6, 2, 0x7000U | state_->high);
  put(8, 8, (std::uint64_t{2} << 62) | state_->low);
  return bytes;
}

}  // namespace ecp::inline v0
