// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/fleet/reasons.hpp>

namespace ecp::inline v0::fleet {
namespace {

namespace permissions = access::permissions;

constexpr std::string_view text_prefix = "ecpt_";
constexpr std::size_t secret_octets = 32;
constexpr std::size_t secret_characters = 43;  // Base64url of 32 octets.
constexpr Milliseconds shortest{60'000};

Error bad_field(std::string_view field, std::string problem) {
  return {ecp::reasons::bad_field,
          {{"field", std::string(field)}, {"problem", std::move(problem)}}};
}

}  // namespace

Result<std::string> enrollment_token_hash(std::string_view text) {
  if (text.substr(0, text_prefix.size()) != text_prefix) return reasons::token_refused;
  const auto secret = text.substr(text_prefix.size(), secret_characters);
  const auto rest = text.substr(text_prefix.size() + secret.size());
  const auto octets = from_base64url(secret);
  if (!octets || octets->size() != secret_octets || (!rest.empty() && rest.front() != '.')) {
    return reasons::token_refused;
  }
  return to_hex(sha256(*octets));
}

EnrollmentTokenRegistry::EnrollmentTokenRegistry(storage::Store& store, std::string root_pin,
                                                 TrustObserver& trust, Env env)
    : store_(store), root_pin_(std::move(root_pin)), trust_(trust), env_(env) {}

Result<EnrollmentTokenRegistry::Created> EnrollmentTokenRegistry::create(const access::Grant& grant,
                                                                         const NewToken& wanted) {
  ECP_TRY_VOID(grant.require(permissions::enrollment_token_edit, grant.scope()));
  ECP_TRY_VOID(check_name("name", wanted.name));
  constexpr auto most = static_cast<std::int64_t>(limits::enrollment_token_uses);
  if (wanted.uses < 1 || wanted.uses > most) {
    return bad_field("uses", "must be 1 to " + std::to_string(most));
  }
  if (wanted.expires_in < shortest || wanted.expires_in > longest_token_life) {
    return bad_field("expires_in_s", "must be 60 to 86400");
  }
  const auto octets = env_.random.bytes(secret_octets);
  Created created;
  created.text = Secret(std::string(text_prefix) + to_base64url(octets) + "." + root_pin_);
  auto& token = created.token;
  token.id = env_.ids.next<EnrollmentTokenId>();
  token.organization = grant.scope().organization;
  token.project = grant.scope().project;
  token.name = wanted.name;
  token.hash = to_hex(sha256(octets));
  token.uses = wanted.uses;
  token.created_at = env_.clock.now();
  token.expires_at = token.created_at + wanted.expires_in;
  const auto unit = [&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY_VOID(transaction.get<EnrollmentTokenStore>().insert(token));
    return audit::append(
        transaction, grant, operations::enrollment_token_create,
        {"enrollment_token", token.id.to_string(), token.name},
        {{"uses", std::to_string(token.uses)}, {"expires_at", to_rfc3339(token.expires_at)}});
  };
  ECP_TRY_VOID(access::write(store_, grant, unit));
  return created;
}

Result<Page<EnrollmentToken>> EnrollmentTokenRegistry::list(const access::Grant& grant,
                                                            PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::enrollment_token_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<EnrollmentTokenStore>().list(grant.scope().project, page);
  });
}

Result<void> EnrollmentTokenRegistry::remove(const access::Grant& grant, EnrollmentTokenId id) {
  ECP_TRY_VOID(grant.require(permissions::enrollment_token_edit, grant.scope()));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& tokens = transaction.get<EnrollmentTokenStore>();
    ECP_TRY(const auto token, tokens.get(grant.scope().project, id));
    ECP_TRY_VOID(tokens.remove(grant.scope().project, id));
    ECP_TRY_VOID(trust_.token_removed(transaction, token));
    return audit::append(transaction, grant, operations::enrollment_token_remove,
                         {"enrollment_token", token.id.to_string(), token.name});
  });
}

}  // namespace ecp::inline v0::fleet
