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

audit::Subject subject_of(const Project& project) {
  return {"project", project.id.to_string(), project.name};
}

}  // namespace

ProjectStore::~ProjectStore() = default;

ProjectRegistry::ProjectRegistry(storage::Store& store, std::vector<ScopeObserver*> observers,
                                 const Env& env)
    : store_(store), observers_(std::move(observers)), env_(env) {}

Result<Project> ProjectRegistry::create(const access::Grant& grant,
                                        access::OrganizationId organization, Naming naming) {
  ECP_TRY_VOID(grant.require(permissions::project_create, {organization, {}}));
  ECP_TRY_VOID(check_naming(naming));
  Project project;
  project.id = env_.ids.next<access::ProjectId>();
  project.organization = organization;
  project.revision = Revision::first;
  project.created_at = env_.clock.now();
  project.name = std::move(naming.name);
  project.description = std::move(naming.description);
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<Project> {
    ECP_TRY_VOID(transaction.get<OrganizationStore>().get(organization));
    auto& projects = transaction.get<ProjectStore>();
    ECP_TRY(const auto count, projects.count(organization));
    if (count >= static_cast<std::int64_t>(limits::projects_per_organization)) {
      return Error(ecp::reasons::over_limit,
                   {{"what", "the number of projects"},
                    {"limit", std::to_string(limits::projects_per_organization)}});
    }
    ECP_TRY_VOID(projects.insert(project));
    ECP_TRY_VOID(
        audit::append(transaction, grant, operations::project_create, subject_of(project)));
    return project;
  });
}

Result<Project> ProjectRegistry::get(const access::Grant& grant, const access::Scope& scope) {
  ECP_TRY_VOID(grant.require(permissions::project_view, scope));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<ProjectStore>().get(scope.organization, scope.project);
  });
}

Result<Page<Project>> ProjectRegistry::list(const access::Grant& grant,
                                            access::OrganizationId organization, PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::project_view, {organization, {}}));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<ProjectStore>().list(organization, page);
  });
}

Result<Project> ProjectRegistry::update(const access::Grant& grant, const access::Scope& scope,
                                        Revision revision, NamingChanges changes) {
  ECP_TRY_VOID(grant.require(permissions::project_edit, scope));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<Project> {
    auto& projects = transaction.get<ProjectStore>();
    ECP_TRY(auto project, projects.get(scope.organization, scope.project));
    const std::string old_name = project.name;
    project.revision = revision;
    project.name = changes.name.value_or(project.name);
    project.description = changes.description.value_or(project.description);
    ECP_TRY_VOID(check_naming({project.name, project.description}));
    ECP_TRY(project.revision, projects.update(project));
    ECP_TRY_VOID(audit::append(transaction, grant, operations::project_edit, subject_of(project),
                               {{"old_name", old_name}}));
    return project;
  });
}

Result<void> ProjectRegistry::remove(const access::Grant& grant, const access::Scope& scope,
                                     Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::project_delete, scope));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& projects = transaction.get<ProjectStore>();
    ECP_TRY(const auto project, projects.get(scope.organization, scope.project));
    for (ScopeObserver* const observer : observers_) {
      ECP_TRY(const bool is_empty, observer->is_empty(transaction, scope));
      if (!is_empty) return Error(reasons::not_empty, {{"noun", "project"}});
    }
    for (ScopeObserver* const observer : observers_) {
      ECP_TRY_VOID(observer->scope_removed(transaction, scope));
    }
    ECP_TRY_VOID(projects.remove(scope.organization, scope.project, revision));
    return audit::append(transaction, grant, operations::project_delete, subject_of(project));
  });
}

}  // namespace ecp::inline v0::tenancy
