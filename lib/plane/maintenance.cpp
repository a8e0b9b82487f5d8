// SPDX-License-Identifier: Apache-2.0
#include <ecp/plane/maintenance.hpp>

#include <ecp/core/file.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/identity/user_registry.hpp>
#include <ecp/plane/reasons.hpp>
#include <ecp/rbac/authorizer.hpp>

#include "plane/control_plane_state.hpp"
#include "plane/store_opener.hpp"

namespace ecp::inline v0::plane {

namespace {

constexpr std::size_t largest_checkpoints = 256 * mebibyte;

/// The parts of identity on a store that a control plane may be using at the same time.
struct Desk {
  Desk(std::unique_ptr<storage::Store> opened, Env env)
      : store(std::move(opened)),
        denials(*store, env),
        authorizer(*store, permissions, denials, env),
        roles(env),
        users(*store, hasher, roles, env),
        sessions(*store, hasher, roles, env) {}
  [[nodiscard]] access::Grant grant() const {
    return authorizer.system("command-line", access::Scope::platform());
  }

  std::unique_ptr<storage::Store> store;
  access::PermissionRegistry permissions;
  audit::DenialLog denials;
  rbac::Authorizer authorizer;
  identity::PasswordHasher hasher;
  rbac::MembershipBook roles;
  identity::UserRegistry users;
  identity::SessionRegistry sessions;
};

/// The store of a control plane that was there before; none is made.
Result<std::unique_ptr<storage::Store>> open_existing(const PlaneConfig& config, Env env) {
  if (!read_file(config.data_folder + "/root-ca.pem", 64 * kibibyte)) {
    return Error(reasons::nothing_here, {{"path", config.data_folder}});
  }
  return open_store(config, env);
}

}  // namespace

Result<audit::VerifyReport> verify_audit(const PlaneConfig& config,
                                         const std::optional<Secret>& master_key, Env env) {
  ECP_TRY(const auto store, open_existing(config, env));
  ECP_TRY(const auto sealing, open_sealing(config, master_key, env));
  ECP_TRY(const auto key, load_audit_key(*store, sealing, env));
  audit::VerifyInputs inputs;
  inputs.public_keys.push_back(key.public_key());
  auto lines = read_file(checkpoint_path(config), largest_checkpoints);
  if (lines) {
    inputs.checkpoint_lines = std::move(*lines);
  } else if (lines.error().code() != ErrorCode::not_found) {
    return std::move(lines).error();
  }
  return audit::verify(*store, inputs);
}

Result<Secret> make_login_link(const PlaneConfig& config, std::string_view email, Env env) {
  ECP_TRY(auto store, open_existing(config, env));
  Desk desk(std::move(store), env);
  return desk.sessions.make_login_link(desk.grant(), email);
}

Result<void> reset_password(const PlaneConfig& config, std::string_view email, const Secret& next,
                            Env env) {
  ECP_TRY(auto store, open_existing(config, env));
  Desk desk(std::move(store), env);
  const auto grant = desk.grant();
  ECP_TRY(const auto user, desk.users.find_by_email(grant, email));
  return desk.users.reset_password(grant, user.id, next);
}

}  // namespace ecp::inline v0::plane
