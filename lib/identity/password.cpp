// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/password.hpp>

#include <array>
#include <condition_variable>
#include <mutex>
#include <utility>

#include <sodium.h>

#include <ecp/core/limits.hpp>
#include <ecp/identity/reasons.hpp>

#include "identity/text.hpp"

namespace ecp::inline v0::identity {
namespace {

Error weak(std::string problem) {
  return Error(reasons::weak_password, {{"problem", std::move(problem)}});
}

/// The word that a text repeats, such as "password" of "passwordpassword"; else the text itself.
std::string_view repeated_part(std::string_view text) {
  for (std::size_t length = 1; length <= text.size() / 2; ++length) {
    if (text.size() % length != 0) continue;
    if (text.substr(length) == text.substr(0, text.size() - length)) return text.substr(0, length);
  }
  return text;
}

/// Never null, which libsodium asks for even when there are no octets.
const char* octets_of(const Secret& password) {
  return password.empty() ? "" : password.view().data();
}

}  // namespace

Result<void> check_password(const Secret& password, std::span<const std::string> forbidden) {
  const auto length = characters(password.view());
  if (length < limits::password_min) {
    return weak("must have at least " + std::to_string(limits::password_min) + " characters");
  }
  if (length > limits::password_max) {
    return weak("must have at most " + std::to_string(limits::password_max) + " characters");
  }
  const Secret lower(lower_case(password.view()));
  const auto part = repeated_part(lower.view());
  if (is_common_password(part) || is_common_password(lower.view())) {
    return weak("is one of the most common ones");
  }
  for (const auto& word : forbidden) {
    const auto name = lower_case(word);
    if (!name.empty() && (lower.equals(name) || part == name)) {
      return weak("is a name that others know");
    }
  }
  return {};
}

struct PasswordHasher::State {
  explicit State(HasherOptions some_options) : options(some_options) {}
  const HasherOptions options;
  std::mutex mutex;
  std::condition_variable freed;
  unsigned running = 0;
  unsigned waiting = 0;
  unsigned most = 0;

  void leave() {
    {
      const std::scoped_lock lock(mutex);
      --running;
    }
    freed.notify_one();
  }
};

PasswordHasher::PasswordHasher(HasherOptions options) : state_(std::make_unique<State>(options)) {
  [[maybe_unused]] const int unused = ::sodium_init();  // 1 when somebody was earlier.
}

PasswordHasher::~PasswordHasher() = default;

PasswordHasher::Turn::Turn(Turn&& other) noexcept
    : hasher_(std::exchange(other.hasher_, nullptr)) {}

PasswordHasher::Turn::~Turn() {
  if (hasher_ != nullptr) hasher_->state_->leave();
}

Result<PasswordHasher::Turn> PasswordHasher::wait_for_turn() {
  std::unique_lock lock(state_->mutex);
  if (state_->running >= state_->options.parallel) {
    if (state_->waiting >= state_->options.waiting) return reasons::busy;
    ++state_->waiting;
    state_->freed.wait(lock, [&] { return state_->running < state_->options.parallel; });
    --state_->waiting;
  }
  ++state_->running;
  if (state_->running > state_->most) state_->most = state_->running;
  return Turn(*this);
}

Result<std::string> PasswordHasher::hash(const Secret& password) {
  auto turn = wait_for_turn();
  if (!turn) return std::move(turn).error();
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const int failed = ::crypto_pwhash_str_alg(text.data(), octets_of(password),
                                             password.view().size(), state_->options.operations,
                                             state_->options.memory, crypto_pwhash_ALG_ARGON2ID13);
  if (failed != 0) return reasons::busy;  // No memory for it at this moment.
  return std::string(text.data());
}

bool PasswordHasher::verify(const Turn& /*turn*/, std::string_view hash, const Secret& password) {
  if (!hash.empty()) {
    const std::string text(hash);
    return ::crypto_pwhash_str_verify(text.c_str(), octets_of(password), password.view().size()) ==
           0;
  }
  std::array<unsigned char, 32> out{};
  std::array<unsigned char, crypto_pwhash_SALTBYTES> salt{};
  ::randombytes_buf(salt.data(), salt.size());
  [[maybe_unused]] const int unused = ::crypto_pwhash(
      out.data(), out.size(), octets_of(password), password.view().size(), salt.data(),
      state_->options.operations, state_->options.memory, crypto_pwhash_ALG_ARGON2ID13);
  return false;
}

unsigned PasswordHasher::most_parallel() const noexcept {
  const std::scoped_lock lock(state_->mutex);
  return state_->most;
}

}  // namespace ecp::inline v0::identity
