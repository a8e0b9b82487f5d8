// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A router with the endpoints of people over real registries and a store in memory.

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ecp/api/router.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/audit/audit_registry.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/identity/bootstrap.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/platform/idempotency.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/rbac/membership_registry.hpp>
#include <ecp/storage/sql/access.hpp>
#include <ecp/storage/sql/audit.hpp>
#include <ecp/storage/sql/identity.hpp>
#include <ecp/storage/sql/platform.hpp>
#include <ecp/storage/sql/rbac.hpp>
#include <ecp/storage/sql/tenancy.hpp>
#include <ecp/tenancy/registries.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {

using Fields = std::vector<std::pair<std::string, std::string>>;

inline const std::string good_password = "a furnace of one's own";

/// What came back, its body read.
struct Answer {
  explicit Answer(ecp::http::Response response)
      : status(response.status),
        text(std::move(response.body)),
        document(must(ecp::json::Document::parse(text.empty() ? "{}" : text))) {
    if (const auto tag = response.headers.find("ETag")) etag = *tag;
  }
  /// A text member; "" when there is none.
  [[nodiscard]] std::string operator[](std::string_view name) const {
    const auto value = document.root().find(name);
    return value ? std::string(value->get_string()) : std::string();
  }
  [[nodiscard]] std::int64_t number(std::string_view name) const {
    const auto value = document.root().find(name);
    return value ? value->get_integer() : -1;
  }
  /// One member of every item of a list.
  [[nodiscard]] std::vector<std::string> items(std::string_view name) const {
    std::vector<std::string> found;
    const auto list = document.root().find("items");
    for (std::size_t i = 0; list && i < list->size(); ++i) {
      const auto value = list->at(i).find(name);
      found.emplace_back(value ? value->get_string() : "");
    }
    return found;
  }

  int status;
  std::string text;
  std::string etag;
  ecp::json::Document document;
};

/// Everything that people need, and somebody who calls it.
class PeopleDesk {
 public:
  PeopleDesk() {
    ecp::api::add_bootstrap_endpoints(router, bootstrap);
    ecp::api::add_session_endpoints(router, sessions, users, members);
    ecp::api::add_user_endpoints(router, users);
    ecp::api::add_organization_endpoints(router, organizations, members);
    ecp::api::add_project_endpoints(router, projects, members);
    ecp::api::add_member_endpoints(router, members);
    ecp::api::add_audit_endpoints(router, audit, *store);
  }

  Answer call(ecp::http::Method method, std::string target, std::string body = {},
              const std::string& token = {}, const Fields& fields = {}) {
    ecp::http::Request request;
    request.method = method;
    const auto query = std::min(target.find('?'), target.size());
    request.path = target.substr(0, query);
    if (query < target.size()) request.query = target.substr(query + 1);
    request.body = std::move(body);
    request.headers.add("Host", "ecp.example.com");
    if (!request.body.empty()) request.headers.add("Content-Type", "application/json");
    if (!token.empty()) request.headers.add("Authorization", "Bearer " + token);
    for (const auto& [name, value] : fields) request.headers.add(name, value);
    request.remote_address = "192.0.2.7";
    return Answer(router.dispatch(std::move(request)));
  }
  Answer get(const std::string& path, const std::string& token) {
    return call(ecp::http::Method::get, path, {}, token);
  }
  Answer post(const std::string& path, std::string body, const std::string& token = {},
              const Fields& fields = {}) {
    return call(ecp::http::Method::post, path, std::move(body), token, fields);
  }
  Answer patch(const std::string& path, std::string body, const std::string& token,
               const std::string& etag) {
    return call(ecp::http::Method::patch, path, std::move(body), token, {{"If-Match", etag}});
  }
  Answer remove(const std::string& path, const std::string& token, const std::string& etag = {}) {
    return call(ecp::http::Method::del, path, {}, token,
                etag.empty() ? Fields() : Fields{{"If-Match", etag}});
  }

  static std::string person(const std::string& email, const std::string& more = {}) {
    return R"({"email":")" + email + R"(","name":"Somebody","password":")" + good_password + "\"" +
           more + "}";
  }
  /// The one-time secret, as the file has it.
  std::string secret() {
    must(bootstrap.prepare());
    auto text = must(ecp::read_file(secret_path(), 256));
    text.pop_back();
    return text;
  }
  [[nodiscard]] std::string secret_path() const { return folder_.file("bootstrap-secret"); }

  std::string log_in(const std::string& email, const std::string& password = good_password) {
    return post("/api/v1/session",
                R"({"email":")" + email + R"(","password":")" + password + "\"}")["access_token"];
  }
  /// The access token that a refresh gives now.
  std::string refresh(const std::string& refresh_token) {
    return post("/api/v1/session/refresh",
                R"({"refresh_token":")" + refresh_token + "\"}")["access_token"];
  }
  /// Token of the first administrator.
  std::string admin() {
    if (post("/api/v1/bootstrap", person("ada@example.com", R"(,"secret":")" + secret() + "\""))
            .status != 201) {
      return {};
    }
    return log_in("ada@example.com");
  }
  std::string add_user(const std::string& email, const std::string& admin_token) {
    return post("/api/v1/users", person(email), admin_token)["id"];
  }

 private:
  ecp::api::RouterOptions options() {
    ecp::api::RouterOptions made;
    made.once = [this](const ecp::IdBytes& principal, std::string_view key, std::string_view hash,
                       const std::function<std::string(bool& keep)>& answer) {
      return idempotency.once(principal, key, hash, answer);
    };
    return made;
  }

  TemporaryFolder folder_;

 public:
  ecp::ManualEnv world;
  std::array<const ecp::storage::StoreModule*, 6> modules{
      &ecp::storage::access_module(),  &ecp::storage::audit_module(),
      &ecp::storage::tenancy_module(), &ecp::storage::identity_module(),
      &ecp::storage::rbac_module(),    &ecp::storage::platform_module()};
  std::unique_ptr<ecp::storage::Store> store = must(MemoryBackend::open(modules, world.env()));
  ecp::access::PermissionRegistry permissions;
  ecp::audit::DenialLog denials{*store, world.env()};
  ecp::rbac::Authorizer authorizer{*store, permissions, denials, world.env()};
  ecp::platform::Sealing sealing =
      must(ecp::platform::Sealing::make(ecp::Secret(std::string(64, 'a')), world.env()));
  ecp::platform::Idempotency idempotency{*store, sealing, world.env()};
  ecp::identity::PasswordHasher hasher{{1, 16 * 1024, 2, 8}};
  ecp::rbac::MembershipBook roles{world.env()};
  ecp::identity::UserRegistry users{*store, hasher, roles, world.env()};
  ecp::identity::SessionRegistry sessions{*store, hasher, roles, world.env()};
  ecp::identity::Bootstrap bootstrap{*store, hasher, roles, world.env(), secret_path()};
  ecp::tenancy::OrganizationRegistry organizations{*store, {&roles}, world.env()};
  ecp::tenancy::ProjectRegistry projects{*store, {&roles}, world.env()};
  ecp::rbac::MembershipRegistry members{*store, world.env()};
  ecp::audit::AuditRegistry audit{*store};
  ecp::api::Router router{
      [this](std::string_view token) { return sessions.authenticate(token); },
      [this](const ecp::access::Principal& principal, const ecp::access::Scope& scope,
             const ecp::access::Origin& origin) {
        return authorizer.authorize(principal, scope, origin);
      },
      world.env(), options()};
};

}  // namespace ecp_test
