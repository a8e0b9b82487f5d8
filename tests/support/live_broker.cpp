// SPDX-License-Identifier: Apache-2.0
#include "support/live_broker.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include <ecp/core/file.hpp>

namespace ecp::tests {

namespace {

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().describe());
  return std::move(result).value();
}

void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().describe());
}

}  // namespace

std::uint16_t free_port() {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  ::bind(descriptor, generic, size);
  ::getsockname(descriptor, generic, &size);
  ::close(descriptor);
  return ntohs(address.sin_port);
}

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

LiveBroker::LiveBroker(Env env) : env_(env), authority_(must(pki::Authority::create("acme", env))) {
  options_.folder = folder_.path();
  options_.bind = "127.0.0.1";
  options_.port = free_port();
  options_.plugin_path = ECP_MOSQUITTO_PLUGIN;
  options_.roots_path = folder_.path() + "/roots.pem";
  must(write_file_durably(options_.roots_path, authority_.root_pem()));
  const auto key = must(pki::make_p256_key());
  const auto server = must(authority_.issue_server(key, {"127.0.0.1", "localhost"}));
  const auto tls = write_tls(server.chain_pem, key);
  options_.certificate_path = tls.certificate_path;
  options_.key_path = tls.key_path;
  options_.canary_name = env.ids.next<link::AgentId>().to_string();
  options_.canary = agent_tls(options_.canary_name);
  broker_ = must(transport::SupervisedBroker::start(options_, env_));
}

LiveBroker::~LiveBroker() { stop(); }

void LiveBroker::stop() {
  if (broker_) broker_->stop();
}

void LiveBroker::restart() {
  stop();
  broker_ = must(transport::SupervisedBroker::start(options_, env_));
}

transport::MqttTls LiveBroker::write_tls(const std::string& chain_pem, const Secret& key) {
  const auto base = folder_.path() + "/tls" + std::to_string(files_++);
  transport::MqttTls tls{options_.roots_path, base + ".pem", base + ".key"};
  must(write_file_durably(tls.certificate_path, chain_pem));
  must(write_file_durably(tls.key_path, key.view()));
  return tls;
}

transport::MqttTls LiveBroker::agent_tls(const std::string& name) {
  const auto key = must(pki::make_p256_key());
  const auto csr = must(pki::make_csr(key, "agent"));
  return write_tls(must(authority_.issue_agent(csr, name)).chain_pem, key);
}

transport::MqttTls LiveBroker::replica_tls(const std::string& replica) {
  const auto key = must(pki::make_p256_key());
  return write_tls(must(authority_.issue_replica(key, replica)).chain_pem, key);
}

std::unique_ptr<transport::AgentLink> LiveBroker::link(link::AgentId agent) {
  transport::MqttLinkOptions options;
  options.brokers = {{"127.0.0.1", port()}};
  options.tls = agent_tls(agent.to_string());
  options.agent = agent;
  return must(transport::open_mqtt_agent_link(options, env_));
}

std::unique_ptr<transport::AgentGateway> LiveBroker::gateway(const std::string& replica) {
  transport::MqttGatewayOptions options;
  options.broker = {"127.0.0.1", port()};
  options.tls = replica_tls(replica);
  options.replica = replica;
  options.deny_path = transport::deny_path(options_.folder);
  return must(transport::open_mqtt_gateway(std::move(options), env_));
}

}  // namespace ecp::tests
