// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/bootstrap.hpp>

#include <unistd.h>

#include <ecp/audit/audit.hpp>
#include <ecp/core/file.hpp>
#include <ecp/identity/operations.hpp>
#include <ecp/identity/reasons.hpp>
#include <ecp/identity/stores.hpp>

#include "identity/new_user.hpp"
#include "identity/session_tokens.hpp"
#include "identity/text.hpp"
#include "identity/throttle.hpp"

namespace ecp::inline v0::identity {
namespace {

constexpr std::string_view purpose = "bootstrap";
constexpr Milliseconds lifetime = std::chrono::hours(24);
constexpr std::size_t longest_file = 256;

}  // namespace

Bootstrap::Bootstrap(storage::Store& store, PasswordHasher& hasher, RoleBook& roles, const Env& env,
                     std::string secret_path)
    : store_(store),
      hasher_(hasher),
      roles_(roles),
      env_(env),
      secret_path_(std::move(secret_path)) {}

Result<std::optional<std::string>> Bootstrap::prepare() {
  const Time now = env_.clock.now();
  const auto waiting = read_secret_file(secret_path_, longest_file);
  const auto waiting_hash = waiting ? hash_text(waiting->view()) : std::string();
  bool is_needed = true;
  ECP_TRY(const bool is_good, store_.read([&](storage::Transaction& transaction) -> Result<bool> {
    ECP_TRY(const auto admins, roles_.system_admins(transaction));
    is_needed = admins.empty();
    return transaction.get<OneTimeStore>().is_good(purpose, waiting_hash, now);
  }));
  if (!is_needed) {
    ::unlink(secret_path_.c_str());
    return std::nullopt;
  }
  if (is_good) return secret_path_;
  const Secret secret = make_secret("ecpb", env_.random);
  ECP_TRY_VOID(write_file_durably(secret_path_, std::string(secret.view()) + "\n", 0600));
  const auto keep = [&](storage::Transaction& transaction) -> Result<void> {
    auto& secrets = transaction.get<OneTimeStore>();
    ECP_TRY_VOID(secrets.remove_all(purpose));
    return secrets.insert(purpose, hash_text(secret.view()), "", now + lifetime);
  };
  ECP_TRY_VOID(store_.write(keep));
  return secret_path_;
}

Result<User> Bootstrap::complete(const Secret& secret, NewUser wanted,
                                 const access::Origin& origin) {
  const auto hash = hash_text(secret.view());
  const Time now = env_.clock.now();
  // Looked at before the password is hashed, so that strangers cannot make us hash.
  ECP_TRY(const bool is_good, store_.read([&](storage::Transaction& transaction) -> Result<bool> {
    ECP_TRY_VOID(check_address(transaction, origin, now));
    return transaction.get<OneTimeStore>().is_good(purpose, hash, now);
  }));
  const audit::Circumstance nobody{
      {access::PrincipalKind::user, {}, purpose}, access::Scope::platform(), origin};
  if (!is_good) {
    const auto note = [&](storage::Transaction& transaction) -> Result<void> {
      ECP_TRY_VOID(count_address_failure(transaction, origin, now));
      return audit::append_unauthenticated(transaction, env_, nobody, operations::bootstrap,
                                           audit::Outcome::denied, {"user", "", ""});
    };
    ECP_TRY_VOID(store_.write(note));
    return reasons::bad_bootstrap_secret;
  }
  ECP_TRY(const auto prepared, prepare_user(std::move(wanted), hasher_, env_));
  const auto create = [&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY(const auto taken, transaction.get<OneTimeStore>().take(purpose, hash, now));
    ECP_TRY(const auto admins, roles_.system_admins(transaction));
    if (!taken || !admins.empty()) return reasons::bad_bootstrap_secret;
    const User& user = prepared.user;
    ECP_TRY_VOID(transaction.get<UserStore>().insert(user, prepared.password_hash));
    ECP_TRY_VOID(roles_.make_system_admin(transaction, user.id, now));
    return audit::append_unauthenticated(transaction, env_, nobody, operations::bootstrap,
                                         audit::Outcome::done,
                                         {"user", user.id.to_string(), user.email});
  };
  ECP_TRY_VOID(store_.write(create));
  ::unlink(secret_path_.c_str());
  return prepared.user;
}

}  // namespace ecp::inline v0::identity
