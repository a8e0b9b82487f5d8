// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/alarm/webhook_registry.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/alarm_endpoints.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using alarm::Webhook;
using alarm::WebhookId;
using alarm::WebhookRegistry;

namespace {

constexpr json::TextBounds url_bounds{1, limits::webhook_url};
constexpr std::size_t longest_secret = octets_per_character * limits::webhook_secret_max;

/// Never the secret.
void write_webhook(json::Writer& writer, const Webhook& webhook) {
  writer.begin_object().field("id", webhook.id.to_string()).field("name", webhook.name);
  writer.field("url", webhook.url);
  writer.key("delivered_at");
  if (webhook.delivered_at) {
    writer.value(to_rfc3339(*webhook.delivered_at));
  } else {
    writer.null();
  }
  writer.field("last_error", webhook.last_error);
  writer.field("created_at", to_rfc3339(webhook.created_at));
  writer.field("revision", to_number(webhook.revision)).end_object();
}

http::Response webhook_response(int status, const Webhook& webhook) {
  json::Writer writer;
  write_webhook(writer, webhook);
  return json_response(status, writer.take(), webhook.revision);
}

Result<WebhookRegistry::NewWebhook> new_webhook_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  WebhookRegistry::NewWebhook webhook;
  ECP_TRY(webhook.name, reader.text("name"));
  ECP_TRY(webhook.url, reader.text("url", url_bounds));
  ECP_TRY(webhook.secret, secret_from(reader, "secret", longest_secret));
  ECP_TRY_VOID(reader.finish());
  return webhook;
}

Result<WebhookRegistry::Changes> webhook_changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  WebhookRegistry::Changes changes;
  ECP_TRY(changes.name, reader.optional_text("name"));
  ECP_TRY(changes.url, reader.optional_text("url", url_bounds));
  if (reader.has("secret")) {
    ECP_TRY(changes.secret, secret_from(reader, "secret", longest_secret));
  }
  ECP_TRY_VOID(reader.finish());
  return changes;
}

}  // namespace

void add_webhook_endpoints(Router& router, WebhookRegistry& webhooks) {
  const std::string all = "/api/v1/orgs/:org/projects/:project/webhooks";
  const std::string one = all + "/:webhook";
  router.add({http::Method::get, all, &permissions::alarm_webhook_view,
              [&webhooks](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found, webhooks.list(grant, page));
                return json_response(200, json_list(found, write_webhook));
              }});
  router.add({http::Method::post, all, &permissions::alarm_webhook_edit,
              [&webhooks](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto wanted, new_webhook_from(request));
                ECP_TRY(const auto webhook, webhooks.create(grant, wanted));
                return webhook_response(201, webhook);
              }});
  router.add({http::Method::get, one, &permissions::alarm_webhook_view,
              [&webhooks](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto webhook,
                        webhooks.get(grant, id_of<WebhookId>(request, "webhook")));
                return webhook_response(200, webhook);
              }});
  router.add(
      {http::Method::patch, one, &permissions::alarm_webhook_edit,
       [&webhooks](const http::Request& request,
                   const access::Grant& grant) -> Result<http::Response> {
         ECP_TRY(const auto revision, if_match(request));
         ECP_TRY(const auto changes, webhook_changes_from(request));
         ECP_TRY(const auto webhook,
                 webhooks.update(grant, id_of<WebhookId>(request, "webhook"), revision, changes));
         return webhook_response(200, webhook);
       }});
  router.add({http::Method::del, one, &permissions::alarm_webhook_edit,
              [&webhooks](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(
                    webhooks.remove(grant, id_of<WebhookId>(request, "webhook"), revision));
                return empty_response();
              }});
}

}  // namespace ecp::inline v0::api
