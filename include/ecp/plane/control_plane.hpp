// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A whole control plane in one object, without HTTP.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ecp/access/permission.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/client.hpp>
#include <ecp/http/server.hpp>
#include <ecp/kind/registry.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>
#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/mqtt.hpp>

namespace ecp::inline v0::audit {
class AuditRegistry;
}
namespace ecp::inline v0::tenancy {
class OrganizationRegistry;
class ProjectRegistry;
}  // namespace ecp::inline v0::tenancy
namespace ecp::inline v0::identity {
class Bootstrap;
class SessionRegistry;
class UserRegistry;
}  // namespace ecp::inline v0::identity
namespace ecp::inline v0::rbac {
class Authorizer;
class MembershipRegistry;
}  // namespace ecp::inline v0::rbac
namespace ecp::inline v0::platform {
class Idempotency;
class LiveEvents;
}  // namespace ecp::inline v0::platform
namespace ecp::inline v0::pki {
class Authority;
}
namespace ecp::inline v0::fleet {
class DesiredEngine;
class EdgeNodeRegistry;
class EdgeServiceRegistry;
class Enrollment;
class EnrollmentTokenRegistry;
class FleetEngine;
}  // namespace ecp::inline v0::fleet
namespace ecp::inline v0::alarm {
class AlarmRegistry;
class AlarmRuleRegistry;
class Notifier;
class WebhookRegistry;
}  // namespace ecp::inline v0::alarm

namespace ecp::inline v0::plane {

/// Where our packages put mosquitto's plugin.
inline constexpr const char* default_plugin_path = "/usr/lib/ecp/ecp_mosquitto_plugin.so";

/// The REST API of an EMQX, through which revoked agents are kept off it.
struct EmqxConfig {
  std::string url;        ///< "https://host:18084"
  std::string key_path;   ///< File of mode 0600 with "key:secret"; empty: Parts::emqx_key.
  std::string roots_pem;  ///< CA of that API's certificate; empty: the system's.
};

/// How agents reach us.
struct BrokerConfig {
  /// Where the broker that we start listens; ignored with `external`.
  std::string bind = "0.0.0.0";
  std::uint16_t port = 8883;
  std::string mosquitto_path = "/usr/sbin/mosquitto";
  std::string plugin_path;  ///< ecp_mosquitto_plugin.so
  /// Our broker and its sessions survive `ControlPlane::stop`; after a crash they always do.
  bool keep_running = false;
  /// A broker that somebody else runs, with our plugin or rules that equal it; none: we start one.
  /// Its guard is proven before we serve, before each connection to it, and every minute.
  std::optional<transport::BrokerAddress> external;
  /// PEM file with what the external broker's certificate must chain to, which agents are told to
  /// trust, too; empty: our own root.
  std::string trust_path;
  std::optional<EmqxConfig> emqx;  ///< Of the external broker; none: that one has our plugin.
  /// What agents are told; empty: this machine's name and `port`, or `external`.
  std::vector<transport::BrokerAddress> advertise;
};

/// Plain values; what ecpd reads from its YAML file.
struct PlaneConfig {
  std::string data_folder;  ///< Made with mode 0700; all files of ours are in it.
  std::string store_url;   ///< "sqlite:PATH", "postgresql://..."; empty: a file in the data folder.
  bool has_replicas = false;  ///< Others may work on the same store and broker.
  std::string series_url;  ///< "postgresql://..."; empty: where the store is.
  std::string master_key_path;  ///< 0600; empty: "master.key" in the data folder, made when absent.
  BrokerConfig broker;
  std::vector<std::string> agent_urls;    ///< "https://host:port", told to agents.
  std::vector<std::string> server_names;  ///< DNS names and addresses of our HTTPS certificate.
  std::string https_certificate_path;     ///< One's own chain and key; empty: from our own CA.
  std::string https_key_path;
  Milliseconds heartbeat{15'000};
  Milliseconds reconnect_cap{0};  ///< Told to agents; 0: from the number of edge nodes.
  /// How long after its expiry an agent's certificate is still renewed.
  Milliseconds renewal_grace{180LL * 24 * 3'600'000};
  Milliseconds series_keep{30LL * 24 * 3'600'000};
  /// Threads for calls to webhooks, so that a receiver that is slow to answer holds nothing else
  /// up; 0: the env's workers (simulation).
  unsigned outgoing_threads = 1;
  std::vector<std::string> webhook_allowed;  ///< "127.0.0.1:9000": see http::AddressPolicy.
  unsigned workers = 4;                      ///< Threads of the env's workers; log-ins leave one.
  std::string webhook_roots_pem;             ///< CA of webhook receivers; empty: the system's.
};

/// What a program brings along instead of letting the config decide. Given parts are owned.
struct Parts {
  std::optional<Secret> master_key;       ///< 64 hex digits, from the environment.
  std::optional<Secret> emqx_key;         ///< "key:secret", from the environment.
  std::unique_ptr<storage::Store> store;  ///< Opened with `store_modules()`, and an OEM's own.
  std::unique_ptr<transport::AgentGateway> gateway;  ///< No broker is started then.
  std::unique_ptr<series::SeriesStore> series;
  std::unique_ptr<http::Client> client;
  std::vector<const access::Permission*> permissions;  ///< An OEM's, beside ours.
  /// Adds an OEM's kinds and runtimes to ours; the same must be done in his agents.
  std::function<void(kind::KindRegistry&, kind::RuntimeRegistry&)> add_kinds;
};

/// Everything that `ControlPlane` keeps in its store.
[[nodiscard]] ECP_EXPORT std::span<const storage::StoreModule* const> store_modules();

/// This machine's name, as our certificates carry it; "localhost" when it has none.
[[nodiscard]] ECP_EXPORT std::string host_name();

/// Reasons of all modules that a control plane has.
[[nodiscard]] ECP_EXPORT ReasonCatalogue reason_catalogue();

/// Store, keys, registries, engines and the agents' gateway, put together.
///
/// Ownership: owns everything it gives out. Env outlives it.
/// Thread safety: any thread, except `stop` and the destructor.
class ECP_EXPORT ControlPlane {
 public:
  /// Open the store, make what is missing (folder, keys, CA, bootstrap secret), start the broker,
  /// the gateway and the engines. Blocks for up to some seconds; call it from no executor.
  /// Fails with the reason of the part that failed, its context naming the part.
  [[nodiscard]] static Result<std::unique_ptr<ControlPlane>> open(PlaneConfig config, Parts parts,
                                                                  Env env);
  ~ControlPlane();
  ControlPlane(const ControlPlane&) = delete;
  ControlPlane& operator=(const ControlPlane&) = delete;

  /// Stop in order: gateway, timers, engines, what the outbox still has, store, and our broker
  /// unless it is to keep running; idempotent. HTTP in front must be drained before.
  void stop() noexcept;

  [[nodiscard]] const PlaneConfig& config() const noexcept;
  [[nodiscard]] storage::Store& store() noexcept;
  [[nodiscard]] series::SeriesStore& series() noexcept;
  [[nodiscard]] const access::PermissionRegistry& permissions() const noexcept;
  [[nodiscard]] rbac::Authorizer& authorizer() noexcept;
  [[nodiscard]] platform::LiveEvents& live_events() noexcept;
  [[nodiscard]] platform::Idempotency& idempotency() noexcept;
  [[nodiscard]] const pki::Authority& authority() const noexcept;

  [[nodiscard]] audit::AuditRegistry& audit() noexcept;
  [[nodiscard]] tenancy::OrganizationRegistry& organizations() noexcept;
  [[nodiscard]] tenancy::ProjectRegistry& projects() noexcept;
  [[nodiscard]] identity::UserRegistry& users() noexcept;
  [[nodiscard]] identity::SessionRegistry& sessions() noexcept;
  [[nodiscard]] identity::Bootstrap& bootstrap() noexcept;
  [[nodiscard]] rbac::MembershipRegistry& members() noexcept;

  [[nodiscard]] fleet::EnrollmentTokenRegistry& enrollment_tokens() noexcept;
  [[nodiscard]] fleet::Enrollment& enrollment() noexcept;
  [[nodiscard]] fleet::EdgeNodeRegistry& edge_nodes() noexcept;
  [[nodiscard]] fleet::EdgeServiceRegistry& edge_services() noexcept;
  [[nodiscard]] fleet::DesiredEngine& desired() noexcept;
  [[nodiscard]] fleet::FleetEngine& fleet() noexcept;

  [[nodiscard]] alarm::AlarmRuleRegistry& alarm_rules() noexcept;
  [[nodiscard]] alarm::AlarmRegistry& alarms() noexcept;
  [[nodiscard]] alarm::WebhookRegistry& webhooks() noexcept;
  [[nodiscard]] alarm::Notifier& notifier() noexcept;

  /// Certificate, key and client CA for the HTTPS listener, as of now.
  [[nodiscard]] Result<http::ServerTls> server_tls() const;
  /// Is told when `server_tls` has a new certificate. On a worker.
  void on_server_tls(std::function<void()> changed);
  /// File with the one-time secret for the first admin; empty once there is one.
  [[nodiscard]] std::string bootstrap_secret_path() const;
  /// Our root certificate's file, for people and programs that shall trust us.
  [[nodiscard]] std::string root_path() const;
  /// True while agents can be heard: the gateway is subscribed.
  [[nodiscard]] bool is_listening() const noexcept;

 private:
  struct State;
  explicit ControlPlane(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::plane
