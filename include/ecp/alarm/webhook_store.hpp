// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the webhook noun.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/alarm/webhook.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::alarm {

/// Durable collection of webhooks.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
/// Errors: besides those named, `unavailable` and `data_loss` of the backend.
class ECP_EXPORT WebhookStore {
 public:
  static constexpr std::string_view store_name = "alarm.webhooks";
  virtual ~WebhookStore();

  /// Fails with `already_exists` when its id, or its name in the project, is taken.
  virtual Result<void> insert(const Webhook& webhook) = 0;
  /// Fails with `not_found` also when the id exists in another project.
  virtual Result<Webhook> get(access::ProjectId project, WebhookId id) = 0;
  /// For the notifier.
  virtual Result<std::optional<Webhook>> find(WebhookId id) = 0;
  /// One page ordered by name, then id.
  virtual Result<Page<Webhook>> list(access::ProjectId project, PageRequest page) = 0;
  /// All of a project, at most limits::webhooks_per_project.
  virtual Result<std::vector<WebhookId>> list_ids(access::ProjectId project) = 0;
  /// Replace name, url and secret of the record whose revision equals `webhook.revision`; return
  /// the new one. Fails with `conflict` and `already_exists`.
  virtual Result<Revision> update(const Webhook& webhook) = 0;
  /// Fails with `not_found` when there is none.
  virtual Result<void> remove(access::ProjectId project, WebhookId id) = 0;
  virtual Result<void> remove_of_project(access::ProjectId project) = 0;
  /// Record how an attempt went; a webhook that is gone is left alone. `delivered_at` is kept when
  /// none is given.
  virtual Result<void> put_outcome(WebhookId id, std::optional<Time> delivered_at,
                                   std::string_view error) = 0;
};

}  // namespace ecp::inline v0::alarm
