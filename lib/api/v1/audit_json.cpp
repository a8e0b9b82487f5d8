// SPDX-License-Identifier: Apache-2.0
#include "api/v1/audit_json.hpp"

#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/identity/stores.hpp>

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

Result<std::string> user_name(storage::Transaction& transaction, std::string_view id) {
  ECP_TRY(const auto user_id, access::UserId::parse(id));
  auto user = transaction.get<identity::UserStore>().get(user_id);
  if (!user && user.error().code() == ErrorCode::not_found) return std::string();
  if (!user) return std::move(user).error();
  return user->name.empty() ? user->email : user->name;
}

Result<std::string> agent_name(storage::Transaction& transaction, std::string_view id) {
  ECP_TRY(const auto node_id, fleet::EdgeNodeId::parse(id));
  ECP_TRY(const auto node, transaction.get<fleet::EdgeNodeStore>().find(node_id));
  return node ? node->name : std::string();
}

}  // namespace

Result<PrincipalNames> principal_names(storage::Transaction& transaction,
                                       std::span<const audit::StoredEntry> entries) {
  PrincipalNames names;
  for (const auto& stored : entries) {
    const audit::Entry& entry = stored.entry;
    if (entry.principal.empty() || names.contains(entry.principal)) continue;
    std::string name;
    if (entry.principal_kind == "user") {
      ECP_TRY(name, user_name(transaction, entry.principal));
    } else if (entry.principal_kind == "agent") {
      ECP_TRY(name, agent_name(transaction, entry.principal));
    }
    names.emplace(entry.principal, std::move(name));
  }
  return names;
}

void write_entry(json::Writer& writer, const audit::StoredEntry& stored,
                 const PrincipalNames& names) {
  const audit::Entry& entry = stored.entry;
  writer.begin_object().field("id", entry.id.to_string()).field("at", to_rfc3339(entry.at));
  write_id(writer, "organization", entry.scope.organization);
  write_id(writer, "project", entry.scope.project);
  writer.field("principal_kind", entry.principal_kind).field("principal", entry.principal);
  const auto name = names.find(entry.principal);
  writer.field("principal_name", name == names.end() ? std::string() : name->second);
  writer.field("source", entry.source).field("request", entry.request);
  writer.field("remote", entry.remote).field("operation", entry.operation);
  writer.field("outcome", entry.outcome == audit::Outcome::done ? "done" : "denied");
  writer.field("subject_kind", entry.subject_kind).field("subject_id", entry.subject_id);
  writer.field("subject_name", entry.subject_name).key("details").begin_object();
  for (const auto& [detail, value] : entry.details) writer.field(detail, value);
  writer.end_object().field("hash", to_hex(stored.hash)).key("sequence");
  if (stored.seal) {
    writer.value(stored.seal->sequence);
  } else {
    writer.null();
  }
  writer.end_object();
}

}  // namespace ecp::inline v0::api
