// SPDX-License-Identifier: Apache-2.0
#include <ecp/plane/control_plane.hpp>

#include <ecp/core/file.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/plane/reasons.hpp>

#include "plane/control_plane_state.hpp"
#include "plane/own_broker.hpp"

namespace ecp::inline v0::plane {

namespace {

std::string broker_folder(const PlaneConfig& config) { return config.data_folder + "/broker"; }

/// Start the broker that is ours to start.
Result<std::unique_ptr<transport::SupervisedBroker>> start_broker(const PlaneConfig& config,
                                                                  const Credentials& credentials,
                                                                  storage::Store& store, Env env) {
  transport::BrokerOptions options;
  options.folder = broker_folder(config);
  ECP_TRY_VOID(make_private_folder(options.folder));
  ECP_TRY(const auto denied, store.read([](storage::Transaction& transaction) {
    return transaction.get<fleet::EdgeNodeStore>().list_revoked();
  }));
  ECP_TRY_VOID(transport::write_denied(transport::deny_path(options.folder), denied));
  options.bind = config.broker.bind;
  options.port = config.broker.port;
  options.mosquitto_path = config.broker.mosquitto_path;
  options.plugin_path = config.broker.plugin_path;
  options.roots_path = credentials.root_path();
  options.certificate_path = credentials.broker_path();
  options.key_path = credentials.broker_path();
  options.canary = credentials.canary_tls();
  options.canary_name = credentials.canary_name();
  return transport::SupervisedBroker::start(std::move(options), env);
}

/// Where this replica itself finds the broker.
transport::BrokerAddress broker_address(const BrokerConfig& config) {
  if (config.external) return *config.external;
  const bool everywhere = config.bind == "0.0.0.0" || config.bind == "::" || config.bind.empty();
  return {everywhere ? "127.0.0.1" : config.bind, config.port};
}

Result<std::unique_ptr<transport::AgentGateway>> open_gateway(
    const PlaneConfig& config, const Credentials& credentials, const Secret& share_group,
    std::unique_ptr<transport::SessionCutter> cutter, Env env) {
  transport::MqttGatewayOptions options;
  options.broker = broker_address(config.broker);
  options.tls = credentials.gateway_tls();
  options.replica = credentials.replica();
  if (config.has_replicas) options.share_group = share_group.view();
  if (config.broker.external) {
    options.prove = proof_of(config.broker, credentials, env);
  } else {
    options.deny_path = transport::deny_path(broker_folder(config));
  }
  options.cutter = std::move(cutter);
  return transport::open_mqtt_gateway(std::move(options), env);
}

/// Find out whether the broker that somebody else runs may be used at all. One that cannot be
/// reached may be later; until then the gateway stays away from it.
Result<void> check_broker(const PlaneConfig& config, const Credentials& credentials, Env env) {
  auto proven = proof_of(config.broker, credentials, env)();
  if (proven || proven.error().is(reasons::broker_unguarded)) return proven;
  env.log.error("plane", "no agent can be heard yet", {{"problem", proven.error().describe()}});
  return {};
}

}  // namespace

Result<std::unique_ptr<ControlPlane>> ControlPlane::open(PlaneConfig config, Parts parts, Env env) {
  ECP_TRY(auto base, lay_foundation(config, parts, env));
  State::Made made{std::move(base), nullptr, std::move(parts.gateway), {}, {}};
  const auto& credentials = *made.base.credentials;
  ECP_TRY(made.root_pin, credentials.root_pin());
  ECP_TRY(made.trust_roots, credentials.trust_roots());
  if (made.gateway == nullptr) {
    if (config.broker.external) {
      ECP_TRY_VOID(check_broker(config, credentials, env));
    } else {
      ECP_TRY(made.broker, start_broker(config, credentials, *made.base.store, env));
    }
    ECP_TRY(auto cutter,
            open_cutter(config.broker, std::move(parts.emqx_key), *made.base.client, env));
    ECP_TRY(made.gateway,
            open_gateway(config, credentials, made.base.keys->share_group, std::move(cutter), env));
  }
  auto state = std::make_unique<State>(std::move(config), std::move(made), parts, env);
  ECP_TRY_VOID(state->start());
  return std::unique_ptr<ControlPlane>(new ControlPlane(std::move(state)));
}

ControlPlane::ControlPlane(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlPlane::~ControlPlane() { stop(); }
void ControlPlane::stop() noexcept { state_->stop(); }

const PlaneConfig& ControlPlane::config() const noexcept { return state_->config; }
storage::Store& ControlPlane::store() noexcept { return *state_->base.store; }
series::SeriesStore& ControlPlane::series() noexcept { return *state_->base.series; }
const access::PermissionRegistry& ControlPlane::permissions() const noexcept {
  return state_->guards.permissions;
}
rbac::Authorizer& ControlPlane::authorizer() noexcept { return state_->guards.authorizer; }
platform::LiveEvents& ControlPlane::live_events() noexcept { return state_->live; }
platform::Idempotency& ControlPlane::idempotency() noexcept { return state_->idempotency; }
const pki::Authority& ControlPlane::authority() const noexcept {
  return state_->base.keys->authority;
}

audit::AuditRegistry& ControlPlane::audit() noexcept { return state_->people.audit; }
tenancy::OrganizationRegistry& ControlPlane::organizations() noexcept {
  return state_->people.organizations;
}
tenancy::ProjectRegistry& ControlPlane::projects() noexcept { return state_->people.projects; }
identity::UserRegistry& ControlPlane::users() noexcept { return state_->people.users; }
identity::SessionRegistry& ControlPlane::sessions() noexcept { return state_->people.sessions; }
identity::Bootstrap& ControlPlane::bootstrap() noexcept { return state_->people.bootstrap; }
rbac::MembershipRegistry& ControlPlane::members() noexcept { return state_->people.members; }

fleet::EnrollmentTokenRegistry& ControlPlane::enrollment_tokens() noexcept {
  return state_->works.tokens;
}
fleet::Enrollment& ControlPlane::enrollment() noexcept { return state_->works.enrollment; }
fleet::EdgeNodeRegistry& ControlPlane::edge_nodes() noexcept { return state_->works.nodes; }
fleet::EdgeServiceRegistry& ControlPlane::edge_services() noexcept {
  return state_->works.services;
}
fleet::DesiredEngine& ControlPlane::desired() noexcept { return state_->works.desired; }
fleet::FleetEngine& ControlPlane::fleet() noexcept { return state_->works.engine; }

alarm::AlarmRuleRegistry& ControlPlane::alarm_rules() noexcept { return state_->works.rules; }
alarm::AlarmRegistry& ControlPlane::alarms() noexcept { return state_->works.alarms; }
alarm::WebhookRegistry& ControlPlane::webhooks() noexcept { return state_->works.webhooks; }
alarm::Notifier& ControlPlane::notifier() noexcept { return state_->works.notifier; }

Result<http::ServerTls> ControlPlane::server_tls() const {
  return state_->base.credentials->server_tls();
}

void ControlPlane::on_server_tls(std::function<void()> changed) {
  const std::lock_guard lock(state_->mutex);
  state_->tls_changed = std::move(changed);
}

std::string ControlPlane::root_path() const { return state_->base.credentials->root_path(); }
bool ControlPlane::is_listening() const noexcept { return state_->works.gateway.is_listening(); }

std::string ControlPlane::bootstrap_secret_path() const {
  const auto path = bootstrap_path(state_->config);
  return read_file(path, 4 * kibibyte) ? path : std::string();
}

}  // namespace ecp::inline v0::plane
