// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/edge_service_store.hpp>

#include "storage/sql/fleet/stores.hpp"

namespace ecp::inline v0::fleet::sql_stores {
namespace {

constexpr std::string_view noun = "edge service";

const std::string select_services =
    "SELECT v.id, v.organization, v.project, v.node, v.name, v.kind, v.runtime, v.running, "
    "v.config, v.revision, v.created_at, s.state, s.reason, s.changed_at, s.wanted_sha256, "
    "s.applied_sha256, s.resource, s.resource_reason FROM fleet_services v JOIN "
    "fleet_service_status s ON s.service = v.id ";
const std::string select_service = select_services + "WHERE v.id = $1";
const std::string select_of_node = select_services + "WHERE v.node = $1 ORDER BY v.id";
const std::string matches =
    "WHERE v.project = $1 AND v.name_key LIKE $2 ESCAPE '!' AND (CAST($3 AS TEXT) IS NULL OR "
    "v.node = CAST($3 AS TEXT)) ";
const std::string select_page =
    select_services + matches + "ORDER BY v.name_key, v.id LIMIT $4 OFFSET $5";
const std::string count_page = "SELECT count(*) FROM fleet_services v " + matches;

Result<EdgeService> read_service(const Statement& row) {
  EdgeService service;
  ECP_TRY(service.id, id_at<EdgeServiceId>(row, 0));
  ECP_TRY(service.organization, id_at<access::OrganizationId>(row, 1));
  ECP_TRY(service.project, id_at<access::ProjectId>(row, 2));
  ECP_TRY(service.node, id_at<EdgeNodeId>(row, 3));
  const auto state = link::parse_service_state(row.text(11));
  if (!state) return damaged(noun);
  service.name = row.text(4);
  service.kind = row.text(5);
  service.runtime = row.text(6);
  service.running = row.integer(7) != 0;
  service.config_json = row.text(8);
  service.revision = static_cast<Revision>(row.integer(9));
  service.created_at = time_at(row, 10);
  service.status.state = *state;
  service.status.reason = row.text(12);
  service.status.changed_at = time_at(row, 13);
  service.status.wanted_sha256 = row.text(14);
  service.status.applied_sha256 = row.text(15);
  service.status.resource = static_cast<link::ResourceState>(row.integer(16));
  service.status.resource_reason = row.text(17);
  return service;
}

class SqlEdgeServiceStore final : public EdgeServiceStore {
 public:
  explicit SqlEdgeServiceStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const EdgeService& service) override {
    ECP_TRY(
        const auto added,
        connection_.run(
            "INSERT INTO fleet_services (id, organization, project, node, name, name_key, kind, "
            "runtime, running, config, revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, "
            "$7, $8, $9, $10, 1, $11) ON CONFLICT DO NOTHING",
            service.id.to_string(), service.organization.to_string(), service.project.to_string(),
            service.node.to_string(), service.name, name_key(service.name), service.kind,
            service.runtime, service.running, service.config_json, service.created_at));
    if (added == 0) return name_taken(noun);
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_service_status (service, state, reason, changed_at, wanted_sha256, "
        "applied_sha256, resource, resource_reason) VALUES ($1, 'unknown', '', 0, '', '', 0, '')",
        service.id.to_string()));
    return put_status(service.id, service.status);
  }

  Result<EdgeService> get(access::ProjectId project, EdgeServiceId id) override {
    ECP_TRY(auto service, find(id));
    if (!service || service->project != project) return not_found(noun);
    return std::move(*service);
  }

  Result<std::optional<EdgeService>> find(EdgeServiceId id) override {
    return first_row<EdgeService>(connection_.bound(select_service, id.to_string()), read_service);
  }

  Result<Page<EdgeService>> list(const EdgeServiceQuery& query, PageRequest page) override {
    std::optional<std::string> node_text;
    if (query.node) node_text = query.node->to_string();
    std::optional<std::string_view> node;
    if (node_text) node = *node_text;
    const auto project = query.project.to_string();
    const auto pattern = contains_pattern(query.name_contains);
    Page<EdgeService> found;
    ECP_TRY(found.items, all_rows<EdgeService>(connection_.bound(select_page, project, pattern,
                                                                 node, page.limit, page.offset),
                                               read_service));
    ECP_TRY(found.total, number_of(connection_.bound(count_page, project, pattern, node)));
    return found;
  }

  Result<std::vector<EdgeService>> list_of_node(EdgeNodeId node) override {
    return all_rows<EdgeService>(connection_.bound(select_of_node, node.to_string()), read_service);
  }

  Result<Revision> update(const EdgeService& service) override {
    ECP_TRY(const auto taken,
            number_of(connection_.bound("SELECT count(*) FROM fleet_services WHERE project = $1 "
                                        "AND name_key = $2 AND id <> $3",
                                        service.project.to_string(), name_key(service.name),
                                        service.id.to_string())));
    if (taken > 0) return name_taken(noun);
    ECP_TRY(
        const auto changed,
        connection_.run("UPDATE fleet_services SET name = $1, name_key = $2, config = $3, "
                        "running = $4, revision = revision + 1 WHERE project = $5 AND id = $6 "
                        "AND revision = $7",
                        service.name, name_key(service.name), service.config_json, service.running,
                        service.project.to_string(), service.id.to_string(), service.revision));
    if (changed == 0) return stale(noun);
    return next(service.revision);
  }

  Result<void> remove(access::ProjectId project, EdgeServiceId id) override {
    ECP_TRY(const auto gone,
            connection_.run("DELETE FROM fleet_services WHERE project = $1 AND id = $2",
                            project.to_string(), id.to_string()));
    if (gone == 0) return not_found(noun);
    ECP_TRY_VOID(
        connection_.run("DELETE FROM fleet_service_status WHERE service = $1", id.to_string()));
    return {};
  }

  Result<void> put_status(EdgeServiceId id, const EdgeServiceStatus& status) override {
    ECP_TRY_VOID(connection_.run(
        "UPDATE fleet_service_status SET state = $1, reason = $2, changed_at = $3, wanted_sha256 = "
        "$4, applied_sha256 = $5, resource = $6, resource_reason = $7 WHERE service = $8",
        link::to_string(status.state), status.reason, status.changed_at, status.wanted_sha256,
        status.applied_sha256, static_cast<std::int64_t>(status.resource), status.resource_reason,
        id.to_string()));
    return {};
  }

 private:
  Connection& connection_;
};

}  // namespace

storage::ErasedStore make_edge_service_store(Connection& connection) {
  return storage::erase<EdgeServiceStore>(new SqlEdgeServiceStore(connection));
}

}  // namespace ecp::inline v0::fleet::sql_stores
