// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Result<T>: a value or an Error, a subset of the std::expected interface; and ECP_TRY.

#include <cassert>
#include <concepts>
#include <type_traits>
#include <utility>
#include <variant>

#include <ecp/core/error.hpp>

namespace ecp::inline v0 {

/// A value of T or the Error that kept it from being made.
///
/// Ownership: holds either by value.
/// Errors: asking for the side that is not there is a broken invariant and asserts.
template <class T>
class [[nodiscard]] Result {
  static_assert(std::is_object_v<T> && !std::is_same_v<T, Error>, "Result<T> holds object types");

 public:
  using value_type = T;

  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  Result(const Reason& reason) : Result(Error(reason)) {}                    // NOLINT

  /// From anything T can be made of, so that `return std::make_unique<D>()` works; exact for bool,
  /// because a pointer must not become a success.
  template <class U = T>
  requires(!std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error> &&
           !std::is_same_v<std::remove_cvref_t<U>, Reason> && std::is_convertible_v<U&&, T> &&
           (!std::is_same_v<T, bool> || std::is_same_v<std::remove_cvref_t<U>, bool>))
      Result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}  // NOLINT

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }

  [[nodiscard]] T& value() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& value() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  template <class U>
  [[nodiscard]] T value_or(U&& other) && {
    return has_value() ? std::move(*this).value() : static_cast<T>(std::forward<U>(other));
  }

  [[nodiscard]] Error& error() & {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

/// Success without a value, or an Error.
template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT
  Result(const Reason& reason) : Result(Error(reason)) {}                    // NOLINT

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const { assert(has_value()); }

  [[nodiscard]] Error& error() & {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] const Error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<std::monostate, Error> state_;
};

}  // namespace ecp::inline v0

#define ECP_DETAIL_JOIN2(a, b) a##b
#define ECP_DETAIL_JOIN(a, b) ECP_DETAIL_JOIN2(a, b)
#define ECP_DETAIL_TRY(temporary, declaration, ...)                \
  auto temporary = (__VA_ARGS__);                                  \
  if (!temporary.has_value()) return std::move(temporary).error(); \
  declaration = std::move(temporary).value()

/// Declare a variable from a Result, or return its Error: `ECP_TRY(auto node, nodes.get(id));`.
/// A statement of its own, in .cpp files only.
#define ECP_TRY(declaration, ...) \
  ECP_DETAIL_TRY(ECP_DETAIL_JOIN(ecp_try_, __COUNTER__), declaration, __VA_ARGS__)

/// Return the Error of a Result whose value is not wanted.
#define ECP_TRY_VOID(...)                                                      \
  do {                                                                         \
    auto ecp_try_result = (__VA_ARGS__);                                       \
    if (!ecp_try_result.has_value()) return std::move(ecp_try_result).error(); \
  } while (false)
