// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Grants for tests: of somebody who may do everything, or nothing at all.

#include <memory>
#include <string>
#include <vector>

#include <ecp/access/permissions.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sqlite.hpp>

#include "support/results.hpp"

namespace ecp_test {

class Rights final : public ecp::access::DenialSink {
 public:
  explicit Rights(const ecp::Env& env)
      : store_(must(ecp::storage::open_sqlite(in_memory(), {}, env))),
        authorizer_(*store_, permissions_, *this, env) {}

  void denied(const ecp::access::Grant&, const ecp::access::Permission& permission,
              const ecp::access::Scope&) override {
    denials.emplace_back(permission.name);
  }

  /// All rights while `allowed`, or those of `only`; none otherwise.
  ecp::Result<ecp::access::Grant> grant(const ecp::access::Scope& scope) {
    if (allowed && !only.empty()) return authorizer_.system("test", scope, only);
    if (allowed) return authorizer_.system("test", scope);
    return authorizer_.authorize({ecp::access::PrincipalKind::agent, {}, "test"}, scope, {});
  }

  /// Of one of many, who may do nothing.
  ecp::Result<ecp::access::Grant> grant_of(const ecp::IdBytes& agent,
                                           const ecp::access::Scope& scope) {
    return authorizer_.authorize({ecp::access::PrincipalKind::agent, agent, "test"}, scope, {});
  }

  bool allowed = true;
  std::vector<const ecp::access::Permission*> only;  ///< Empty: all.
  std::vector<std::string> denials;

 private:
  static ecp::storage::SqliteOptions in_memory() {
    ecp::storage::SqliteOptions options;
    options.path = ":memory:";
    options.writer_thread = false;
    return options;
  }
  ecp::access::PermissionRegistry permissions_;  // Has all of ours.
  std::unique_ptr<ecp::storage::Store> store_;
  ecp::rbac::Authorizer authorizer_;
};

}  // namespace ecp_test
