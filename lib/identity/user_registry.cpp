// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/user_registry.hpp>

#include <algorithm>

#include <ecp/access/permissions.hpp>
#include <ecp/access/reasons.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/identity/operations.hpp>
#include <ecp/identity/reasons.hpp>
#include <ecp/identity/stores.hpp>

#include "identity/new_user.hpp"
#include "identity/text.hpp"
#include "identity/throttle.hpp"

namespace ecp::inline v0::identity {
namespace {

namespace permissions = access::permissions;
constexpr access::Scope platform{};

audit::Subject subject_of(const User& user) { return {"user", user.id.to_string(), user.email}; }

Error bad(std::string field, std::string problem) {
  return Error(ecp::reasons::bad_field,
               {{"field", std::move(field)}, {"problem", std::move(problem)}});
}

/// Fails when nobody else who may administrate could log in.
Result<void> check_other_admin(storage::Transaction& transaction, RoleBook& roles,
                               access::UserId user) {
  ECP_TRY(const auto admins, roles.system_admins(transaction));
  if (std::find(admins.begin(), admins.end(), user) == admins.end()) return {};
  for (const auto admin : admins) {
    if (admin == user) continue;
    ECP_TRY(const auto other, transaction.get<UserStore>().get(admin));
    if (other.enabled) return {};
  }
  return reasons::last_admin;
}

}  // namespace

UserStore::~UserStore() = default;
RoleBook::~RoleBook() = default;

Result<void> check_person(std::string_view email, std::string_view name) {
  const auto at = email.find('@');
  if (email.size() > limits::email_length || !is_clean_utf8(email) || at == 0 ||
      at == std::string_view::npos || at + 1 == email.size() ||
      email.find('@', at + 1) != std::string_view::npos ||
      email.find(' ') != std::string_view::npos) {
    return bad("email", "is not an e-mail address");
  }
  const auto length = characters(name);
  if (length == 0 || length > limits::name_length || !is_clean_utf8(name)) {
    return bad("name", "must be 1 to 50 characters");
  }
  return {};
}

std::vector<std::string> words_about(const User& user) {
  const auto at = std::min(user.email.find('@'), user.email.size());
  return {user.name, user.email, user.email.substr(0, at)};
}

Result<void> end_sessions(storage::Transaction& transaction, access::UserId user, Time now) {
  ECP_TRY_VOID(transaction.get<SessionStore>().remove_of_user(user));
  return transaction.get<access::PrincipalStore>().touch(user.bytes(), now);
}

UserRegistry::UserRegistry(storage::Store& store, PasswordHasher& hasher, RoleBook& roles,
                           const Env& env)
    : store_(store), hasher_(hasher), roles_(roles), env_(env) {}

Result<PreparedUser> prepare_user(NewUser wanted, PasswordHasher& hasher, const Env& env) {
  ECP_TRY_VOID(check_person(wanted.email, wanted.name));
  PreparedUser prepared;
  prepared.user.id = env.ids.next<access::UserId>();
  prepared.user.revision = Revision::first;
  prepared.user.created_at = env.clock.now();
  prepared.user.email = std::move(wanted.email);
  prepared.user.name = std::move(wanted.name);
  ECP_TRY_VOID(check_password(wanted.password, words_about(prepared.user)));
  ECP_TRY(prepared.password_hash, hasher.hash(wanted.password));
  return prepared;
}

Result<User> UserRegistry::create(const access::Grant& grant, NewUser wanted) {
  ECP_TRY_VOID(grant.require(permissions::user_create, platform));
  ECP_TRY(const auto prepared, prepare_user(std::move(wanted), hasher_, env_));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<User> {
    ECP_TRY_VOID(transaction.get<UserStore>().insert(prepared.user, prepared.password_hash));
    ECP_TRY_VOID(
        audit::append(transaction, grant, operations::user_create, subject_of(prepared.user)));
    return prepared.user;
  });
}

Result<User> UserRegistry::own(const access::Grant& grant) {
  if (grant.principal().kind != access::PrincipalKind::user) return access::reasons::not_a_user;
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<UserStore>().get(access::UserId(grant.principal().id));
  });
}

Result<User> UserRegistry::get(const access::Grant& grant, access::UserId id) {
  ECP_TRY_VOID(grant.require(permissions::user_view, platform));
  return store_.read(
      [&](storage::Transaction& transaction) { return transaction.get<UserStore>().get(id); });
}

Result<Page<User>> UserRegistry::list(const access::Grant& grant, PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::user_view, platform));
  return store_.read(
      [&](storage::Transaction& transaction) { return transaction.get<UserStore>().list(page); });
}

Result<User> UserRegistry::find_by_email(const access::Grant& grant, std::string_view email) {
  ECP_TRY_VOID(grant.require(permissions::user_view, platform));
  return store_.read([&](storage::Transaction& transaction) -> Result<User> {
    ECP_TRY(auto user, transaction.get<UserStore>().find_by_email(email));
    if (!user) return Error(ecp::reasons::not_found, {{"noun", "user"}});
    return std::move(*user);
  });
}

Result<User> UserRegistry::update(const access::Grant& grant, access::UserId id, Revision revision,
                                  UserChanges changes) {
  ECP_TRY_VOID(grant.require(permissions::user_edit, platform));
  if (changes.enabled) ECP_TRY_VOID(grant.require(permissions::user_enable, platform));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<User> {
    auto& users = transaction.get<UserStore>();
    ECP_TRY(auto user, users.get(id));
    const bool was_enabled = user.enabled;
    user.revision = revision;
    user.email = changes.email.value_or(user.email);
    user.name = changes.name.value_or(user.name);
    user.enabled = changes.enabled.value_or(user.enabled);
    ECP_TRY_VOID(check_person(user.email, user.name));
    if (was_enabled && !user.enabled) {
      ECP_TRY_VOID(check_other_admin(transaction, roles_, id));
      ECP_TRY_VOID(end_sessions(transaction, id, env_.clock.now()));
    }
    ECP_TRY(user.revision, users.update(user));
    const auto& operation = was_enabled == user.enabled ? operations::user_edit
                            : user.enabled              ? operations::user_enable
                                                        : operations::user_disable;
    ECP_TRY_VOID(audit::append(transaction, grant, operation, subject_of(user)));
    return user;
  });
}

Result<void> UserRegistry::remove(const access::Grant& grant, access::UserId id,
                                  Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::user_delete, platform));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& users = transaction.get<UserStore>();
    ECP_TRY(const auto user, users.get(id));
    ECP_TRY_VOID(check_other_admin(transaction, roles_, id));
    ECP_TRY_VOID(end_sessions(transaction, id, env_.clock.now()));
    ECP_TRY_VOID(roles_.user_removed(transaction, id));
    ECP_TRY_VOID(users.remove(id, revision));
    return audit::append(transaction, grant, operations::user_delete, subject_of(user));
  });
}

Result<void> UserRegistry::reset_password(const access::Grant& grant, access::UserId id,
                                          const Secret& next) {
  ECP_TRY_VOID(grant.require(permissions::user_reset_password, platform));
  std::vector<std::string> forbidden;
  ECP_TRY(const auto known, store_.read([&](storage::Transaction& transaction) -> Result<User> {
    ECP_TRY(forbidden, roles_.names_around(transaction, id));
    return transaction.get<UserStore>().get(id);
  }));
  for (auto& word : words_about(known)) forbidden.push_back(std::move(word));
  ECP_TRY_VOID(check_password(next, forbidden));
  ECP_TRY(const auto hash, hasher_.hash(next));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& users = transaction.get<UserStore>();
    ECP_TRY(const auto user, users.get(id));
    ECP_TRY_VOID(users.set_password_hash(id, hash));
    ECP_TRY_VOID(transaction.get<AttemptStore>().remove(account_subject(user.email)));
    ECP_TRY_VOID(end_sessions(transaction, id, env_.clock.now()));
    return audit::append(transaction, grant, operations::user_reset_password, subject_of(user));
  });
}

}  // namespace ecp::inline v0::identity
