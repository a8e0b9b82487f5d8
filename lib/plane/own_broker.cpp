// SPDX-License-Identifier: Apache-2.0
#include "plane/own_broker.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <vector>

#include <ecp/audit/audit.hpp>
#include <ecp/core/file.hpp>
#include <ecp/plane/own_broker.hpp>
#include <ecp/plane/reasons.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/transport/broker.hpp>
#include <ecp/transport/emqx.hpp>
#include <ecp/transport/reasons.hpp>

#include "core/guarded_task.hpp"
#include "plane/folder_lock.hpp"
#include "plane/keys.hpp"
#include "plane/store_opener.hpp"

namespace ecp::inline v0::plane {

namespace {

constexpr std::size_t largest_key = 4 * kibibyte;
constexpr audit::Operation issue_certificate{"broker.issue_certificate"};

std::string text_of(const transport::BrokerAddress& address) {
  return address.host + ":" + std::to_string(address.port);
}

/// Hosts under which agents and we ask for the broker.
std::vector<std::string> broker_hosts(const BrokerConfig& config) {
  std::vector<std::string> names{config.external->host};
  for (const auto& broker : advertised_brokers(config)) {
    if (std::find(names.begin(), names.end(), broker.host) == names.end()) {
      names.push_back(broker.host);
    }
  }
  return names;
}

/// The store and our keys. Where no control plane has run yet they are made, and none may start in
/// the meantime; beside a running one nothing is made.
struct Desk {
  std::optional<FolderLock> lock;
  std::unique_ptr<storage::Store> store;
  Keys keys;
};

Result<Desk> open_desk(const PlaneConfig& config, const std::optional<Secret>& master_key,
                       Env env) {
  ECP_TRY_VOID(make_private_folder(config.data_folder));
  const auto root_path = config.data_folder + "/root-ca.pem";
  std::optional<FolderLock> lock;
  const bool is_first = !std::filesystem::exists(root_path);
  if (is_first) {
    ECP_TRY(auto taken, FolderLock::take(config.data_folder));
    lock.emplace(std::move(taken));
  }
  ECP_TRY(const auto sealing, open_sealing(config, master_key, env));
  ECP_TRY(auto store, open_store(config, env));
  ECP_TRY(auto keys, load_keys(*store, sealing, env));
  if (is_first) ECP_TRY_VOID(write_file_durably(root_path, keys.authority.root_pem(), 0644));
  return Desk{std::move(lock), std::move(store), std::move(keys)};
}

/// Why the proof broke off, without what is only true of a broker of ours.
std::string problem_of(const Error& error) {
  for (const auto& [name, value] : error.params) {
    if (name == "problem") return value;
  }
  return error.describe();
}

Result<void> record(storage::Store& store, const std::vector<std::string>& names, Env env) {
  access::PermissionRegistry permissions;
  audit::DenialLog denials(store, env);
  const rbac::Authorizer authorizer(store, permissions, denials, env);
  const auto grant = authorizer.system("command-line", access::Scope::platform());
  return store.write([&](storage::Transaction& transaction) {
    return audit::append(transaction, grant, issue_certificate, {"broker", "", names.front()});
  });
}

/// A cutter with a worker of its own: a call that waits must hold up nobody, and a control plane
/// whose workers are all busy must still be able to cut.
class StaffedCutter final : public transport::SessionCutter {
 public:
  explicit StaffedCutter(Env env) : workers_(pool_, env.log, "cutter"), env_(env) {}
  ~StaffedCutter() override {
    if (inner_) inner_->stop();
    pool_.stop();
  }
  Result<void> open(transport::EmqxOptions options, http::Client& client) {
    const Env env{env_.clock, env_.random, env_.ids,   env_.executor,
                  workers_,   env_.log,    env_.limits};
    ECP_TRY(inner_, transport::open_emqx_cutter(std::move(options), client, env));
    return {};
  }
  void deny(link::AgentId agent) override { inner_->deny(agent); }
  void set_denied(std::span<const link::AgentId> agents) override { inner_->set_denied(agents); }
  void repeat() override { inner_->repeat(); }
  void stop() noexcept override { inner_->stop(); }

 private:
  WorkerPool pool_{1, "ecp-cut"};
  GuardedWorkers workers_;
  const Env env_;
  std::unique_ptr<transport::SessionCutter> inner_;
};

}  // namespace

std::function<Result<void>()> proof_of(const BrokerConfig& config, const Credentials& credentials,
                                       Env env) {
  return [address = *config.external, tls = credentials.canary_tls(),
          name = credentials.canary_name(), env]() -> Result<void> {
    const auto proven = transport::prove_guard(address, tls, name, env);
    if (proven) return {};
    const auto& error = proven.error();
    if (!error.is(transport::reasons::broker_unguarded)) {
      return Error(reasons::broker_unproven,
                   {{"address", text_of(address)}, {"problem", problem_of(error)}});
    }
    return Error(reasons::broker_unguarded,
                 {{"address", text_of(address)}, {"problem", error.message()}});
  };
}

Result<std::unique_ptr<transport::SessionCutter>> open_cutter(const BrokerConfig& config,
                                                              std::optional<Secret> given,
                                                              http::Client& client, Env env) {
  if (!config.emqx) return std::unique_ptr<transport::SessionCutter>();
  transport::EmqxOptions options;
  options.url = config.emqx->url;
  options.roots_pem = config.emqx->roots_pem;
  if (!config.emqx->key_path.empty()) {
    ECP_TRY(options.key, read_secret_file(config.emqx->key_path, largest_key));
  } else if (given) {
    options.key = std::move(*given);
  } else {
    return reasons::no_emqx_key;
  }
  auto cutter = std::make_unique<StaffedCutter>(env);
  ECP_TRY_VOID(cutter->open(std::move(options), client));
  return cutter;
}

Result<BrokerFiles> write_broker_files(const PlaneConfig& config,
                                       const std::optional<Secret>& master_key,
                                       const std::string& folder, const std::string& plugin_path,
                                       Env env) {
  if (!config.broker.external) return reasons::no_broker_url;
  const auto place = std::filesystem::absolute(folder).lexically_normal().string();
  BrokerFiles files{place + "/mosquitto.conf", place + "/broker.pem", place + "/roots.pem", {}};
  transport::BrokerOptions options;
  options.port = config.broker.external->port;
  options.plugin_path = plugin_path;
  options.roots_path = files.roots_path;
  options.certificate_path = files.certificate_path;
  options.key_path = files.certificate_path;
  ECP_TRY(const auto text, transport::mosquitto_config(options));
  ECP_TRY(const auto desk, open_desk(config, master_key, env));
  ECP_TRY_VOID(make_private_folder(place));
  const auto names = broker_hosts(config.broker);
  ECP_TRY(const auto key, pki::make_p256_key());
  ECP_TRY(const auto issued, desk.keys.authority.issue_server(key, names));
  files.not_after = issued.facts.not_after;
  ECP_TRY_VOID(record(*desk.store, names, env));
  const auto& root = desk.keys.authority.root_pem();
  ECP_TRY_VOID(write_pair(files.certificate_path, issued.chain_pem + root, key));
  ECP_TRY_VOID(write_file_durably(files.roots_path, root));
  ECP_TRY_VOID(write_file_durably(files.config_path, text));
  return files;
}

}  // namespace ecp::inline v0::plane
