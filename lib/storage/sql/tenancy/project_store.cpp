// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>
#include <ecp/tenancy/stores.hpp>

#include "storage/sql/rows.hpp"
#include "storage/sql/tenancy/stores.hpp"

namespace ecp::inline v0::storage::tenancy_stores {
namespace {

using access::OrganizationId;
using access::ProjectId;
using tenancy::Project;

Result<Project> read_project(const sql::Statement& row) {
  Project project;
  ECP_TRY(project.id, sql::id_at<ProjectId>(row, 0));
  ECP_TRY(project.organization, sql::id_at<OrganizationId>(row, 1));
  project.revision = Revision{row.integer(2)};
  project.created_at = sql::time_at(row, 3);
  project.name = row.text(4);
  project.description = row.text(5);
  return project;
}

Error unknown() { return Error(ecp::reasons::not_found, {{"noun", "project"}}); }
Error stale() { return Error(ecp::reasons::stale_revision, {{"noun", "project"}}); }
Error taken() { return Error(ecp::reasons::name_taken, {{"noun", "project"}, {"field", "name"}}); }

class SqlProjectStore final : public tenancy::ProjectStore {
 public:
  explicit SqlProjectStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const Project& project) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO tenancy_projects (id, organization, revision, created_at,"
                            " name, name_key, description) VALUES ($1, $2, 1, $3, $4, $5, $6)"
                            " ON CONFLICT DO NOTHING",
                            project.id.to_string(), project.organization.to_string(),
                            project.created_at, project.name, sql::name_key(project.name),
                            project.description));
    if (changed == 0) return taken();
    return {};
  }

  Result<Project> get(OrganizationId organization, ProjectId id) override {
    ECP_TRY(auto found, sql::first_row<Project>(
                            connection_.bound("SELECT id, organization, revision, created_at, name,"
                                              " description FROM tenancy_projects"
                                              " WHERE id = $1 AND organization = $2",
                                              id.to_string(), organization.to_string()),
                            read_project));
    if (!found) return unknown();
    return std::move(*found);
  }

  Result<Page<Project>> list(OrganizationId organization, PageRequest page) override {
    Page<Project> found;
    ECP_TRY(found.items,
            sql::all_rows<Project>(
                connection_.bound("SELECT id, organization, revision, created_at, name,"
                                  " description FROM tenancy_projects WHERE organization = $1"
                                  " ORDER BY name_key LIMIT $2 OFFSET $3",
                                  organization.to_string(), page.limit, page.offset),
                read_project));
    ECP_TRY(found.total, count(organization));
    return found;
  }

  Result<Revision> update(const Project& project) override {
    const std::string id = project.id.to_string();
    const std::string organization = project.organization.to_string();
    const std::string key = sql::name_key(project.name);
    ECP_TRY(const auto others,
            sql::number_of(connection_.bound("SELECT COUNT(*) FROM tenancy_projects"
                                             " WHERE organization = $1 AND name_key = $2"
                                             " AND id <> $3",
                                             organization, key, id)));
    if (others > 0) return taken();
    ECP_TRY(const auto changed,
            connection_.run("UPDATE tenancy_projects SET revision = revision + 1, name = $1,"
                            " name_key = $2, description = $3"
                            " WHERE id = $4 AND organization = $5 AND revision = $6",
                            project.name, key, project.description, id, organization,
                            project.revision));
    if (changed == 1) return next(project.revision);
    ECP_TRY_VOID(get(project.organization, project.id));
    return stale();
  }

  Result<void> remove(OrganizationId organization, ProjectId id, Revision revision) override {
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM tenancy_projects"
                            " WHERE id = $1 AND organization = $2 AND revision = $3",
                            id.to_string(), organization.to_string(), revision));
    if (changed == 1) return {};
    ECP_TRY_VOID(get(organization, id));
    return stale();
  }

  Result<std::int64_t> count(OrganizationId organization) override {
    return sql::number_of(connection_.bound(
        "SELECT COUNT(*) FROM tenancy_projects WHERE organization = $1", organization.to_string()));
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_projects(sql::Connection& connection) {
  return erase<tenancy::ProjectStore>(new SqlProjectStore(connection));
}

}  // namespace ecp::inline v0::storage::tenancy_stores
