// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/tenancy/operations.hpp>
#include <ecp/tenancy/reasons.hpp>
#include <ecp/tenancy/registries.hpp>
#include <ecp/tenancy/stores.hpp>

#include "tenancy/naming.hpp"

namespace ecp::inline v0::tenancy {
namespace {

namespace permissions = access::permissions;

audit::Subject subject_of(const Organization& organization) {
  return {"organization", organization.id.to_string(), organization.name};
}

}  // namespace

OrganizationStore::~OrganizationStore() = default;
ScopeObserver::~ScopeObserver() = default;

Result<bool> ScopeObserver::is_empty(storage::Transaction& /*transaction*/,
                                     const access::Scope& /*scope*/) {
  return true;
}

Result<void> ScopeObserver::scope_removed(storage::Transaction& /*transaction*/,
                                          const access::Scope& /*scope*/) {
  return {};
}

OrganizationRegistry::OrganizationRegistry(storage::Store& store,
                                           std::vector<ScopeObserver*> observers, const Env& env)
    : store_(store), observers_(std::move(observers)), env_(env) {}

Result<Organization> OrganizationRegistry::create(const access::Grant& grant, Naming naming) {
  ECP_TRY_VOID(grant.require(permissions::organization_create, access::Scope::platform()));
  ECP_TRY_VOID(check_naming(naming));
  Organization organization;
  organization.id = env_.ids.next<access::OrganizationId>();
  organization.revision = Revision::first;
  organization.created_at = env_.clock.now();
  organization.name = std::move(naming.name);
  organization.description = std::move(naming.description);
  return access::write(
      store_, grant, [&](storage::Transaction& transaction) -> Result<Organization> {
        auto& organizations = transaction.get<OrganizationStore>();
        ECP_TRY(const auto count, organizations.count());
        if (count >= static_cast<std::int64_t>(limits::organizations)) {
          return Error(ecp::reasons::over_limit,
                       {{"what", "the number of organizations"},
                        {"limit", std::to_string(limits::organizations)}});
        }
        ECP_TRY_VOID(organizations.insert(organization));
        ECP_TRY_VOID(audit::append(transaction, grant, operations::organization_create,
                                   subject_of(organization)));
        return organization;
      });
}

Result<Organization> OrganizationRegistry::get(const access::Grant& grant,
                                               access::OrganizationId id) {
  ECP_TRY_VOID(grant.require(permissions::organization_view, {id, {}}));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<OrganizationStore>().get(id);
  });
}

Result<Page<Organization>> OrganizationRegistry::list(const access::Grant& grant,
                                                      PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::organization_view, access::Scope::platform()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<OrganizationStore>().list(page);
  });
}

Result<Organization> OrganizationRegistry::update(const access::Grant& grant,
                                                  access::OrganizationId id, Revision revision,
                                                  NamingChanges changes) {
  ECP_TRY_VOID(grant.require(permissions::organization_edit, {id, {}}));
  return access::write(
      store_, grant, [&](storage::Transaction& transaction) -> Result<Organization> {
        auto& organizations = transaction.get<OrganizationStore>();
        ECP_TRY(auto organization, organizations.get(id));
        const std::string old_name = organization.name;
        organization.revision = revision;
        organization.name = changes.name.value_or(organization.name);
        organization.description = changes.description.value_or(organization.description);
        ECP_TRY_VOID(check_naming({organization.name, organization.description}));
        ECP_TRY(organization.revision, organizations.update(organization));
        ECP_TRY_VOID(audit::append(transaction, grant, operations::organization_edit,
                                   subject_of(organization), {{"old_name", old_name}}));
        return organization;
      });
}

Result<void> OrganizationRegistry::remove(const access::Grant& grant, access::OrganizationId id,
                                          Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::organization_delete, {id, {}}));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& organizations = transaction.get<OrganizationStore>();
    ECP_TRY(const auto organization, organizations.get(id));
    ECP_TRY(const auto projects, transaction.get<ProjectStore>().count(id));
    if (projects > 0) return Error(reasons::not_empty, {{"noun", "organization"}});
    const access::Scope scope{id, {}};
    for (ScopeObserver* const observer : observers_) {
      ECP_TRY(const bool is_empty, observer->is_empty(transaction, scope));
      if (!is_empty) return Error(reasons::not_empty, {{"noun", "organization"}});
    }
    for (ScopeObserver* const observer : observers_) {
      ECP_TRY_VOID(observer->scope_removed(transaction, scope));
    }
    ECP_TRY_VOID(organizations.remove(id, revision));
    return audit::append(transaction, grant, operations::organization_delete,
                         subject_of(organization));
  });
}

}  // namespace ecp::inline v0::tenancy
