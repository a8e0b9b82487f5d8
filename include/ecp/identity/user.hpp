// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A person who may log in.

#include <optional>
#include <string>

#include <ecp/access/ids.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::identity {

/// A person. The password's hash is no part of it.
struct User {
  access::UserId id;
  Revision revision = Revision::none;
  Time created_at{};
  std::string email;  ///< Unique without regard to ASCII case.
  std::string name;
  bool enabled = true;  ///< A disabled user cannot log in and his sessions are over.
  std::optional<Time> last_login_at;
};

}  // namespace ecp::inline v0::identity
