// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/audit/audit_registry.hpp>

#include "api/v1/audit_json.hpp"

namespace ecp::inline v0::api {

void add_audit_endpoints(Router& router, audit::AuditRegistry& audit, storage::Store& store) {
  for (const char* const path :
       {"/api/v1/audit", "/api/v1/orgs/:org/audit", "/api/v1/orgs/:org/projects/:project/audit"}) {
    router.add({http::Method::get, path, &access::permissions::audit_view,
                [&audit, &store](const http::Request& request,
                                 const access::Grant& grant) -> Result<http::Response> {
                  ECP_TRY(const auto page, page_from(request));
                  audit::EntryQuery query;
                  query.scope = grant.scope();
                  ECP_TRY(const auto found, audit.list(grant, query, page));
                  ECP_TRY(const auto names, store.read([&](storage::Transaction& transaction) {
                    return principal_names(transaction, found.items);
                  }));
                  const auto write = [&names](json::Writer& writer, const auto& entry) {
                    write_entry(writer, entry, names);
                  };
                  return json_response(200, json_list(found, write));
                }});
  }
}

}  // namespace ecp::inline v0::api
