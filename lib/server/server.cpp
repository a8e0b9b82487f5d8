// SPDX-License-Identifier: Apache-2.0
#include <ecp/server/server.hpp>

#include <atomic>

#include <ecp/api/endpoint.hpp>
#include <ecp/api/events.hpp>
#include <ecp/api/router.hpp>
#include <ecp/api/v1/audit_feed.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/server.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/platform/idempotency.hpp>
#include <ecp/rbac/authorizer.hpp>

#include "live_page.hpp"

namespace ecp::inline v0::server {

namespace {

constexpr Milliseconds drain_deadline{5'000};

}  // namespace

struct Server::State {
  explicit State(Env world) : env(world) {}

  Env env;
  std::unique_ptr<plane::ControlPlane> plane;
  std::unique_ptr<api::AuditFeed> audit_feed;
  std::unique_ptr<api::EventStreams> streams;
  std::unique_ptr<api::Router> router;
  std::unique_ptr<http::Server> http;
  std::atomic<bool> ready{false};

  void add_health();
  Result<void> listen(const Settings& settings);
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() { stop(); }

void Server::State::add_health() {
  router->add_public(
      {http::Method::get, "/health", [this](const http::Request&) -> Result<http::Response> {
         if (!ready.load() || !plane->is_listening()) {
           return Error(reasons::unavailable, {{"what", "the control plane"}});
         }
         return api::json_response(200, R"({"status":"ok"})");
       }});
}

Result<void> Server::State::listen(const Settings& settings) {
  http::ServerOptions options;
  options.address = settings.http_address;
  options.port = settings.http_port;
  if (settings.tls) {
    ECP_TRY(auto tls, plane->server_tls());
    options.tls = std::move(tls);
  }
  ECP_TRY(http, http::open_server(std::move(options), router->handler(), env));
  if (settings.tls) {
    plane->on_server_tls([this] {
      auto tls = plane->server_tls();
      auto taken = tls ? http->set_tls(*tls) : Result<void>(tls.error());
      if (!taken) {
        env.log.error("server", "the new certificate is not used",
                      {{"problem", taken.error().describe()}});
      }
    });
  }
  return {};
}

Result<std::unique_ptr<Server>> Server::open(
    Settings settings, plane::Parts parts, Env env,
    const std::function<void(api::Router&, plane::ControlPlane&)>& extend) {
  auto state = std::make_unique<State>(env);
  ECP_TRY(state->plane, plane::ControlPlane::open(settings.plane, std::move(parts), env));
  auto* const plane = state->plane.get();
  const api::Authenticator authenticate = [plane](std::string_view token) {
    return plane->sessions().authenticate(token);
  };
  const api::GrantSource grants = [plane](const access::Principal& principal,
                                          const access::Scope& scope,
                                          const access::Origin& origin) {
    return plane->authorizer().authorize(principal, scope, origin);
  };
  api::RouterOptions options;
  options.strict_transport = settings.tls;
  options.once = [plane](const IdBytes& principal, std::string_view key, std::string_view hash,
                         const std::function<std::string(bool& keep)>& answer) {
    return plane->idempotency().once(principal, key, hash, answer);
  };
  state->router = std::make_unique<api::Router>(authenticate, grants, env, std::move(options));
  state->streams =
      std::make_unique<api::EventStreams>(plane->live_events(), authenticate, grants, env);
  api::add_event_endpoints(*state->router, *state->streams);
  state->audit_feed = std::make_unique<api::AuditFeed>(plane->store(), plane->live_events(), env);
  add_endpoints(*state->router, *plane);
  state->add_health();
  if (!settings.page_folder.empty()) {
    ECP_TRY_VOID(add_live_page(*state->router, settings.page_folder));
  }
  if (extend) extend(*state->router, *plane);
  ECP_TRY_VOID(state->listen(settings));
  state->audit_feed->start();
  state->ready = true;
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

plane::ControlPlane& Server::plane() noexcept { return *state_->plane; }

std::uint16_t Server::port() const noexcept { return state_->http->port(); }

void Server::stop() noexcept {
  if (!state_->ready.exchange(false)) return;
  state_->http->stop(drain_deadline);
  state_->audit_feed->stop();
  state_->plane->stop();
}

}  // namespace ecp::inline v0::server
