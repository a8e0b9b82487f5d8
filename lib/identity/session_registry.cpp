// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/session_registry.hpp>

#include <optional>
#include <utility>

#include <ecp/access/permissions.hpp>
#include <ecp/access/reasons.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/identity/operations.hpp>
#include <ecp/identity/reasons.hpp>
#include <ecp/identity/stores.hpp>
#include <ecp/identity/user_registry.hpp>

#include "identity/session_tokens.hpp"
#include "identity/text.hpp"
#include "identity/throttle.hpp"

namespace ecp::inline v0::identity {
namespace {

constexpr std::string_view link_purpose = "login-link";
constexpr std::string_view by_password = "session";
constexpr std::string_view by_link = "login-link";

audit::Circumstance circumstance_of(access::UserId user, std::string_view source,
                                    const access::Origin& origin) {
  return {{access::PrincipalKind::user, user.bytes(), source}, access::Scope::platform(), origin};
}

audit::Subject subject_of(const User& user) { return {"user", user.id.to_string(), user.email}; }

/// Source of a stored session, with static storage.
std::string_view source_of(const Session& session) {
  return session.source == by_link ? by_link : by_password;
}

/// What every right of a user rests on; raised with each change of his roles.
Result<Revision> standing_of(storage::Transaction& transaction, access::UserId user) {
  return transaction.get<access::PrincipalStore>().revision(user.bytes());
}

/// Who wants to log in, as found before his password is looked at.
struct Candidate {
  std::optional<User> user;
  std::string hash;              ///< "" for nobody who could log in.
  std::optional<Error> refusal;  ///< Too many tries on this account, whether it exists or not.
};

Result<Candidate> find_candidate(storage::Transaction& transaction, std::string_view email,
                                 const access::Origin& origin, Time now) {
  ECP_TRY_VOID(check_address(transaction, origin, now));
  Candidate candidate;
  ECP_TRY(const auto tries, transaction.get<AttemptStore>().get(account_subject(email)));
  if (auto checked = check_attempts(tries, account_rule, now); !checked) {
    candidate.refusal = std::move(checked).error();
    return candidate;
  }
  auto& users = transaction.get<UserStore>();
  ECP_TRY(candidate.user, users.find_by_email(email));
  if (candidate.user && candidate.user->enabled) {
    ECP_TRY(candidate.hash, users.password_hash(candidate.user->id));
  }
  return candidate;
}

/// Give a session new tokens that rest on a standing; the family stays.
SessionTokens renew_tokens(Session& session, BytesView family, Revision standing, const Env& env,
                           const SessionOptions& options) {
  const Time now = env.clock.now();
  SessionTokens tokens;
  tokens.issued_at = now;
  tokens.access_token = make_secret("ecpa", env.random);
  tokens.refresh_token = make_refresh_token(family, env.random);
  tokens.refresh_expires_at = std::min(now + options.idle, session.created_at + options.absolute);
  tokens.access_expires_at = std::min(now + options.access, tokens.refresh_expires_at);
  session.access_hash = hash_text(tokens.access_token.view());
  session.access_expires_at = tokens.access_expires_at;
  session.refresh_hash = hash_text(tokens.refresh_token.view());
  session.refreshed_at = now;
  session.standing = standing;
  return tokens;
}

Result<SessionTokens> open_session(storage::Transaction& transaction, User user,
                                   std::string_view source, const access::Origin& origin,
                                   const Env& env, const SessionOptions& options) {
  Session session;
  session.id = env.ids.next<SessionId>();
  session.user = user.id;
  session.source = source;
  session.created_at = env.clock.now();
  const Secret family(env.random.bytes(family_size));
  session.family_hash = hash_text(family.view());
  ECP_TRY(const auto standing, standing_of(transaction, user.id));
  auto tokens = renew_tokens(session, family.view(), standing, env, options);
  ECP_TRY_VOID(transaction.get<SessionStore>().insert(session));
  ECP_TRY_VOID(transaction.get<UserStore>().note_login(user.id, session.created_at));
  ECP_TRY_VOID(audit::append_unauthenticated(
      transaction, env, circumstance_of(user.id, source, origin), operations::log_in,
      audit::Outcome::done, subject_of(user), {{"session", session.id.to_string()}}));
  user.last_login_at = session.created_at;
  tokens.user = std::move(user);
  return tokens;
}

/// New tokens for a session. With other rights than it had it goes on as another one, so that
/// nothing which knew it before is good for them.
Result<SessionTokens> go_on(storage::Transaction& transaction, Session session, BytesView family,
                            const access::Origin& origin, const Env& env,
                            const SessionOptions& options) {
  auto& sessions = transaction.get<SessionStore>();
  ECP_TRY(auto user, transaction.get<UserStore>().get(session.user));
  ECP_TRY(const auto standing, standing_of(transaction, session.user));
  const SessionId former = session.id;
  const bool is_other = session.standing != standing;
  if (is_other) session.id = env.ids.next<SessionId>();
  auto renewed = renew_tokens(session, family, standing, env, options);
  audit::Details details{{"session", session.id.to_string()}};
  if (is_other) {
    details.emplace_back("former", former.to_string());
    ECP_TRY_VOID(sessions.remove(former));
    ECP_TRY_VOID(sessions.insert(session));
  } else {
    ECP_TRY_VOID(sessions.update(session));
  }
  ECP_TRY_VOID(audit::append_unauthenticated(
      transaction, env, circumstance_of(user.id, source_of(session), origin), operations::refresh,
      audit::Outcome::done, subject_of(user), std::move(details)));
  renewed.user = std::move(user);
  return renewed;
}

}  // namespace

SessionStore::~SessionStore() = default;
OneTimeStore::~OneTimeStore() = default;
AttemptStore::~AttemptStore() = default;

SessionRegistry::SessionRegistry(storage::Store& store, PasswordHasher& hasher, RoleBook& roles,
                                 const Env& env, SessionOptions options)
    : store_(store), hasher_(hasher), roles_(roles), env_(env), options_(options) {}

Result<SessionTokens> SessionRegistry::log_in(std::string_view email, const Secret& password,
                                              const access::Origin& origin) {
  // The turn comes first, so that whoever waited for it is judged by the tries made meanwhile.
  ECP_TRY(const auto turn, hasher_.wait_for_turn());
  ECP_TRY(const auto candidate, store_.read([&](storage::Transaction& transaction) {
    return find_candidate(transaction, email, origin, env_.clock.now());
  }));
  if (candidate.refusal) {
    // Counted for the address, which bounds how many of these entries anybody can cause.
    ECP_TRY_VOID(fail_log_in(email, origin, false));
    return *candidate.refusal;
  }
  if (!hasher_.verify(turn, candidate.hash, password)) {
    ECP_TRY_VOID(fail_log_in(email, origin, true));
    return reasons::wrong_credentials;
  }
  return store_.write([&](storage::Transaction& transaction) -> Result<SessionTokens> {
    auto& users = transaction.get<UserStore>();
    ECP_TRY(auto user, users.get(candidate.user->id));
    ECP_TRY(const auto hash, users.password_hash(user.id));
    if (!user.enabled || hash != candidate.hash) return reasons::wrong_credentials;
    ECP_TRY_VOID(transaction.get<AttemptStore>().remove(account_subject(email)));
    return open_session(transaction, std::move(user), by_password, origin, env_, options_);
  });
}

Result<void> SessionRegistry::fail_log_in(std::string_view email, const access::Origin& origin,
                                          bool was_tried) {
  return store_.write([&](storage::Transaction& transaction) -> Result<void> {
    const Time now = env_.clock.now();
    if (was_tried) {
      auto& attempts = transaction.get<AttemptStore>();
      ECP_TRY(const auto before, attempts.get(account_subject(email)));
      ECP_TRY_VOID(attempts.put(account_subject(email), after_failure(before, account_rule, now)));
    }
    ECP_TRY_VOID(count_address_failure(transaction, origin, now));
    ECP_TRY(const auto user, transaction.get<UserStore>().find_by_email(email));
    // What was typed is kept only when it is an address that we know: people type passwords there.
    return audit::append_unauthenticated(
        transaction, env_, circumstance_of({}, by_password, origin), operations::log_in,
        audit::Outcome::denied, user ? subject_of(*user) : audit::Subject{"user", "", ""},
        {{"why", was_tried ? "wrong credentials" : "too many tries before"}});
  });
}

Result<SessionTokens> SessionRegistry::log_in_by_link(const Secret& code,
                                                      const access::Origin& origin) {
  const auto hash = hash_text(code.view());
  ECP_TRY(
      auto tokens,
      store_.write([&](storage::Transaction& transaction) -> Result<std::optional<SessionTokens>> {
        ECP_TRY_VOID(check_address(transaction, origin, env_.clock.now()));
        ECP_TRY(const auto subject,
                transaction.get<OneTimeStore>().take(link_purpose, hash, env_.clock.now()));
        std::optional<User> user;
        if (subject) {
          ECP_TRY(const auto id, access::UserId::parse(*subject));
          auto found = transaction.get<UserStore>().get(id);
          if (found && found->enabled) user = std::move(*found);
        }
        if (!user) {
          ECP_TRY_VOID(count_address_failure(transaction, origin, env_.clock.now()));
          ECP_TRY_VOID(audit::append_unauthenticated(
              transaction, env_, circumstance_of({}, by_link, origin), operations::log_in,
              audit::Outcome::denied, {"user", "", ""}));
          return std::nullopt;
        }
        ECP_TRY(auto opened,
                open_session(transaction, std::move(*user), by_link, origin, env_, options_));
        return std::optional<SessionTokens>(std::move(opened));
      }));
  if (!tokens) return reasons::bad_link;
  return std::move(*tokens);
}

Result<SessionTokens> SessionRegistry::refresh(const Secret& refresh_token,
                                               const access::Origin& origin) {
  const auto token = read_refresh_token(refresh_token);
  if (!token) return reasons::session_over;
  const Secret family = family_of(refresh_token);
  ECP_TRY(
      auto tokens,
      store_.write([&](storage::Transaction& transaction) -> Result<std::optional<SessionTokens>> {
        auto& sessions = transaction.get<SessionStore>();
        ECP_TRY(auto session, sessions.find_by_family(token->family_hash));
        if (!session) return std::nullopt;
        const Time now = env_.clock.now();
        const bool is_used = !equal_constant_time(session->refresh_hash, token->hash);
        const bool is_old = now >= session->refreshed_at + options_.idle ||
                            now >= session->created_at + options_.absolute;
        ECP_TRY(const auto user, transaction.get<UserStore>().get(session->user));
        if (is_used || is_old || !user.enabled) {
          ECP_TRY_VOID(sessions.remove(session->id));
          ECP_TRY_VOID(audit::append_unauthenticated(
              transaction, env_, circumstance_of(user.id, source_of(*session), origin),
              operations::refresh, audit::Outcome::denied, subject_of(user),
              {{"session", session->id.to_string()},
               {"why", is_used ? "a used token was shown again" : "the session is over"}}));
          return std::nullopt;
        }
        ECP_TRY(auto renewed,
                go_on(transaction, std::move(*session), family.view(), origin, env_, options_));
        return std::optional<SessionTokens>(std::move(renewed));
      }));
  if (!tokens) return reasons::session_over;
  return std::move(*tokens);
}

Result<access::Principal> SessionRegistry::authenticate(std::string_view access_token) {
  const auto hash = hash_text(access_token);
  return store_.read([&](storage::Transaction& transaction) -> Result<access::Principal> {
    ECP_TRY(const auto session, transaction.get<SessionStore>().find_by_access(hash));
    if (!session || session->access_expires_at <= env_.clock.now()) return reasons::session_over;
    const auto user = transaction.get<UserStore>().get(session->user);
    if (!user || !user->enabled) return reasons::session_over;
    ECP_TRY(const auto standing, standing_of(transaction, user->id));
    if (session->standing != standing) return reasons::rights_changed;
    return access::Principal{access::PrincipalKind::user, user->id.bytes(), source_of(*session)};
  });
}

Result<void> SessionRegistry::log_out(std::string_view access_token, const access::Origin& origin) {
  const auto hash = hash_text(access_token);
  return store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& sessions = transaction.get<SessionStore>();
    ECP_TRY(const auto session, sessions.find_by_access(hash));
    if (!session) return reasons::session_over;
    ECP_TRY(const auto user, transaction.get<UserStore>().get(session->user));
    ECP_TRY_VOID(sessions.remove(session->id));
    return audit::append_unauthenticated(transaction, env_,
                                         circumstance_of(user.id, source_of(*session), origin),
                                         operations::log_out, audit::Outcome::done,
                                         subject_of(user), {{"session", session->id.to_string()}});
  });
}

Result<void> SessionRegistry::change_password(const access::Grant& grant, const Secret& current,
                                              const Secret& next) {
  if (grant.principal().kind != access::PrincipalKind::user) return access::reasons::not_a_user;
  const access::UserId id(grant.principal().id);
  ECP_TRY(const auto user, store_.read([&](storage::Transaction& transaction) {
    return transaction.get<UserStore>().get(id);
  }));
  {
    ECP_TRY(const auto turn, hasher_.wait_for_turn());
    ECP_TRY(const auto candidate, store_.read([&](storage::Transaction& transaction) {
      return find_candidate(transaction, user.email, grant.origin(), env_.clock.now());
    }));
    if (candidate.refusal) return *candidate.refusal;
    if (!hasher_.verify(turn, candidate.hash, current)) {
      ECP_TRY_VOID(fail_log_in(user.email, grant.origin(), true));
      return reasons::wrong_credentials;
    }
  }
  ECP_TRY(auto forbidden, store_.read([&](storage::Transaction& transaction) {
    return roles_.names_around(transaction, id);
  }));
  for (auto& word : words_about(user)) forbidden.push_back(std::move(word));
  ECP_TRY_VOID(check_password(next, forbidden));
  ECP_TRY(const auto hash, hasher_.hash(next));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY_VOID(transaction.get<UserStore>().set_password_hash(id, hash));
    ECP_TRY_VOID(transaction.get<AttemptStore>().remove(account_subject(user.email)));
    ECP_TRY_VOID(end_sessions(transaction, id, env_.clock.now()));
    return audit::append(transaction, grant, operations::change_password, subject_of(user));
  });
}

Result<Secret> SessionRegistry::make_login_link(const access::Grant& grant,
                                                std::string_view email) {
  ECP_TRY_VOID(grant.require(access::permissions::user_reset_password, access::Scope::platform()));
  Secret code = make_secret("ecpl", env_.random);
  const auto hash = hash_text(code.view());
  const auto keep = [&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY(const auto user, transaction.get<UserStore>().find_by_email(email));
    if (!user) return Error(ecp::reasons::not_found, {{"noun", "user"}});
    ECP_TRY_VOID(transaction.get<OneTimeStore>().insert(link_purpose, hash, user->id.to_string(),
                                                        env_.clock.now() + options_.link));
    return audit::append(transaction, grant, operations::make_link, subject_of(*user));
  };
  ECP_TRY_VOID(access::write(store_, grant, keep));
  return code;
}

Result<void> SessionRegistry::sweep() {
  return store_.write([&](storage::Transaction& transaction) -> Result<void> {
    const Time now = env_.clock.now();
    ECP_TRY_VOID(
        transaction.get<SessionStore>().remove_old(now - options_.idle, now - options_.absolute));
    ECP_TRY_VOID(transaction.get<OneTimeStore>().remove_expired(now));
    return transaction.get<AttemptStore>().remove_old(now - std::chrono::hours(24), account_lock);
  });
}

}  // namespace ecp::inline v0::identity
