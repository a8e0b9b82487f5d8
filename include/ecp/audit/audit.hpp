// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Writing to the audit log. Reading is audit_registry.hpp, proving it is verify.hpp.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::audit {

/// What was done: a constant of the module that does it, in its operations.hpp.
struct Operation {
  std::string_view name;  ///< "edge_service.create"; static storage. An OEM's: "vendor.noun.verb".
};

/// How it ended. What fails for another reason than a refusal changes nothing and is not recorded.
enum class Outcome : std::uint8_t { done, denied };

/// What it was done to.
struct Subject {
  std::string_view kind;  ///< "edge_service"; static storage.
  std::string id;         ///< Text of the id; may be "" when there is none.
  std::string name;       ///< Its name at that moment, for people; may be "".
};

/// Named values in the order given. Never secrets.
using Details = std::vector<std::pair<std::string, std::string>>;

/// Write one entry into the transaction of the change, in the chain of the grant's organization
/// (or of the platform). The change and its entry commit together or not at all.
[[nodiscard]] ECP_EXPORT Result<void> append(storage::Transaction& transaction,
                                             const access::Grant& grant, const Operation& operation,
                                             Subject subject, Details details = {});

/// Who and where, for entries that no grant stands behind: log-in, enrollment, bootstrap.
struct Circumstance {
  access::Principal principal;  ///< Nil id of kind user: nobody known.
  access::Scope scope;
  access::Origin origin;
};

/// The same without a grant.
[[nodiscard]] ECP_EXPORT Result<void> append_unauthenticated(
    storage::Transaction& transaction, const Env& env, const Circumstance& circumstance,
    const Operation& operation, Outcome outcome, Subject subject, Details details = {});

/// Commits refusals of grants as entries of their own, in the platform's chain when the scope is
/// foreign or unknown. When that fails, the refusal stands and the failure is logged.
///
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT DenialLog final : public access::DenialSink {
 public:
  DenialLog(storage::Store& store, const Env& env) : store_(store), env_(env) {}
  ~DenialLog() override;
  void denied(const access::Grant& grant, const access::Permission& permission,
              const access::Scope& scope) override;

 private:
  storage::Store& store_;
  Env env_;
};

}  // namespace ecp::inline v0::audit
