// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a password must be, and how it is kept.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>

namespace ecp::inline v0::identity {

/// Accept a new password or fail with `invalid_argument`: 15 to 128 characters of any kind, none of
/// the common ones (nor a repetition of one), none of `forbidden` (the user's and his
/// organizations' names), all compared without regard to ASCII case.
[[nodiscard]] ECP_EXPORT Result<void> check_password(const Secret& password,
                                                     std::span<const std::string> forbidden);

/// True for a lower-case word on the built-in list of common passwords.
[[nodiscard]] ECP_EXPORT bool is_common_password(std::string_view lower_case) noexcept;

/// Cost of a hash, and how many may be made at once.
struct HasherOptions {
  std::uint64_t operations = 2;                        ///< Passes of argon2id.
  std::size_t memory = std::size_t{64} * 1024 * 1024;  ///< Octets per hash.
  unsigned parallel = 2;  ///< Hashes at once; more would starve others.
  unsigned waiting = 8;   ///< Callers that wait; further ones are refused.
};

/// Options for a program with so many workers: log-ins leave at least one of them to other work,
/// so those that find no turn are told to come again instead of waiting in everybody's way.
[[nodiscard]] constexpr HasherOptions hasher_options_for(unsigned workers) {
  HasherOptions options;
  const unsigned for_log_ins = workers > 1 ? workers - 1 : 1;
  if (options.parallel > for_log_ins) options.parallel = for_log_ins;
  const unsigned rest = for_log_ins - options.parallel;
  if (options.waiting > rest) options.waiting = rest;
  return options;
}

/// Makes and checks argon2id hashes, a few at a time.
///
/// Thread safety: any thread; calls block while others hash.
/// Errors: `resource_exhausted` (identity.busy) when too many wait.
class ECP_EXPORT PasswordHasher {
 public:
  explicit PasswordHasher(HasherOptions options = {});
  ~PasswordHasher();
  PasswordHasher(const PasswordHasher&) = delete;
  PasswordHasher& operator=(const PasswordHasher&) = delete;

  /// Return the text of a hash with its own salt and costs.
  Result<std::string> hash(const Secret& password);
  /// A turn at hashing; `verify` needs one, so that what must be looked up before can be looked up
  /// when the turn has come.
  class Turn {
   public:
    Turn(Turn&& other) noexcept;
    Turn& operator=(Turn&&) = delete;
    ~Turn();

   private:
    friend class PasswordHasher;
    explicit Turn(PasswordHasher& hasher) : hasher_(&hasher) {}
    PasswordHasher* hasher_;
  };
  Result<Turn> wait_for_turn();
  /// True when the password is that of the hash. With an empty hash the same work is done and the
  /// answer is false.
  [[nodiscard]] bool verify(const Turn& turn, std::string_view hash, const Secret& password);
  /// Most hashes that ever ran at once.
  [[nodiscard]] unsigned most_parallel() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::identity
