// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A platform of people for tests: two organizations with a project each, and everybody's roles.
/// Link access_sql audit_sql tenancy_sql identity_sql rbac_sql test_backends.

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ecp/access/permissions.hpp>
#include <ecp/audit/audit_registry.hpp>
#include <ecp/core/env.hpp>
#include <ecp/identity/bootstrap.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/identity/stores.hpp>
#include <ecp/identity/user_registry.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/rbac/membership_registry.hpp>
#include <ecp/storage/sql/access.hpp>
#include <ecp/storage/sql/audit.hpp>
#include <ecp/storage/sql/identity.hpp>
#include <ecp/storage/sql/rbac.hpp>
#include <ecp/storage/sql/tenancy.hpp>
#include <ecp/tenancy/registries.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {

inline const std::vector<const ecp::storage::StoreModule*>& people_modules() {
  namespace storage = ecp::storage;
  static const std::vector<const storage::StoreModule*> modules{
      &storage::access_module(), &storage::audit_module(), &storage::tenancy_module(),
      &storage::identity_module(), &storage::rbac_module()};
  return modules;
}

/// Hashes as cheap as libsodium allows.
inline ecp::identity::HasherOptions cheap_hashes() {
  ecp::identity::HasherOptions options;
  options.operations = 1;
  options.memory = 8192;
  return options;
}

inline constexpr const char* good_password = "correct horse battery staple";

/// Registries over a store, and nobody in them yet.
class People {
 public:
  explicit People(ecp::storage::Store& some_store, const ecp::Env& some_env)
      : env(some_env),
        store(some_store),
        denials(store, env),
        authorizer(store, permissions, denials, env),
        book(env),
        hasher(cheap_hashes()),
        organizations(store, {&book}, env),
        projects(store, {&book}, env),
        users(store, hasher, book, env),
        sessions(store, hasher, book, env),
        members(store, env),
        audit(store) {}

  [[nodiscard]] ecp::access::Grant system(const ecp::access::Scope& scope = {}) const {
    return authorizer.system("test", scope);
  }
  [[nodiscard]] ecp::access::Grant grant(ecp::access::UserId user,
                                         const ecp::access::Scope& scope = {}) const {
    return must(authorizer.authorize({ecp::access::PrincipalKind::user, user.bytes(), "session"},
                                     scope, {7, {}}));
  }

  ecp::access::UserId user(const std::string& name) {
    ecp::identity::NewUser wanted{name + "@example.com", name, ecp::Secret(good_password)};
    return must(users.create(system(), std::move(wanted))).id;
  }
  ecp::access::UserId user(const std::string& name, const ecp::access::Scope& scope,
                           ecp::rbac::Role role) {
    const auto id = user(name);
    if (scope.level() == ecp::access::ScopeLevel::project) {
      give(id, {scope.organization, {}}, ecp::rbac::Role::member);
    }
    give(id, scope, role);
    return id;
  }
  void give(ecp::access::UserId user, const ecp::access::Scope& scope, ecp::rbac::Role role) {
    (void)must(members.put(system(scope), scope, user, role));
  }

  ecp::access::Scope organization(const std::string& name) {
    return {must(organizations.create(system(), {name, ""})).id, {}};
  }
  ecp::access::Scope project(const ecp::access::Scope& organization, const std::string& name) {
    const auto made =
        must(projects.create(system(organization), organization.organization, {name, ""}));
    return {organization.organization, made.id};
  }

  /// All audit entries, the latest first.
  std::vector<ecp::audit::StoredEntry> entries() {
    return must(audit.list(system(), {}, {1'000'000, 0})).items;
  }

  ecp::Env env;
  ecp::storage::Store& store;
  ecp::access::PermissionRegistry permissions;
  ecp::audit::DenialLog denials;
  ecp::rbac::Authorizer authorizer;
  ecp::rbac::MembershipBook book;
  ecp::identity::PasswordHasher hasher;
  ecp::tenancy::OrganizationRegistry organizations;
  ecp::tenancy::ProjectRegistry projects;
  ecp::identity::UserRegistry users;
  ecp::identity::SessionRegistry sessions;
  ecp::rbac::MembershipRegistry members;
  ecp::audit::AuditRegistry audit;
};

/// The same on a store in memory, by a clock that stands still.
class Town {
 public:
  Town()
      : store(must(MemoryBackend::open(people_modules(), world.env()))), all(*store, world.env()) {}

  ecp::ManualEnv world;
  std::unique_ptr<ecp::storage::Store> store;
  People all;
};

/// Two organizations that must not see each other, with one person of each role.
class TwoTenants : public Town {
 public:
  struct Tenant {
    ecp::access::Scope organization;
    ecp::access::Scope project;
    ecp::access::UserId organization_admin;
    ecp::access::UserId project_admin;
    ecp::access::UserId member;
  };
  TwoTenants()
      : admin(all.user("root", {}, ecp::rbac::Role::system_admin)), a(make("a")), b(make("b")) {}

  ecp::access::UserId admin;
  Tenant a;
  Tenant b;

 private:
  Tenant make(const std::string& name) {
    using ecp::rbac::Role;
    Tenant tenant;
    tenant.organization = all.organization("canary-org-" + name);
    tenant.project = all.project(tenant.organization, "canary-project-" + name);
    tenant.organization_admin =
        all.user("orgadmin-" + name, tenant.organization, Role::organization_admin);
    tenant.project_admin = all.user("projadmin-" + name, tenant.project, Role::project_admin);
    tenant.member = all.user("member-" + name, tenant.project, Role::member);
    return tenant;
  }
};

}  // namespace ecp_test
