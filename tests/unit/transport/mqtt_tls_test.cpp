// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include <ecp/core/file.hpp>

#include "peer.hpp"

using namespace ecp;
using namespace ecp::tests;
using transport::LinkLoss;
using transport::LinkState;

namespace {

/// A TLS server that counts what a client says to it after the handshake.
class Listener {
 public:
  Listener(const transport::MqttTls& tls, int max_version) : port_(free_port()) {
    context_ = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_, max_version);
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_use_certificate_chain_file(context_, tls.certificate_path.c_str());
    SSL_CTX_use_PrivateKey_file(context_, tls.key_path.c_str(), SSL_FILETYPE_PEM);
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    const int on = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    ::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(socket_, 8);
    thread_ = std::thread([this] { serve(); });
  }
  ~Listener() {
    stopping_ = true;
    thread_.join();
    ::close(socket_);
    SSL_CTX_free(context_);
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  std::atomic<int> connections = 0;
  std::atomic<int> handshakes = 0;
  std::atomic<int> octets = 0;

 private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{socket_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int client = ::accept(socket_, nullptr, nullptr);
      timeval patience{1, 0};
      ::setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      SSL* session = SSL_new(context_);
      SSL_set_fd(session, client);
      if (SSL_accept(session) == 1) {
        ++handshakes;
        char buffer[256];
        const int size = SSL_read(session, buffer, sizeof buffer);
        if (size > 0) octets += size;
      }
      ++connections;
      SSL_free(session);
      ::close(client);
    }
  }

  std::uint16_t port_;
  SSL_CTX* context_;
  int socket_ = -1;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

struct World {
  MemoryLog log;
  RealEnv real{log, 1};
  Env env = real.env();
  LiveBroker live{env};
  Secret key = pki::make_p256_key().value();

  /// What an agent does with a server that shows this certificate.
  LinkLoss connect_to(const transport::MqttTls& server, int version, int& octets,
                      std::function<Time()> earliest = {}) {
    Listener listener(server, version);
    const auto agent = env.ids.next<link::AgentId>();
    transport::MqttLinkOptions options;
    options.brokers = {{"127.0.0.1", listener.port()}};
    options.tls = live.agent_tls(agent.to_string());
    options.tls.earliest = std::move(earliest);
    options.agent = agent;
    options.connect_timeout = Milliseconds(3'000);
    auto link = transport::open_mqtt_agent_link(options, env).value();
    std::atomic<int> downs = 0;
    std::atomic<int> ups = 0;
    std::atomic<LinkLoss> loss = LinkLoss::none;
    transport::LinkHandlers handlers;
    handlers.on_state = [&](LinkState state, LinkLoss why) {
      if (state == LinkState::up) ++ups;
      if (state == LinkState::down && downs++ == 0) loss = why;
    };
    REQUIRE(link->start(std::move(handlers)));
    CHECK(eventually([&downs] { return downs > 0; }));
    CHECK(eventually([&listener] { return listener.connections > 0; }));
    link->stop();
    octets = listener.octets;
    CHECK(ups == 0);
    return loss;
  }
};

}  // namespace

TEST_SUITE("transport.MqttTls") {
  TEST_CASE("[R20] an agent says nothing to a server that it cannot trust") {
    World world;
    auto& authority = world.live.authority();
    ManualEnv past;
    past.clock.step_wall(world.env.clock.now() - past.clock.now() - std::chrono::hours(24 * 365));
    auto earlier = pki::Authority::from_secret(authority.to_secret(), past.env()).value();
    auto foreign = pki::Authority::create("other", world.env).value();
    const std::vector<std::string> here{"127.0.0.1"};
    struct Row {
      const char* what;
      transport::MqttTls server;
    };
    const auto csr = pki::make_csr(world.key, "x").value();
    const auto write = [&world](const Result<pki::IssuedCertificate>& issued) {
      return world.live.write_tls(issued->chain_pem, world.key);
    };
    const std::vector<Row> rows{
        {"another host's name", write(authority.issue_server(world.key, {"other.example"}))},
        {"another address", write(authority.issue_server(world.key, {"127.0.0.2"}))},
        {"expired", write(earlier.issue_server(world.key, here))},
        {"an unknown authority", write(foreign.issue_server(world.key, here))},
        {"an agent's certificate", write(authority.issue_agent(csr, "node_1"))},
        {"a replica's certificate", write(authority.issue_replica(world.key, "r9"))}};
    for (const auto& row : rows) {
      CAPTURE(row.what);
      int octets = -1;
      const auto later = [now = world.env.clock.now()] { return now + std::chrono::minutes(1); };
      CHECK(world.connect_to(row.server, TLS1_3_VERSION, octets) == LinkLoss::untrusted);
      CHECK(octets == 0);
      // And neither when certificates are judged at another time than the clock's.
      CHECK(world.connect_to(row.server, TLS1_3_VERSION, octets, later) == LinkLoss::untrusted);
      CHECK(octets == 0);
    }
  }

  TEST_CASE("a clock that lags is not believed when a later time is known") {
    World world;
    const auto later = world.env.clock.now() + std::chrono::hours(24 * 365);
    ManualEnv future;
    future.clock.step_wall(later - future.clock.now());
    const auto authority =
        pki::Authority::from_secret(world.live.authority().to_secret(), future.env()).value();
    const auto issued = authority.issue_server(world.key, {"127.0.0.1"}).value();
    const auto tls = world.live.write_tls(issued.chain_pem, world.key);
    int octets = -1;

    CHECK(world.connect_to(tls, TLS1_3_VERSION, octets) == LinkLoss::untrusted);
    CHECK(octets == 0);
    world.connect_to(tls, TLS1_3_VERSION, octets, [later] { return later; });
    CHECK(octets > 0);
    const auto past = world.env.clock.now() - std::chrono::hours(1);
    world.connect_to(tls, TLS1_3_VERSION, octets, [past] { return past; });
    CHECK(octets == 0);
  }

  TEST_CASE("[R20] TLS older than 1.2 is not spoken") {
    World world;
    const auto good = world.live.authority().issue_server(world.key, {"127.0.0.1"}).value();
    const auto tls = world.live.write_tls(good.chain_pem, world.key);
    int octets = -1;
    CHECK(world.connect_to(tls, TLS1_1_VERSION, octets) != LinkLoss::none);
    CHECK(octets == 0);
    // The same server with TLS 1.2 hears a CONNECT, so it was the version and nothing else.
    world.connect_to(tls, TLS1_2_VERSION, octets);
    CHECK(octets > 0);
  }

  TEST_CASE("[R20] the broker lets nobody in without a good certificate of an agent or replica") {
    World world;
    auto& live = world.live;
    ManualEnv past;
    past.clock.step_wall(world.env.clock.now() - past.clock.now() - std::chrono::hours(24 * 365));
    auto earlier = pki::Authority::from_secret(live.authority().to_secret(), past.env()).value();
    auto foreign = pki::Authority::create("other", world.env).value();
    const auto csr = pki::make_csr(world.key, "x").value();
    const auto name = world.env.ids.next<link::AgentId>().to_string();
    const auto expired = earlier.issue_agent(csr, name).value().chain_pem;
    const auto strange = foreign.issue_agent(csr, name).value().chain_pem;
    const auto server = live.authority().issue_server(world.key, {"127.0.0.1"}).value().chain_pem;
    for (const auto& chain : {expired, strange, server}) {
      Peer peer(live, live.write_tls(chain, world.key), name);
      CHECK_FALSE(peer.accepted());
    }
    Peer good(live, live.agent_tls(name), name);
    CHECK(good.accepted());
  }

  TEST_CASE("a broker that is not there is a loss of the network, not of trust") {
    World world;
    const auto agent = world.env.ids.next<link::AgentId>();
    transport::MqttLinkOptions options;
    options.brokers = {{"127.0.0.1", free_port()}, {"127.0.0.1", world.live.port()}};
    options.tls = world.live.agent_tls(agent.to_string());
    options.agent = agent;
    options.reconnect_cap = Milliseconds(2'000);
    auto link = transport::open_mqtt_agent_link(options, world.env).value();
    std::atomic<LinkLoss> loss = LinkLoss::none;
    std::atomic<bool> up = false;
    transport::LinkHandlers handlers;
    handlers.on_state = [&](LinkState state, LinkLoss why) {
      if (state == LinkState::down) loss = why;
      if (state == LinkState::up) up = true;
    };
    REQUIRE(link->start(std::move(handlers)));
    CHECK(eventually([&up] { return up.load(); }));  // The second broker is tried in turn.
    CHECK(loss == LinkLoss::network);
    link->stop();
    world.real.stop();
  }

  TEST_CASE("an agent whose clock lags behind a time that it knows has a session all the same") {
    World world;
    const auto agent = world.env.ids.next<link::AgentId>();
    transport::MqttLinkOptions options;
    options.brokers = {{"127.0.0.1", world.live.port()}};
    options.tls = world.live.agent_tls(agent.to_string());
    options.tls.earliest = [&world] { return world.env.clock.now() + std::chrono::hours(1); };
    options.agent = agent;
    auto link = transport::open_mqtt_agent_link(options, world.env).value();
    std::atomic<bool> up = false;
    transport::LinkHandlers handlers;
    handlers.on_state = [&](LinkState state, LinkLoss) { up = up || state == LinkState::up; };
    REQUIRE(link->start(std::move(handlers)));
    CHECK(eventually([&up] { return up.load(); }));
    link->stop();
    world.real.stop();
  }

  TEST_CASE("a birth that nobody heard is told again until somebody listens") {
    World world;
    const auto agent = world.env.ids.next<link::AgentId>();
    auto link = world.live.link(agent);
    std::atomic<bool> up = false;
    transport::LinkHandlers handlers;
    handlers.on_connecting = [] { return transport::LinkHandlers::Presence{"birth", "will"}; };
    handlers.on_state = [&](LinkState state, LinkLoss) { up = up || state == LinkState::up; };
    REQUIRE(link->start(std::move(handlers)));
    REQUIRE(eventually([&up] { return up.load(); }));

    auto gateway = world.live.gateway("one");
    std::atomic<int> births = 0;
    transport::GatewayHandlers hearing;
    hearing.on_message = [&](link::AgentId, const transport::Channel& channel, const Bytes& text) {
      if (channel.kind == transport::ChannelKind::presence && text == "birth") ++births;
    };
    REQUIRE(gateway->start(std::move(hearing)));
    CHECK(eventually([&births] { return births == 1; }));
    link->stop();
    gateway->stop();
    world.real.stop();
  }

  TEST_CASE("[R22] of two agents with one identity only one is up at a time, and both are logged") {
    World world;
    const auto agent = world.env.ids.next<link::AgentId>();
    auto first = world.live.link(agent);
    auto clone = world.live.link(agent);
    std::atomic<int> ups = 0;
    std::atomic<int> downs = 0;
    const auto handlers = [&] {
      transport::LinkHandlers made;
      made.on_state = [&](LinkState state, LinkLoss) {
        if (state == LinkState::up) ++ups;
        if (state == LinkState::down) ++downs;
      };
      return made;
    };
    REQUIRE(first->start(handlers()));
    REQUIRE(eventually([&ups] { return ups == 1; }));
    REQUIRE(clone->start(handlers()));
    REQUIRE(eventually([&] { return ups >= 2 && downs >= 1; }));
    CHECK(eventually([&] { return world.log.contains("already connected"); }));
    first->stop();
    clone->stop();
    world.real.stop();
  }
}
