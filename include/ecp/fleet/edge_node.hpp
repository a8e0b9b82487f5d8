// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Edge nodes: machines on which edge services run, each with one agent.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/ids.hpp>
#include <ecp/link/documents.hpp>

namespace ecp::inline v0::fleet {

/// Whether an agent is connected, as far as the plane knows.
enum class ConnectionState : std::uint8_t { never, online, offline };
[[nodiscard]] ECP_EXPORT std::string_view to_string(ConnectionState state) noexcept;
[[nodiscard]] ECP_EXPORT Result<ConnectionState> parse_connection_state(std::string_view text);

/// What is known of a node's agent. Changes without a revision.
struct EdgeNodeStatus {
  ConnectionState state = ConnectionState::never;
  /// True once the node has been silent for longer than the patience of presence; only then is its
  /// offline alarm raised. A node may be offline (its will came) and not yet absent.
  bool absent = false;
  std::int64_t connection = 0;  ///< Greatest connection counter seen.
  std::int64_t ended = 0;       ///< Greatest connection whose end the broker has told.
  Time changed_at{};            ///< When `state` last changed.
  Time last_seen{};             ///< 1970 when never.
  std::string version;          ///< Of the agent program.
  link::Generation applied;     ///< Newest manifest that the agent accepted.
  std::string manifest_sha256;  ///< Hex; of that manifest.
  std::int64_t buffered = 0;    ///< Samples waiting in the agent.
  std::int64_t dropped = 0;     ///< Samples ever dropped there.
  link::Heartbeat::Host host;
  /// When births last came that show a second holder of the identity; the newest few, in order.
  std::vector<Time> flips;
};

/// A machine that was enrolled.
struct EdgeNode {
  EdgeNodeId id;
  access::OrganizationId organization;
  access::ProjectId project;
  std::string name;
  std::string description;
  Revision revision = Revision::first;
  Time created_at{};
  bool revoked = false;     ///< For good: nothing it sends is taken any more.
  link::Generation wanted;  ///< Newest manifest made for it.
  /// Hex; of that manifest's octets. Empty: not known, or none was made under this number yet.
  std::string wanted_sha256;
  EdgeNodeStatus status;

  [[nodiscard]] access::Scope scope() const noexcept { return {organization, project}; }
  /// The agent shows an older manifest than it should have.
  [[nodiscard]] bool is_behind() const noexcept { return status.applied < wanted; }
  /// The agent shows a manifest that this database never knew: a later one, or another of the same
  /// number, as after the database was restored from a backup.
  [[nodiscard]] bool is_ahead() const noexcept {
    if (status.applied != wanted) return status.applied > wanted;
    return !wanted_sha256.empty() && !status.manifest_sha256.empty() &&
           status.manifest_sha256 != wanted_sha256;
  }
};

/// Check a name shown to people: 1..limits::name_length characters, not blank at either end.
/// Fails with `invalid_argument` naming `field`.
[[nodiscard]] ECP_EXPORT Result<void> check_name(std::string_view field, std::string_view name);
/// At most limits::description_length characters.
[[nodiscard]] ECP_EXPORT Result<void> check_description(std::string_view text);

}  // namespace ecp::inline v0::fleet
