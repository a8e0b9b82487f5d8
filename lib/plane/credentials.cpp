// SPDX-License-Identifier: Apache-2.0
#include "plane/credentials.hpp"

#include <unistd.h>
#include <algorithm>

#include <ecp/core/file.hpp>
#include <ecp/link/ids.hpp>

namespace ecp::inline v0::plane {

namespace {

constexpr std::size_t largest_file = 64 * kibibyte;
constexpr std::string_view key_begin = "-----BEGIN PRIVATE KEY-----";

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
    names.push_back(name);
  }
}

std::vector<std::string> with_local_names(std::vector<std::string> names) {
  for (const auto& name : {std::string("localhost"), std::string("127.0.0.1"), host_name()}) {
    add_name(names, name);
  }
  return names;
}

}  // namespace

Result<void> write_pair(const std::string& path, const std::string& chain, const Secret& key) {
  std::string text = chain;
  text.append(key.view());
  auto written = write_file_durably(path, text);
  std::fill(text.begin(), text.end(), '\0');
  return written;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
  return name;
}

std::vector<link::LinkDocument::Broker> advertised_brokers(const BrokerConfig& config) {
  std::vector<link::LinkDocument::Broker> brokers;
  for (const auto& address : config.advertise) brokers.push_back({address.host, address.port});
  if (brokers.empty() && config.external) {
    brokers.push_back({config.external->host, config.external->port});
  }
  if (brokers.empty()) {
    // A host's name may lead to another address than the one listened on.
    const bool everywhere = config.bind == "0.0.0.0" || config.bind == "::";
    brokers.push_back({everywhere ? host_name() : config.bind, config.port});
  }
  return brokers;
}

Credentials::Credentials(const PlaneConfig& config, const pki::Authority& authority, Env env)
    : folder_(config.data_folder),
      own_certificate_path_(config.https_certificate_path),
      own_key_path_(config.https_key_path),
      broker_trust_path_(config.broker.trust_path),
      https_names_(with_local_names(config.server_names)),
      broker_is_external_(config.broker.external.has_value()),
      authority_(authority),
      replica_(to_hex(env.random.bytes(8))),
      canary_(env.ids.next<link::AgentId>().to_string()),
      env_(env) {
  for (const auto& broker : advertised_brokers(config.broker)) {
    add_name(broker_names_, broker.host);
  }
  broker_names_ = with_local_names(std::move(broker_names_));
}

bool Credentials::is_fresh(const std::string& path, pki::Usage usage,
                           const std::vector<std::string>& names) const {
  const auto text = read_file(path, largest_file);
  if (!text) return false;
  const auto facts = pki::certificate_facts(*text);
  if (!facts) return false;
  const auto now = env_.clock.now();
  const auto life = facts->not_after - facts->not_before;
  if (now < facts->not_before || now - facts->not_before > life / 3 * 2) return false;
  for (const auto& name : names) {
    if (std::find(facts->names.begin(), facts->names.end(), name) == facts->names.end()) {
      return false;
    }
  }
  const pki::ChainQuestion question{*text, {}, authority_.root_pem(), now, usage, {}};
  return pki::verify_chain(question).has_value();
}

Result<bool> Credentials::refresh_server(const std::string& path,
                                         const std::vector<std::string>& names) {
  if (is_fresh(path, pki::Usage::server, names)) return false;
  ECP_TRY(const auto key, pki::make_p256_key());
  ECP_TRY(const auto issued, authority_.issue_server(key, names));
  // The root goes along: a machine at first contact knows nothing of us but its hash.
  ECP_TRY_VOID(write_pair(path, issued.chain_pem + authority_.root_pem(), key));
  return true;
}

Result<void> Credentials::refresh_gateway() {
  const auto text = read_file(gateway_path(), largest_file);
  if (text) {
    const auto facts = pki::certificate_facts(*text);
    const bool is_mine = facts && facts->common_name == "ecpd-" + replica_;
    if (is_mine && is_fresh(gateway_path(), pki::Usage::client, {})) return {};
  }
  ECP_TRY(const auto key, pki::make_p256_key());
  ECP_TRY(const auto issued, authority_.issue_replica(key, replica_));
  return write_pair(gateway_path(), issued.chain_pem, key);
}

Result<void> Credentials::refresh_canary() {
  const auto text = read_file(canary_path(), largest_file);
  if (text && is_fresh(canary_path(), pki::Usage::client, {})) {
    ECP_TRY(const auto facts, pki::certificate_facts(*text));
    if (facts.common_name == canary_) return {};
  }
  ECP_TRY(const auto key, pki::make_p256_key());
  ECP_TRY(const auto csr, pki::make_csr(key, canary_));
  ECP_TRY(const auto issued, authority_.issue_agent(csr, canary_, pki::replica_life));
  return write_pair(canary_path(), issued.chain_pem, key);
}

Result<Refreshed> Credentials::refresh() {
  Refreshed refreshed;
  ECP_TRY_VOID(write_file_durably(root_path(), authority_.root_pem(), 0644));
  if (!broker_is_external_) {
    ECP_TRY(refreshed.broker, refresh_server(broker_path(), broker_names_));
  }
  if (own_certificate_path_.empty()) {
    ECP_TRY(refreshed.https, refresh_server(https_path(), https_names_));
  }
  ECP_TRY_VOID(refresh_gateway());
  ECP_TRY_VOID(refresh_canary());
  return refreshed;
}

transport::MqttTls Credentials::gateway_tls() const {
  return {broker_trust(), gateway_path(), gateway_path()};
}

transport::MqttTls Credentials::canary_tls() const {
  return {broker_trust(), canary_path(), canary_path()};
}

Result<http::ServerTls> Credentials::server_tls() const {
  http::ServerTls tls;
  tls.client_ca_pem = authority_.agent_ca_pem();
  if (!own_certificate_path_.empty()) {
    ECP_TRY(tls.certificate_chain_pem, read_file(own_certificate_path_, largest_file));
    ECP_TRY(tls.key_pem, read_secret_file(own_key_path_, largest_file));
    return tls;
  }
  ECP_TRY(auto text, read_file(https_path(), largest_file));
  const auto split = std::min(text.find(key_begin), text.size());
  tls.certificate_chain_pem = text.substr(0, split);
  tls.key_pem = Secret(std::string_view(text).substr(split));
  std::fill(text.begin(), text.end(), '\0');
  return tls;
}

Result<std::string> Credentials::root_pin() const {
  ECP_TRY(const auto tls, server_tls());
  ECP_TRY(const auto digest, pki::last_certificate_digest(tls.certificate_chain_pem));
  return to_hex(digest);
}

Result<std::string> Credentials::trust_roots() const {
  auto roots = authority_.root_pem();
  if (!broker_trust_path_.empty()) {
    ECP_TRY(auto broker_roots, read_file(broker_trust_path_, largest_file));
    if (!broker_roots.ends_with('\n')) broker_roots += '\n';
    roots += broker_roots;
  }
  if (own_certificate_path_.empty()) return roots;
  ECP_TRY(const auto chain, read_file(own_certificate_path_, largest_file));
  const auto last = chain.rfind("-----BEGIN CERTIFICATE-----");
  if (last != std::string::npos) roots += chain.substr(last);
  return roots;
}

}  // namespace ecp::inline v0::plane
