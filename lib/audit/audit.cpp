// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/audit.hpp>

#include <arpa/inet.h>

#include <ecp/access/permissions.hpp>
#include <ecp/audit/audit_registry.hpp>
#include <ecp/audit/audit_store.hpp>
#include <ecp/audit/entry.hpp>

namespace ecp::inline v0::audit {
namespace {

constexpr Operation access_refused{"access.refused"};

std::string request_text(std::uint64_t number) {
  if (number == 0) return {};
  std::array<char, 8> octets{};
  for (std::size_t index = 0; index < octets.size(); ++index) {
    octets[index] = static_cast<char>((number >> (56 - 8 * index)) & 0xff);
  }
  return to_hex(BytesView(octets.data(), octets.size()));
}

std::string remote_text(const IdBytes& remote) {
  if (remote == IdBytes{}) return {};
  constexpr IdBytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  const bool is_v4 = std::equal(mapped.begin(), mapped.begin() + 12, remote.begin());
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(is_v4 ? AF_INET : AF_INET6, remote.data() + (is_v4 ? 12 : 0), text.data(),
              text.size());
  return text.data();
}

Entry begin_entry(const IdBytes& id, Time now, const Circumstance& circumstance) {
  Entry entry;
  entry.id = EntryId(id);
  entry.at = now;
  entry.scope = circumstance.scope;
  const access::Principal& principal = circumstance.principal;
  switch (principal.kind) {
    case access::PrincipalKind::user:
      entry.principal_kind = principal.id == IdBytes{} ? "nobody" : "user";
      if (principal.id != IdBytes{}) entry.principal = access::UserId(principal.id).to_string();
      break;
    case access::PrincipalKind::agent:
      entry.principal_kind = "agent";
      entry.principal = id_to_text("node", principal.id);
      break;
    case access::PrincipalKind::system:
      entry.principal_kind = "system";
      break;
  }
  entry.source = principal.source;
  entry.request = request_text(circumstance.origin.request_number);
  entry.remote = remote_text(circumstance.origin.remote);
  return entry;
}

Result<void> finish_entry(storage::Transaction& transaction, Entry entry,
                          const Operation& operation, Outcome outcome, Subject subject,
                          Details details) {
  entry.operation = operation.name;
  entry.outcome = outcome;
  entry.subject_kind = subject.kind;
  entry.subject_id = std::move(subject.id);
  entry.subject_name = std::move(subject.name);
  entry.details = std::move(details);
  return transaction.get<AuditStore>().insert(entry, hash_of(entry));
}

Circumstance circumstance_of(const access::Grant& grant) {
  return {grant.principal(), grant.scope(), grant.origin()};
}

}  // namespace

Result<void> append(storage::Transaction& transaction, const access::Grant& grant,
                    const Operation& operation, Subject subject, Details details) {
  return finish_entry(transaction,
                      begin_entry(grant.next_id(), grant.now(), circumstance_of(grant)), operation,
                      Outcome::done, std::move(subject), std::move(details));
}

Result<void> append_unauthenticated(storage::Transaction& transaction, const Env& env,
                                    const Circumstance& circumstance, const Operation& operation,
                                    Outcome outcome, Subject subject, Details details) {
  return finish_entry(transaction, begin_entry(env.ids.next_bytes(), env.clock.now(), circumstance),
                      operation, outcome, std::move(subject), std::move(details));
}

DenialLog::~DenialLog() = default;

void DenialLog::denied(const access::Grant& grant, const access::Permission& permission,
                       const access::Scope& scope) {
  Details details{{"permission", std::string(permission.name)}};
  auto circumstance = circumstance_of(grant);
  const bool is_at_home = grant.scope().contains(scope) && grant.holds_any();
  if (is_at_home) {
    circumstance.scope = scope;
  } else {
    // A foreign or unknown scope: its people are not told of strangers at their door.
    circumstance.scope = access::Scope::platform();
    if (!scope.organization.is_nil()) details.emplace_back("org", scope.organization.to_string());
    if (!scope.project.is_nil()) details.emplace_back("project", scope.project.to_string());
  }
  const auto written = store_.write([&](storage::Transaction& transaction) {
    return append_unauthenticated(transaction, env_, circumstance, access_refused, Outcome::denied,
                                  {"permission", "", std::string(permission.name)}, details);
  });
  if (!written) {
    env_.log.error(
        "audit", "a refusal could not be recorded",
        {{"permission", std::string(permission.name)}, {"problem", written.error().describe()}});
  }
}

Result<Page<StoredEntry>> AuditRegistry::list(const access::Grant& grant, const EntryQuery& query,
                                              PageRequest page) {
  ECP_TRY_VOID(grant.require(access::permissions::audit_view, query.scope));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AuditStore>().list(query, page);
  });
}

}  // namespace ecp::inline v0::audit
