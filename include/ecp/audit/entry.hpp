// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One entry of the audit log, its octets and hashes, and checkpoints over them.
/// The octets are described in docs/formats.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::audit {

struct EntryTag {
  static constexpr std::string_view prefix = "aud";
};
using EntryId = Id<EntryTag>;

/// Who did what to which object, when, from where, with which outcome.
struct Entry {
  EntryId id;
  access::Scope scope;  ///< Its organization names the chain; nil: the platform's chain.
  Time at{};
  std::string principal_kind;  ///< "user", "agent", "system", or "nobody".
  std::string principal;       ///< Text of the id; "" for system and nobody.
  std::string source;          ///< "session", "certificate", a task's name.
  std::string request;         ///< Request id, 16 hex digits; "" without a request.
  std::string remote;          ///< Address; "" when there is none.
  std::string operation;
  Outcome outcome = Outcome::done;
  std::string subject_kind;
  std::string subject_id;
  std::string subject_name;
  Details details;
};

/// Place of an entry in its chain.
struct Seal {
  std::int64_t sequence = 0;  ///< From 1, without holes.
  Sha256 chain_hash{};
};

/// An entry as it is kept.
struct StoredEntry {
  Entry entry;
  Sha256 hash{};             ///< Of the entry alone, made in the transaction of the change.
  std::optional<Seal> seal;  ///< None until the sequencer has come by.
};

/// End of a chain.
struct ChainHead {
  std::int64_t sequence = 0;
  Sha256 hash{};  ///< All zero at sequence 0.
};

/// A signed statement of where a chain ended at a moment.
struct Checkpoint {
  access::OrganizationId chain;
  ChainHead head;
  Time at{};
  std::string previous;   ///< Base64 signature of the chain's checkpoint before; "" for the first.
  std::string key_id;     ///< Of the key that signed.
  std::string signature;  ///< Base64, over `signed_octets`.
};

/// The octets that an entry's hash is made of.
[[nodiscard]] ECP_EXPORT std::string canonical_octets(const Entry& entry);
[[nodiscard]] ECP_EXPORT Sha256 hash_of(const Entry& entry);
/// Hash of a chain that was at `before` when the entry of `entry_hash` is put at `sequence`.
[[nodiscard]] ECP_EXPORT Sha256 chain_hash_of(const Sha256& before, std::int64_t sequence,
                                              const Sha256& entry_hash);

/// "platform", or the organization's id.
[[nodiscard]] ECP_EXPORT std::string chain_name(access::OrganizationId chain);

/// The octets that a checkpoint's signature is made over.
[[nodiscard]] ECP_EXPORT std::string signed_octets(const Checkpoint& checkpoint);
/// One line of the checkpoint file, without its line end; and back.
[[nodiscard]] ECP_EXPORT std::string to_line(const Checkpoint& checkpoint);
[[nodiscard]] ECP_EXPORT Result<Checkpoint> checkpoint_from_line(std::string_view line);

/// Details as a JSON object text and back. Fails with `data_loss`.
[[nodiscard]] ECP_EXPORT std::string details_to_json(const Details& details);
[[nodiscard]] ECP_EXPORT Result<Details> details_from_json(std::string_view json);

}  // namespace ecp::inline v0::audit
