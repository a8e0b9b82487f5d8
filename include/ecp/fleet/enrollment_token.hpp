// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Enrollment tokens: what lets a machine become an edge node of a project.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/core/bytes.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/ids.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::fleet {

class TrustObserver;

/// How long a token may live, and the longest that anything made before a restore can matter.
inline constexpr Milliseconds longest_token_life{24LL * 3'600'000};

/// A token as it is kept: never its text.
struct EnrollmentToken {
  EnrollmentTokenId id;
  access::OrganizationId organization;
  access::ProjectId project;
  std::string name;
  std::string hash;  ///< Hex SHA-256 of the token's secret.
  std::int64_t uses = 1;
  std::int64_t used = 0;
  Time created_at{};
  Time expires_at{};
  Revision revision = Revision::first;
};

/// Durable tokens and their uses.
class ECP_EXPORT EnrollmentTokenStore {
 public:
  static constexpr std::string_view store_name = "fleet.enrollment_tokens";
  virtual ~EnrollmentTokenStore();
  virtual Result<void> insert(const EnrollmentToken& token) = 0;
  virtual Result<EnrollmentToken> get(access::ProjectId project, EnrollmentTokenId id) = 0;
  virtual Result<std::optional<EnrollmentToken>> find(std::string_view hash) = 0;
  /// Newest first.
  virtual Result<Page<EnrollmentToken>> list(access::ProjectId project, PageRequest page) = 0;
  virtual Result<void> remove(access::ProjectId project, EnrollmentTokenId id) = 0;
  /// Node that a key has enrolled as with this token.
  virtual Result<std::optional<EdgeNodeId>> find_use(EnrollmentTokenId id,
                                                     std::string_view key_sha256) = 0;
  /// Count one use. Fails with `already_exists` when none is left.
  virtual Result<void> add_use(EnrollmentTokenId id, std::string_view key_sha256,
                               EdgeNodeId node) = 0;
  /// End the life of every token, of whatever project; return how many still lived.
  virtual Result<std::int64_t> expire_all(Time now) = 0;
};

/// Use-cases of enrollment tokens.
///
/// Thread safety: any thread; calls block.
class ECP_EXPORT EnrollmentTokenRegistry {
 public:
  /// What proves the plane to a machine at first contact: hex SHA-256 of the DER of the root that
  /// the HTTPS chain ends in, or "system". Becomes part of each token's text.
  EnrollmentTokenRegistry(storage::Store& store, std::string root_pin, TrustObserver& trust,
                          Env env);

  struct NewToken {
    std::string name;
    std::int64_t uses = 1;                         ///< 1..limits::enrollment_token_uses
    Milliseconds expires_in = longest_token_life;  ///< 1 min .. 24 h
  };
  struct Created {
    EnrollmentToken token;
    Secret text;  ///< "ecpt_<43 characters>.<root pin>"; shown this once.
  };
  Result<Created> create(const access::Grant& grant, const NewToken& wanted);
  Result<Page<EnrollmentToken>> list(const access::Grant& grant, PageRequest page);
  Result<void> remove(const access::Grant& grant, EnrollmentTokenId id);

 private:
  storage::Store& store_;
  std::string root_pin_;
  TrustObserver& trust_;
  Env env_;
};

/// The SHA-256 in hex under which a token's text is kept. Fails with `unauthenticated` when the
/// text is no token.
[[nodiscard]] ECP_EXPORT Result<std::string> enrollment_token_hash(std::string_view text);

}  // namespace ecp::inline v0::fleet
