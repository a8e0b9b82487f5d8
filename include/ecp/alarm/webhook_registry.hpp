// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of webhooks.

#include <optional>
#include <string>

#include <ecp/access/grant.hpp>
#include <ecp/alarm/webhook_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/client.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::platform {
class Sealing;
}

namespace ecp::inline v0::alarm {

/// Creates, changes and removes webhooks. A secret goes in and is never shown again.
///
/// Thread safety: any thread; calls block.
/// Errors: as Grant::require and the stores, besides those named.
class ECP_EXPORT WebhookRegistry {
 public:
  struct NewWebhook {
    std::string name;
    std::string url;  ///< http or https, without user and password.
    Secret secret;    ///< 16..128 characters.
  };
  struct Changes {
    std::optional<std::string> name;
    std::optional<std::string> url;
    std::optional<Secret> secret;
  };
  /// `addresses` judges literal addresses already when a webhook is saved; host names are judged
  /// each time they are resolved, when a notice is sent.
  WebhookRegistry(storage::Store& store, const platform::Sealing& sealing,
                  http::AddressPolicy addresses, Env env);

  /// Fails with `invalid_argument` for a URL or address that is refused, `already_exists` for the
  /// name, `resource_exhausted` over limits::webhooks_per_project.
  Result<Webhook> create(const access::Grant& grant, const NewWebhook& wanted);
  Result<Webhook> get(const access::Grant& grant, WebhookId id);
  Result<Page<Webhook>> list(const access::Grant& grant, PageRequest page);
  Result<Webhook> update(const access::Grant& grant, WebhookId id, Revision revision,
                         const Changes& changes);
  /// Notices to it that wait are dropped.
  Result<void> remove(const access::Grant& grant, WebhookId id, Revision revision);

 private:
  [[nodiscard]] Result<void> check_url(const std::string& url) const;
  storage::Store& store_;
  const platform::Sealing& sealing_;
  http::AddressPolicy addresses_;
  Env env_;
};

}  // namespace ecp::inline v0::alarm
