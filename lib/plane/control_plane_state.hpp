// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The parts of a control plane, in the order in which they are made.

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include <ecp/alarm/alarm_engine.hpp>
#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/alarm/alarm_rule_registry.hpp>
#include <ecp/alarm/notifier.hpp>
#include <ecp/alarm/webhook_registry.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/audit/audit_registry.hpp>
#include <ecp/audit/sequencer.hpp>
#include <ecp/core/executor.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/fleet_engine.hpp>
#include <ecp/identity/bootstrap.hpp>
#include <ecp/identity/password.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/identity/user_registry.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/platform/idempotency.hpp>
#include <ecp/platform/live_events.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/rbac/membership_registry.hpp>
#include <ecp/tenancy/registries.hpp>
#include <ecp/transport/broker.hpp>

#include "plane/credentials.hpp"
#include "plane/fleet_scope.hpp"
#include "plane/folder_lock.hpp"
#include "plane/heard_gateway.hpp"
#include "plane/keys.hpp"
#include "plane/recurring.hpp"
#include "plane/replica_hints.hpp"

namespace ecp::inline v0::plane {

/// What stands below everything: store, keys, certificates, series, outgoing HTTP.
struct Foundation {
  FolderLock lock;
  platform::Sealing sealing;
  std::unique_ptr<storage::Store> store;
  std::unique_ptr<Keys> keys;
  std::unique_ptr<Credentials> credentials;
  std::unique_ptr<series::SeriesStore> series;
  std::unique_ptr<http::Client> client;
};
[[nodiscard]] Result<Foundation> lay_foundation(const PlaneConfig& config, Parts& parts, Env env);

/// File with the secret for the first administrator.
[[nodiscard]] std::string bootstrap_path(const PlaneConfig& config);
/// File beside the database to which each audit checkpoint is appended.
[[nodiscard]] std::string checkpoint_path(const PlaneConfig& config);

/// The proof of rights, and the record of refusals.
struct Guards {
  Guards(Foundation& base, const std::vector<const access::Permission*>& extra, Env env);

  access::PermissionRegistry permissions;
  audit::DenialLog denials;
  rbac::Authorizer authorizer;
};

/// Organizations, projects, users and what they may do.
struct People {
  People(Foundation& base, const PlaneConfig& config, rbac::MembershipBook& roles,
         const std::vector<tenancy::ScopeObserver*>& observers, Env env);

  audit::AuditRegistry audit;
  audit::Sequencer sequencer;
  identity::PasswordHasher hasher;
  tenancy::OrganizationRegistry organizations;
  tenancy::ProjectRegistry projects;
  identity::UserRegistry users;
  identity::SessionRegistry sessions;
  identity::Bootstrap bootstrap;
  rbac::MembershipRegistry members;
};

/// Edge nodes, their services, and alarms.
struct Works {
  struct Below {
    Foundation& base;
    rbac::Authorizer& authorizer;
    alarm::AlarmEngine& alarm_engine;
    platform::LiveEvents& live;
    const kind::KindRegistry& kinds;
    const kind::RuntimeRegistry& runtimes;
  };
  Works(const Below& below, const PlaneConfig& config,
        std::unique_ptr<transport::AgentGateway> inner, std::string root_pin,
        fleet::EnrollmentOptions enrollment_options, Env env);

  std::unique_ptr<WorkerPool> outgoing;       ///< None: the env's workers call webhooks, too.
  std::unique_ptr<Workers> guarded_outgoing;  ///< The same, as the webhooks use it.

  HeardGateway gateway;
  fleet::EdgeServiceSource service_source;
  alarm::AlarmRuleSource rule_source;
  fleet::DesiredEngine desired;
  fleet::CommandEngine commands;
  fleet::FleetEngine engine;
  fleet::EdgeNodeRegistry nodes;
  fleet::EdgeServiceRegistry services;
  fleet::EnrollmentTokenRegistry tokens;
  fleet::Enrollment enrollment;
  alarm::AlarmRuleRegistry rules;
  alarm::AlarmRegistry alarms;
  alarm::WebhookRegistry webhooks;
  alarm::Notifier notifier;
};

/// All of it. Destruction is the reverse.
struct ControlPlane::State {
  /// What was made before the state is.
  struct Made {
    Foundation base;
    std::unique_ptr<transport::SupervisedBroker> broker;  ///< None when somebody else runs it.
    std::unique_ptr<transport::AgentGateway> gateway;
    std::string root_pin;
    std::string trust_roots;
  };
  State(PlaneConfig config, Made made, const Parts& parts, Env env);

  Result<void> start();
  void stop() noexcept;
  /// Keep certificates fresh.
  void renew();
  /// Forget what has expired.
  void sweep();
  /// Clear alarms that only time clears, and record what was counted meanwhile.
  void settle();
  [[nodiscard]] fleet::EnrollmentOptions enrollment_options(std::string trust_roots);

  PlaneConfig config;
  Env env;
  Foundation base;
  std::unique_ptr<transport::SupervisedBroker> broker;
  Guards guards;
  platform::LiveEvents live;
  platform::Idempotency idempotency;
  alarm::AlarmEngine alarm_engine;
  FleetScope fleet_scope;
  rbac::MembershipBook roles;
  kind::KindRegistry kinds;
  kind::RuntimeRegistry runtimes;
  People people;
  Works works;
  std::unique_ptr<ReplicaHints> hints;  ///< None where no other replica can be.
  Recurring renewing;
  Recurring sweeping;
  Recurring settling;
  bool stopped = false;
  std::mutex mutex;
  std::function<void()> tls_changed;
};

}  // namespace ecp::inline v0::plane
