// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What modules above fleet plug into its engines.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/edge_node.hpp>
#include <ecp/fleet/edge_service.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::fleet {

/// One resource of an edge node's manifest.
struct DesiredResource {
  std::string name;  ///< "service/svc_...", "alarm-rules".
  std::string body;  ///< At most limits::resource_body octets.
};

/// Gives resources for manifests. The same state must give the same octets.
///
/// Thread safety: called inside units of work, any thread.
class ECP_EXPORT DesiredSource {
 public:
  virtual ~DesiredSource();
  virtual Result<std::vector<DesiredResource>> resources(storage::Transaction& transaction,
                                                         const EdgeNode& node) = 0;
};

/// A transition and its number in the agent's alarm journal.
struct NumberedTransition {
  std::int64_t number = 0;
  link::Transition transition;
};

/// Takes the alarm transitions that agents report.
///
/// Transactions: called inside the unit that moves the cursor, so each transition is seen exactly
///   once by what commits. An error makes the unit fail; the agent sends the batch again. So a
///   transition that can never be taken (of a removed rule) must be skipped with success.
class ECP_EXPORT TransitionSink {
 public:
  virtual ~TransitionSink();
  virtual Result<void> apply(storage::Transaction& transaction, const EdgeNode& node,
                             std::span<const NumberedTransition> transitions) = 0;
};

/// Is told, inside the transaction of the change, what happens to nodes and services.
class ECP_EXPORT NodeObserver {
 public:
  virtual ~NodeObserver();
  /// The node has been silent for longer than presence's patience, while somebody listened.
  /// `since` is when it was last heard.
  virtual Result<void> node_absent(storage::Transaction& transaction, const EdgeNode& node,
                                   Time since) = 0;
  /// The node was heard again after `node_absent`.
  virtual Result<void> node_returned(storage::Transaction& transaction, const EdgeNode& node,
                                     Time at) = 0;
  /// A service's reported state changed; `service.status` is the new one.
  virtual Result<void> service_state_changed(storage::Transaction& transaction,
                                             const EdgeNode& node, const EdgeService& service,
                                             link::ServiceState before, Time at) = 0;
  /// The node or service is being removed, together with whatever belongs to it.
  virtual Result<void> node_removed(storage::Transaction& transaction, const EdgeNode& node) = 0;
  virtual Result<void> service_removed(storage::Transaction& transaction,
                                       const EdgeService& service) = 0;
};

/// Is told, inside the transaction that found it, what puts an identity, a token or the database
/// itself in doubt.
class ECP_EXPORT TrustObserver {
 public:
  virtual ~TrustObserver();
  /// A machine with another key came with a token that was used up.
  virtual Result<void> token_used_again(storage::Transaction& transaction,
                                        const EnrollmentToken& token) = 0;
  virtual Result<void> token_removed(storage::Transaction& transaction,
                                     const EnrollmentToken& token) = 0;
  /// Births of two disks alternate under one identity; `node.status.flips` has the newest.
  virtual Result<void> identity_doubled(storage::Transaction& transaction, const EdgeNode& node,
                                        Time at) = 0;
  /// The node proved that it had been given more than the database knows: it was restored from a
  /// backup. Told for every node that proves it.
  virtual Result<void> database_restored(storage::Transaction& transaction, const EdgeNode& node,
                                         Time at) = 0;
};

}  // namespace ecp::inline v0::fleet
