// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/webhook_registry.hpp>

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <ecp/access/permissions.hpp>
#include <ecp/alarm/operations.hpp>
#include <ecp/alarm/reasons.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node.hpp>
#include <ecp/platform/keys.hpp>

#include "alarm/notice.hpp"

namespace ecp::inline v0::alarm {

WebhookStore::~WebhookStore() = default;

namespace permissions = access::permissions;

namespace {

/// Addresses that a host leads to now; none when it cannot be resolved at the moment, which is no
/// reason to refuse it: it is judged again before each connection.
std::vector<std::string> resolve(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  std::vector<std::string> addresses;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0) return addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text);
    }
  }
  ::freeaddrinfo(found);
  return addresses;
}

Result<void> check_secret(const Secret& secret) {
  const auto size = secret.view().size();
  if (size >= limits::webhook_secret_min && size <= limits::webhook_secret_max) return {};
  return Error(ecp::reasons::bad_field,
               {{"field", "secret"}, {"problem", "must have 16 to 128 characters"}});
}

audit::Subject subject_of(const Webhook& webhook) {
  return {"alarm_webhook", webhook.id.to_string(), webhook.name};
}

}  // namespace

WebhookRegistry::WebhookRegistry(storage::Store& store, const platform::Sealing& sealing,
                                 http::AddressPolicy addresses, Env env)
    : store_(store), sealing_(sealing), addresses_(std::move(addresses)), env_(env) {}

Result<void> WebhookRegistry::check_url(const std::string& url) const {
  if (url.size() > limits::webhook_url) {
    return Error(reasons::bad_url, {{"problem", "is longer than 1000 characters"}});
  }
  const auto parsed = http::parse_url(url);
  if (!parsed) return Error(reasons::bad_url, {{"problem", parsed.error().message()}});
  for (const auto& address : resolve(parsed->host)) {
    if (!http::is_address_allowed(addresses_, address, parsed->port)) {
      return Error(reasons::address_refused, {{"address", address}});
    }
  }
  return {};
}

Result<Webhook> WebhookRegistry::create(const access::Grant& grant, const NewWebhook& wanted) {
  ECP_TRY_VOID(grant.require(permissions::alarm_webhook_edit, grant.scope()));
  ECP_TRY_VOID(fleet::check_name("name", wanted.name));
  ECP_TRY_VOID(check_secret(wanted.secret));
  ECP_TRY_VOID(check_url(wanted.url));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<Webhook> {
    const auto& scope = grant.scope();
    auto& webhooks = transaction.get<WebhookStore>();
    ECP_TRY(const auto others, webhooks.list_ids(scope.project));
    if (others.size() >= limits::webhooks_per_project) {
      return Error(ecp::reasons::over_limit,
                   {{"what", "the number of webhooks of the project"},
                    {"limit", std::to_string(limits::webhooks_per_project)}});
    }
    Webhook webhook;
    webhook.id = env_.ids.next<WebhookId>();
    webhook.organization = scope.organization;
    webhook.project = scope.project;
    webhook.name = wanted.name;
    webhook.url = wanted.url;
    webhook.sealed_secret = sealing_.seal(sealing_purpose(webhook.id), wanted.secret);
    webhook.created_at = env_.clock.now();
    ECP_TRY_VOID(webhooks.insert(webhook));
    ECP_TRY_VOID(audit::append(transaction, grant, operations::webhook_create, subject_of(webhook),
                               {{"url", webhook.url}}));
    return webhook;
  });
}

Result<Webhook> WebhookRegistry::get(const access::Grant& grant, WebhookId id) {
  ECP_TRY_VOID(grant.require(permissions::alarm_webhook_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<WebhookStore>().get(grant.scope().project, id);
  });
}

Result<Page<Webhook>> WebhookRegistry::list(const access::Grant& grant, PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::alarm_webhook_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<WebhookStore>().list(grant.scope().project, page);
  });
}

Result<Webhook> WebhookRegistry::update(const access::Grant& grant, WebhookId id, Revision revision,
                                        const Changes& changes) {
  ECP_TRY_VOID(grant.require(permissions::alarm_webhook_edit, grant.scope()));
  if (changes.name) ECP_TRY_VOID(fleet::check_name("name", *changes.name));
  if (changes.secret) ECP_TRY_VOID(check_secret(*changes.secret));
  if (changes.url) ECP_TRY_VOID(check_url(*changes.url));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<Webhook> {
    auto& webhooks = transaction.get<WebhookStore>();
    ECP_TRY(auto webhook, webhooks.get(grant.scope().project, id));
    webhook.revision = revision;
    if (changes.name) webhook.name = *changes.name;
    if (changes.url) webhook.url = *changes.url;
    if (changes.secret) {
      webhook.sealed_secret = sealing_.seal(sealing_purpose(webhook.id), *changes.secret);
    }
    ECP_TRY(webhook.revision, webhooks.update(webhook));
    ECP_TRY_VOID(
        audit::append(transaction, grant, operations::webhook_update, subject_of(webhook),
                      {{"url", webhook.url}, {"secret", changes.secret ? "replaced" : "kept"}}));
    return webhook;
  });
}

Result<void> WebhookRegistry::remove(const access::Grant& grant, WebhookId id, Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::alarm_webhook_edit, grant.scope()));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& webhooks = transaction.get<WebhookStore>();
    ECP_TRY(const auto webhook, webhooks.get(grant.scope().project, id));
    if (webhook.revision != revision) {
      return Error(ecp::reasons::stale_revision, {{"noun", "webhook"}});
    }
    ECP_TRY_VOID(webhooks.remove(webhook.project, webhook.id));
    return audit::append(transaction, grant, operations::webhook_remove, subject_of(webhook));
  });
}

}  // namespace ecp::inline v0::alarm
