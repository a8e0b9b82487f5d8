// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The one error body, and the header fields that go with every answer.

#include <string>

#include <ecp/core/error.hpp>
#include <ecp/core/export.hpp>
#include <ecp/http/message.hpp>

namespace ecp::inline v0::http {

/// `{"code":1008,"reason":"core.not_found","message":"...","params":{...}}`
[[nodiscard]] ECP_EXPORT std::string error_body(const Error& error);

/// An answer with that body.
[[nodiscard]] ECP_EXPORT Response make_error_response(int status, const Error& error);

/// Add what a browser should be told unless the answer says so itself: nothing is stored, guessed,
/// framed or run.
ECP_EXPORT void add_security_fields(Headers& headers);

}  // namespace ecp::inline v0::http
