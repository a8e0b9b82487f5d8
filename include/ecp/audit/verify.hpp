// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Proving, without the program that wrote it, that an audit log is whole.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/audit/entry.hpp>
#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::audit {

/// What a verification trusts, and what it is given from outside the database.
struct VerifyInputs {
  std::vector<Bytes> public_keys;  ///< Ed25519, 32 octets each.
  /// Content of checkpoint files. Without them a log that was cut together with its checkpoints
  /// looks whole.
  std::string checkpoint_lines;
};

/// The first place where a chain is not what was signed.
struct Fault {
  access::OrganizationId chain;
  std::int64_t sequence = 0;  ///< First bad entry; 0 when it has no place in the chain yet.
  std::string entry;          ///< Text of its id; "" when it is gone.
  std::string problem;        ///< "was changed", "is missing", ...
};

struct ChainReport {
  access::OrganizationId chain;
  std::int64_t entries = 0;  ///< Sealed and proven.
  std::int64_t unsealed =
      0;  ///< Written, but not yet sealed: whole, yet their number is not proven.
  std::int64_t checkpoints = 0;
};

struct VerifyReport {
  std::vector<ChainReport> chains;
  std::vector<Fault> faults;  ///< At most one per chain.
  [[nodiscard]] bool is_whole() const noexcept { return faults.empty(); }
  /// "audit verified: 123 entries in 2 chains, 0 unsealed", or the first fault in one line.
  [[nodiscard]] ECP_EXPORT std::string summary() const;
};

/// Walk all chains. Fails only when the log cannot be read at all, or a line of the file is no
/// checkpoint.
[[nodiscard]] ECP_EXPORT Result<VerifyReport> verify(storage::Store& store,
                                                     const VerifyInputs& inputs);

}  // namespace ecp::inline v0::audit
