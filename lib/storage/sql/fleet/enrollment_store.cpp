// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/reasons.hpp>

#include "storage/sql/fleet/stores.hpp"

namespace ecp::inline v0::fleet::sql_stores {
namespace {

constexpr std::string_view noun = "enrollment token";

const std::string select_tokens =
    "SELECT id, organization, project, name, hash, uses, used, created_at, expires_at FROM "
    "fleet_tokens ";
const std::string select_token = select_tokens + "WHERE id = $1 AND project = $2";
const std::string select_by_hash = select_tokens + "WHERE hash = $1";
const std::string select_page =
    select_tokens + "WHERE project = $1 ORDER BY id DESC LIMIT $2 OFFSET $3";

Result<EnrollmentToken> read_token(const Statement& row) {
  EnrollmentToken token;
  ECP_TRY(token.id, id_at<EnrollmentTokenId>(row, 0));
  ECP_TRY(token.organization, id_at<access::OrganizationId>(row, 1));
  ECP_TRY(token.project, id_at<access::ProjectId>(row, 2));
  token.name = row.text(3);
  token.hash = row.text(4);
  token.uses = row.integer(5);
  token.used = row.integer(6);
  token.created_at = time_at(row, 7);
  token.expires_at = time_at(row, 8);
  return token;
}

class SqlEnrollmentTokenStore final : public EnrollmentTokenStore {
 public:
  explicit SqlEnrollmentTokenStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const EnrollmentToken& token) override {
    ECP_TRY(
        const auto added,
        connection_.run("INSERT INTO fleet_tokens (id, organization, project, name, hash, uses, "
                        "used, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, "
                        "$9) ON CONFLICT DO NOTHING",
                        token.id.to_string(), token.organization.to_string(),
                        token.project.to_string(), token.name, token.hash, token.uses, token.used,
                        token.created_at, token.expires_at));
    if (added == 0) return name_taken(noun);
    return {};
  }

  Result<EnrollmentToken> get(access::ProjectId project, EnrollmentTokenId id) override {
    ECP_TRY(auto token,
            first_row<EnrollmentToken>(
                connection_.bound(select_token, id.to_string(), project.to_string()), read_token));
    if (!token) return not_found(noun);
    return std::move(*token);
  }

  Result<std::optional<EnrollmentToken>> find(std::string_view hash) override {
    return first_row<EnrollmentToken>(connection_.bound(select_by_hash, hash), read_token);
  }

  Result<Page<EnrollmentToken>> list(access::ProjectId project, PageRequest page) override {
    Page<EnrollmentToken> found;
    ECP_TRY(found.items,
            all_rows<EnrollmentToken>(
                connection_.bound(select_page, project.to_string(), page.limit, page.offset),
                read_token));
    ECP_TRY(found.total,
            number_of(connection_.bound("SELECT count(*) FROM fleet_tokens WHERE project = $1",
                                        project.to_string())));
    return found;
  }

  Result<void> remove(access::ProjectId project, EnrollmentTokenId id) override {
    ECP_TRY(const auto gone,
            connection_.run("DELETE FROM fleet_tokens WHERE project = $1 AND id = $2",
                            project.to_string(), id.to_string()));
    if (gone == 0) return not_found(noun);
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_token_uses WHERE token = $1", id.to_string()));
    return {};
  }

  Result<std::int64_t> expire_all(Time now) override {
    return connection_.run("UPDATE fleet_tokens SET expires_at = $1 WHERE expires_at > $1", now);
  }

  Result<std::optional<EdgeNodeId>> find_use(EnrollmentTokenId id,
                                             std::string_view key_sha256) override {
    return first_row<EdgeNodeId>(
        connection_.bound("SELECT node FROM fleet_token_uses WHERE token = $1 AND key_sha256 = $2",
                          id.to_string(), key_sha256),
        [](const Statement& row) -> Result<EdgeNodeId> { return id_at<EdgeNodeId>(row, 0); });
  }

  Result<void> add_use(EnrollmentTokenId id, std::string_view key_sha256,
                       EdgeNodeId node) override {
    ECP_TRY(const auto counted,
            connection_.run("UPDATE fleet_tokens SET used = used + 1 WHERE id = $1 AND used < uses",
                            id.to_string()));
    if (counted == 0) return reasons::token_used;
    ECP_TRY(
        const auto added,
        connection_.run("INSERT INTO fleet_token_uses (token, key_sha256, node) VALUES ($1, $2, "
                        "$3) ON CONFLICT DO NOTHING",
                        id.to_string(), key_sha256, node.to_string()));
    if (added == 0) return reasons::token_used;
    return {};
  }

 private:
  Connection& connection_;
};

Result<AgentCertificate> read_certificate(const Statement& row) {
  AgentCertificate certificate;
  certificate.serial = row.text(0);
  ECP_TRY(certificate.node, id_at<EdgeNodeId>(row, 1));
  certificate.key_sha256 = row.text(2);
  certificate.issued_at = time_at(row, 3);
  certificate.not_after = time_at(row, 4);
  certificate.used_at = optional_time_at(row, 5);
  return certificate;
}

class SqlAgentCertificateStore final : public AgentCertificateStore {
 public:
  explicit SqlAgentCertificateStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const AgentCertificate& certificate) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_certificates (serial, node, key_sha256, issued_at, not_after, used_at) "
        "VALUES ($1, $2, $3, $4, $5, NULL)",
        certificate.serial, certificate.node.to_string(), certificate.key_sha256,
        certificate.issued_at, certificate.not_after));
    return {};
  }

  Result<std::optional<AgentCertificate>> find(std::string_view serial) override {
    return first_row<AgentCertificate>(
        connection_.bound("SELECT serial, node, key_sha256, issued_at, not_after, used_at FROM "
                          "fleet_certificates WHERE serial = $1",
                          serial),
        read_certificate);
  }

  Result<void> mark_used(std::string_view serial, Time at) override {
    ECP_TRY_VOID(connection_.run(
        "UPDATE fleet_certificates SET used_at = $1 WHERE serial = $2 AND used_at IS NULL", at,
        serial));
    return {};
  }

  Result<bool> is_superseded(const AgentCertificate& certificate) override {
    ECP_TRY(const auto newer,
            number_of(connection_.bound(
                "SELECT count(*) FROM fleet_certificates WHERE node = $1 AND issued_at > $2 AND "
                "used_at IS NOT NULL AND key_sha256 <> $3",
                certificate.node.to_string(), certificate.issued_at, certificate.key_sha256)));
    return newer > 0;
  }

  Result<void> remove(EdgeNodeId node) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM fleet_certificates WHERE node = $1", node.to_string()));
    return {};
  }

 private:
  Connection& connection_;
};

}  // namespace

storage::ErasedStore make_enrollment_token_store(Connection& connection) {
  return storage::erase<EnrollmentTokenStore>(new SqlEnrollmentTokenStore(connection));
}
storage::ErasedStore make_agent_certificate_store(Connection& connection) {
  return storage::erase<AgentCertificateStore>(new SqlAgentCertificateStore(connection));
}

}  // namespace ecp::inline v0::fleet::sql_stores
