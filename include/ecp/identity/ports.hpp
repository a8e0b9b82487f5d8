// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What identity asks of whoever keeps the roles.

#include <string>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::identity {

/// Roles of users, as far as their standing depends on them. Implemented by rbac.
///
/// Transactions: called inside units of work.
class ECP_EXPORT RoleBook {
 public:
  virtual ~RoleBook();
  /// Users who are system administrators, whether they can log in or not.
  virtual Result<std::vector<access::UserId>> system_admins(storage::Transaction& transaction) = 0;
  virtual Result<void> make_system_admin(storage::Transaction& transaction, access::UserId user,
                                         Time now) = 0;
  /// The user is going; his memberships go along.
  virtual Result<void> user_removed(storage::Transaction& transaction, access::UserId user) = 0;
  /// Names of the organizations and projects he is in, which are no passwords.
  virtual Result<std::vector<std::string>> names_around(storage::Transaction& transaction,
                                                        access::UserId user) = 0;
};

}  // namespace ecp::inline v0::identity
