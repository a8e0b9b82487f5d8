// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <string_view>

#include <ecp/identity/bootstrap.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/identity/user_registry.hpp>

#include "handles.hpp"

namespace ecp_python {

namespace {

namespace identity = ecp::identity;
using ecp::Secret;
using ecp::access::Grant;
using ecp::access::UserId;
using Users = identity::UserRegistry;
using Sessions = identity::SessionRegistry;
using identity::Bootstrap;

void bind_users(py::module_& m) {
  RegistryClass<Users>(m, "UserRegistry", "identity::UserRegistry")
      .method(
          "create",
          [](const Reached<Users>& self, std::string email, std::string name,
             const Secret& password) {
            return self.call([&](Users& registry, const Grant& grant) {
              return registry.create(grant, {std::move(email), std::move(name), password.clone()});
            });
          },
          "email"_a, "name"_a, "password"_a)
      .method("own", granted(&Users::own))
      .method("get", granted(&Users::get), "id"_a)
      .method(
          "list",
          [](const Reached<Users>& self, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Users& registry, const Grant& grant) {
              return registry.list(grant, page(limit, offset));
            });
          },
          "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Users>& self, UserId id, ecp::Revision revision,
             std::optional<std::string> email, std::optional<std::string> name,
             std::optional<bool> enabled) {
            return self.call([&](Users& registry, const Grant& grant) {
              return registry.update(grant, id, revision,
                                     {std::move(email), std::move(name), enabled});
            });
          },
          "id"_a, "revision"_a, "email"_a = py::none(), "name"_a = py::none(),
          "enabled"_a = py::none())
      .method("remove", granted(&Users::remove), "id"_a, "revision"_a)
      .method("reset_password", granted(&Users::reset_password), "id"_a, "next"_a)
      .method("find_by_email", granted(&Users::find_by_email), "email"_a);
}

/// Without a grant: the password, token or code is the proof.
template <class Function>
auto proven(Function function) {
  return [function](const Reached<Sessions>& self, const Secret& proof) {
    return self.plane->use([&](ecp::plane::ControlPlane& control) {
      return unwrap(function(control.sessions(), proof));
    });
  };
}

void bind_sessions(py::module_& m) {
  Record<identity::SessionTokens>(m, "SessionTokens", "identity::SessionTokens")
      .field("issued_at", &identity::SessionTokens::issued_at)
      .field("access_token", &identity::SessionTokens::access_token)
      .field("access_expires_at", &identity::SessionTokens::access_expires_at)
      .field("refresh_token", &identity::SessionTokens::refresh_token)
      .field("refresh_expires_at", &identity::SessionTokens::refresh_expires_at)
      .field("user", &identity::SessionTokens::user);
  RegistryClass<Sessions>(m, "SessionRegistry", "identity::SessionRegistry")
      .method(
          "log_in",
          [](const Reached<Sessions>& self, std::string_view email, const Secret& password) {
            return self.plane->use([&](ecp::plane::ControlPlane& control) {
              return unwrap(control.sessions().log_in(email, password, {}));
            });
          },
          "email"_a, "password"_a)
      .method("log_in_by_link", proven([](Sessions& sessions, const Secret& code) {
                return sessions.log_in_by_link(code, {});
              }),
              "code"_a)
      .method("refresh", proven([](Sessions& sessions, const Secret& token) {
                return sessions.refresh(token, {});
              }),
              "refresh_token"_a)
      .method("authenticate", proven([](Sessions& sessions, const Secret& token) {
                return sessions.authenticate(token.view());
              }),
              "access_token"_a)
      .method("log_out", proven([](Sessions& sessions, const Secret& token) {
                return sessions.log_out(token.view(), {});
              }),
              "access_token"_a)
      .method("change_password", granted(&Sessions::change_password), "current"_a, "next"_a)
      .method("make_login_link", granted(&Sessions::make_login_link), "email"_a);
}

}  // namespace

void bind_identity(py::module_& m) {
  using ecp::access::Principal;
  using ecp::access::PrincipalKind;
  py::enum_<PrincipalKind>(m, "PrincipalKind", docstring("access::PrincipalKind"))
      .value("user", PrincipalKind::user)
      .value("agent", PrincipalKind::agent)
      .value("system", PrincipalKind::system);
  Record<Principal>(m, "Principal", "access::Principal")
      .field("kind", &Principal::kind)
      .field("source", &Principal::source);
  Record<identity::User>(m, "User", "identity::User")
      .field("id", &identity::User::id)
      .field("revision", &identity::User::revision)
      .field("created_at", &identity::User::created_at)
      .field("email", &identity::User::email)
      .field("name", &identity::User::name)
      .field("enabled", &identity::User::enabled)
      .field("last_login_at", &identity::User::last_login_at);
  bind_users(m);
  bind_sessions(m);
  RegistryClass<Bootstrap>(m, "Bootstrap", "identity::Bootstrap")
      .method("prepare",
              [](const Reached<Bootstrap>& self) {
                return self.plane->use([](ecp::plane::ControlPlane& control) {
                  return unwrap(control.bootstrap().prepare());
                });
              })
      .method(
          "complete",
          [](const Reached<Bootstrap>& self, const Secret& secret, std::string email,
             std::string name, const Secret& password) {
            return self.plane->use([&](ecp::plane::ControlPlane& control) {
              identity::NewUser wanted{std::move(email), std::move(name), password.clone()};
              return unwrap(control.bootstrap().complete(secret, std::move(wanted), {}));
            });
          },
          "secret"_a, "email"_a, "name"_a, "password"_a);
}

}  // namespace ecp_python
