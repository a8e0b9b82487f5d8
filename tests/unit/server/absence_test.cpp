// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ecp/agent/agent.hpp>
#include <ecp/api/router.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/http/reasons.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/tenancy/registries.hpp>

#include "unit/plane/plane_world.hpp"

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using ecp_test::must;

namespace {

constexpr Milliseconds day{24LL * 3'600'000};
constexpr std::size_t gateways = 100;

/// The octets of the first certificate in a file.
Bytes der_in(const std::string& pem) {
  constexpr std::string_view begin = "-----BEGIN CERTIFICATE-----";
  const auto first = pem.find(begin) + begin.size();
  std::string text;
  for (const char letter : pem.substr(first, pem.find("-----END", first) - first)) {
    if (letter != '\n') text += letter;
  }
  return must(from_base64(text));
}

/// Calls a router in this process; certificates are shown as a TLS server would pass them on.
class NearClient final : public http::Client {
 public:
  explicit NearClient(const std::shared_ptr<std::unique_ptr<api::Router>>& router)
      : router_(router) {}
  Result<http::ClientResponse> call(const http::ClientRequest& wanted) override {
    if (!*router_) return http::reasons::unreachable;
    http::Request request;
    request.method = wanted.method;
    request.path = must(http::parse_url(wanted.url)).path;
    request.headers = wanted.headers;
    request.body = wanted.body;
    request.remote_address = "10.0.0.7";
    if (wanted.identity) {
      request.client_certificate = der_in(wanted.identity->certificate_chain_pem);
      request.client_name = "checked by the endpoint";
    }
    const auto response = (*router_)->dispatch(std::move(request));
    return http::ClientResponse{response.status, response.headers, response.body};
  }

 private:
  std::shared_ptr<std::unique_ptr<api::Router>> router_;  // Shared with the works.
};

class NoDrivers final : public pipeline::DriverFactory {
 public:
  Result<std::unique_ptr<pipeline::Driver>> open(const kind::DriverConfig& /*config*/) override {
    return Error(ecp::reasons::not_found, {{"noun", "driver"}});
  }
};

/// A control plane with its HTTPS endpoints, and machines that may be switched off for long.
struct Works {
  Works() {
    // Later than this program was built, which no certificate may be older than.
    world.world.clock.step_wall(from_ms(1'900'000'000'000) - world.world.clock.now());
    open(180 * day);
    const auto platform = plane->authorizer().system("test", access::Scope::platform());
    scope.organization = must(plane->organizations().create(platform, {"Works", ""})).id;
    scope.project = must(plane->projects().create(grant(), scope.organization, {"Hall", ""})).id;
    fleet::EnrollmentTokenRegistry::NewToken wanted;
    wanted.name = "line";
    wanted.uses = gateways;
    const auto token = must(plane->enrollment_tokens().create(grant(), wanted));
    for (std::size_t i = 0; i < gateways; ++i) {
      folders.push_back(world.folder.file("gateway-" + std::to_string(i)));
      must(agent::enroll({"https://127.0.0.1:8443", "gateway-" + std::to_string(i), folders[i]},
                         token.text, client, world.world.env()));
    }
  }

  /// Start the control plane, as with this in its file: agents.renewal_after_expiry.
  void open(Milliseconds renewal_grace) {
    plane.reset();
    auto config = world.config();
    config.renewal_grace = renewal_grace;
    plane::Parts parts;
    parts.store = world.open_store();
    parts.gateway = world.network.gateway();
    plane = must(plane::ControlPlane::open(config, std::move(parts), world.world.env()));
    *router = std::make_unique<api::Router>(
        [](std::string_view) -> Result<access::Principal> {
          return Error(ecp::reasons::not_found, {{"noun", "token"}});
        },
        [](const access::Principal&, const access::Scope&,
           const access::Origin&) -> Result<access::Grant> {
          return Error(ecp::reasons::not_found, {{"noun", "grant"}});
        },
        world.world.env());
    api::add_agent_link_endpoints(**router, plane->enrollment(), plane->desired());
  }

  void close() {
    router->reset();
    plane.reset();
  }

  std::unique_ptr<agent::Agent> start(const std::string& folder) {
    static const std::array modules{&storage::pipeline_module(), &storage::agent_module()};
    agent::AgentOptions options;
    options.link = must(agent::load_link_document({folder}));
    options.data_folder = folder;
    agent::AgentParts parts;
    parts.store = must(ecp_test::MemoryBackend::open(modules, world.world.env()));
    parts.drivers = std::make_unique<NoDrivers>();
    parts.http = std::make_unique<NearClient>(router);
    parts.open_link =
        [this](
            const link::LinkDocument& document) -> Result<std::unique_ptr<transport::AgentLink>> {
      return world.network.link(document.agent, world.world.env(), document.reconnect_cap);
    };
    auto made = must(agent::Agent::open(std::move(options), std::move(parts), world.world.env()));
    must(made->start());
    return made;
  }

  /// How many machines show a certificate that is good now and opens the door.
  std::size_t welcome() {
    std::size_t count = 0;
    for (const auto& folder : folders) {
      const auto identity = must(read_file(agent::AgentFiles{folder}.identity(), 100'000));
      const auto facts = must(pki::certificate_facts(identity));
      const bool is_good = facts.not_after > world.world.clock.now();
      if (is_good && plane->enrollment().authenticate(der_in(identity))) ++count;
    }
    return count;
  }

  [[nodiscard]] access::Grant grant() const { return plane->authorizer().system("test", scope); }

  ecp_test::PlaneWorld world;
  std::unique_ptr<plane::ControlPlane> plane;
  std::shared_ptr<std::unique_ptr<api::Router>> router =
      std::make_shared<std::unique_ptr<api::Router>>();
  NearClient client{router};
  access::Scope scope;
  std::vector<std::string> folders;
};

}  // namespace

TEST_SUITE("server.Absence") {
  TEST_CASE("after more than a year all agents are back, once the plane is told to wait so long") {
    Works works;
    works.close();
    works.world.world.clock.advance(400 * day);

    works.open(180 * day);
    std::vector<std::unique_ptr<agent::Agent>> agents;
    for (const auto& folder : works.folders) agents.push_back(works.start(folder));
    works.world.world.executor.advance(Milliseconds(60'000));
    CHECK(works.welcome() == 0);
    std::string told;
    for (const auto& entry : works.world.world.log.entries()) told += entry.text + "\n";
    CHECK(told.find("expired more than 180 days ago: raise agents.renewal_after_expiry, or enroll "
                    "anew") != std::string::npos);

    works.open(400 * day);
    works.world.world.executor.advance(Milliseconds(2 * 3'600'000));  // They ask every hour.

    CHECK(works.welcome() == gateways);
    std::size_t online = 0;
    const auto nodes = must(works.plane->edge_nodes().list(works.grant(), {}, {200, 0}));
    for (const auto& node : nodes.items) {
      if (node.status.state == fleet::ConnectionState::online) ++online;
    }
    CHECK(online == gateways);
    for (const auto& one : agents) one->stop();
  }

  TEST_CASE("after months, agents that start before the control plane are back within minutes") {
    Works works;
    works.close();
    works.world.world.clock.advance(170 * day);
    std::vector<std::unique_ptr<agent::Agent>> agents;
    for (const auto& folder : works.folders) agents.push_back(works.start(folder));
    works.world.world.executor.advance(Milliseconds(600'000));

    works.open(180 * day);
    works.world.world.executor.advance(Milliseconds(300'000));

    CHECK(works.welcome() == gateways);
    for (const auto& one : agents) one->stop();
  }
}
