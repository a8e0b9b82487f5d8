// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Randomness and ids as ports, so that a seeded run repeats.

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0 {

/// Source of random octets. The real one is cryptographic (libsodium).
///
/// Thread safety: any thread.
class ECP_EXPORT Random {
 public:
  virtual ~Random();
  virtual void fill(std::span<std::uint8_t> octets) = 0;
  /// A number in 0..bound-1, without modulo bias; 0 when bound is 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  [[nodiscard]] Bytes bytes(std::size_t count);
};

/// Repeats the same octets for the same seed; for tests and the simulation, never for secrets.
class ECP_EXPORT SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed);
  ~SeededRandom() override;
  void fill(std::span<std::uint8_t> octets) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Makes ids: UUIDv7 from a clock and a Random, strictly increasing within one source.
///
/// Thread safety: any thread.
class ECP_EXPORT IdSource {
 public:
  IdSource(const Clock& clock, Random& random);
  ~IdSource();
  IdSource(const IdSource&) = delete;
  IdSource& operator=(const IdSource&) = delete;
  [[nodiscard]] IdBytes next_bytes();
  /// `ids.next<EdgeNodeId>()`
  template <class SomeId>
  [[nodiscard]] SomeId next() {
    return SomeId(next_bytes());
  }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0
