// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/error.hpp>

#include <algorithm>
#include <cassert>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0 {
namespace {

const std::string* find_param(const Params& params, std::string_view name) {
  for (const auto& param : params) {
    if (param.first == name) return &param.second;
  }
  return nullptr;
}

}  // namespace

std::string_view to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return "invalid_argument";
    case ErrorCode::unauthenticated:
      return "unauthenticated";
    case ErrorCode::permission_denied:
      return "permission_denied";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::already_exists:
      return "already_exists";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::failed_precondition:
      return "failed_precondition";
    case ErrorCode::resource_exhausted:
      return "resource_exhausted";
    case ErrorCode::internal:
      return "internal";
    case ErrorCode::data_loss:
      return "data_loss";
    case ErrorCode::unimplemented:
      return "unimplemented";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::timeout:
      return "timeout";
  }
  return "internal";
}

std::string Error::message() const {
  std::string out;
  std::string_view rest = reason->text;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    out += rest.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = rest.find('}', open);
    if (close == std::string_view::npos) {
      out += rest.substr(open);
      break;
    }
    const auto* value = find_param(params, rest.substr(open + 1, close - open - 1));
    // A value that nobody gave leaves its place visible; values are not searched for places again.
    out += value ? std::string_view(*value) : rest.substr(open, close - open + 1);
    rest.remove_prefix(close + 1);
  }
  return out;
}

std::string Error::describe() const {
  std::string out = std::string(reason->symbol) + ": " + message();
  if (!context.empty()) out += " (" + context + ")";
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return out;
}

Error Error::within(std::string_view where) && {
  context = context.empty() ? std::string(where) : std::string(where) + ": " + context;
  return std::move(*this);
}

ReasonCatalogue::ReasonCatalogue() { add(reasons::core_catalogue); }

void ReasonCatalogue::add(std::span<const Reason* const> reasons) {
  for (const Reason* reason : reasons) {
    assert(std::none_of(reasons_.begin(), reasons_.end(), [&](const Reason* other) {
      return other->number == reason->number || other->symbol == reason->symbol;
    }));
    const auto place =
        std::upper_bound(reasons_.begin(), reasons_.end(), reason,
                         [](const Reason* a, const Reason* b) { return a->number < b->number; });
    reasons_.insert(place, reason);
  }
}

}  // namespace ecp::inline v0
