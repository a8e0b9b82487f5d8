// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/audit/audit_registry.hpp>

namespace ecp::inline v0::api {
namespace {

/// The text of an id, or null for none.
template <class SomeId>
void write_id(json::Writer& writer, std::string_view name, SomeId id) {
  writer.key(name);
  if (id.is_nil()) {
    writer.null();
  } else {
    writer.value(id.to_string());
  }
}

void write_entry(json::Writer& writer, const audit::StoredEntry& stored) {
  const audit::Entry& entry = stored.entry;
  writer.begin_object().field("id", entry.id.to_string()).field("at", to_rfc3339(entry.at));
  write_id(writer, "organization", entry.scope.organization);
  write_id(writer, "project", entry.scope.project);
  writer.field("principal_kind", entry.principal_kind).field("principal", entry.principal);
  writer.field("source", entry.source).field("request", entry.request);
  writer.field("remote", entry.remote).field("operation", entry.operation);
  writer.field("outcome", entry.outcome == audit::Outcome::done ? "done" : "denied");
  writer.field("subject_kind", entry.subject_kind).field("subject_id", entry.subject_id);
  writer.field("subject_name", entry.subject_name).key("details").begin_object();
  for (const auto& [name, value] : entry.details) writer.field(name, value);
  writer.end_object().field("hash", to_hex(stored.hash)).key("sequence");
  if (stored.seal) {
    writer.value(stored.seal->sequence);
  } else {
    writer.null();
  }
  writer.end_object();
}

}  // namespace

void add_audit_endpoints(Router& router, audit::AuditRegistry& audit) {
  for (const char* const path :
       {"/api/v1/audit", "/api/v1/orgs/:org/audit", "/api/v1/orgs/:org/projects/:project/audit"}) {
    router.add({http::Method::get, path, &access::permissions::audit_view,
                [&audit](const http::Request& request,
                         const access::Grant& grant) -> Result<http::Response> {
                  ECP_TRY(const auto page, page_from(request));
                  audit::EntryQuery query;
                  query.scope = grant.scope();
                  ECP_TRY(const auto found, audit.list(grant, query, page));
                  return json_response(200, json_list(found, write_entry));
                }});
  }
}

}  // namespace ecp::inline v0::api
