// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.hpp"

#include <algorithm>
#include <filesystem>

#include <ecp/alarm/alarm_rule_registry.hpp>
#include <ecp/alarm/webhook_registry.hpp>
#include <ecp/core/file.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/tenancy/registries.hpp>

#include "sim/crash_points.hpp"
#include "sim/sim_service.hpp"
#include "support/passing_series.hpp"
#include "support/results.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

constexpr std::string_view receiver_address = "10.0.0.9:80";

std::unique_ptr<storage::Store> open_file(const std::string& path,
                                          std::span<const storage::StoreModule* const> modules,
                                          const Env& env) {
  storage::SqliteOptions options;
  options.path = path;
  options.writer_thread = false;
  options.readers = 1;
  auto opened = storage::open_sqlite(options, modules, env);
  return opened ? std::move(*opened) : nullptr;
}

/// Modules of the product, or the ones that stand in for them.
std::vector<const storage::StoreModule*> modules_of(
    std::span<const storage::StoreModule* const> own, const SimParts& parts) {
  std::vector<const storage::StoreModule*> all(own.begin(), own.end());
  for (auto& module : all) {
    for (const auto* other : parts.modules) {
      if (other->name == module->name) module = other;
    }
  }
  return all;
}

/// Carries notices to the receiver.
class SimClient final : public http::Client {
 public:
  explicit SimClient(std::shared_ptr<SimReceiver> receiver) : receiver_(std::move(receiver)) {}
  Result<http::ClientResponse> call(const http::ClientRequest& request) override {
    if (receiver_->is_down) return http::ClientResponse{503, {}, {}};
    ++receiver_->notices[std::string(request.headers.find("X-ECP-Notification-Id").value_or(""))];
    return http::ClientResponse{200, {}, {}};
  }

 private:
  std::shared_ptr<SimReceiver> receiver_;
};

}  // namespace

SimWorld::SimWorld(std::uint64_t seed, SimParts parts)
    : parts_(std::move(parts)),
      plane_modules_(modules_of(plane::store_modules(), parts_)),
      agent_modules_(
          modules_of(std::array{&storage::pipeline_module(), &storage::agent_module()}, parts_)),
      world_(seed),
      chance_(seed * 1'000'003 + 7),
      version_chance_(seed * 1'000'033 + 11),
      network_(world_.env()),
      plane_folder_(folder_.file("plane")) {
  on_crash_point([this](const char* point) { interrupt(point); });
  transport::LoopbackFaults faults;
  faults.overtake = one_in(2);
  network_.set_faults(faults);
  constexpr std::array kinds{SimRestore::agent, SimRestore::clone, SimRestore::database};
  if (one_in(2)) restore_ = kinds[draw(kinds.size())];
  restore_ = parts_.restore.value_or(restore_);
  draw_versions();
  must(make_private_folder(plane_folder_));
  replicas_.resize(1 + draw(2));
  for (auto& replica : replicas_) {
    replica.folder = plane_folder_ + "/replica-" + std::to_string(&replica - replicas_.data());
    replica.process = std::make_unique<SimProcess>(world_);
    open_plane(replica);
  }
  constexpr std::array names{"no restore", "an agent put back", "an agent cloned",
                             "the database put back"};
  constexpr std::array agents{"", ", some agents newer", ", some agents older"};
  constexpr std::array planes{"", ", some replicas newer", ", some replicas older"};
  note(std::to_string(replicas_.size()) + " replicas, " + (faults.overtake ? "" : "no ") +
       "overtaking, " + names[static_cast<std::size_t>(restore_)] +
       agents[static_cast<std::size_t>(other_agents_)] +
       planes[static_cast<std::size_t>(other_planes_)]);
  set_up();
}

SimWorld::~SimWorld() {
  on_crash_point({});
  for (auto& site : sites_) {
    kill_clone(site);
    kill(site);
  }
  kill_planes();
}

/// One run in four has programs of two versions. What an older one does not know protects disks
/// that are put back, so that there the other one is newer.
void SimWorld::draw_versions() {
  if (version_chance_.below(4) != 0) return;
  const bool is_older = version_chance_.below(2) == 0 && restore_ == SimRestore::none;
  const auto other = is_older ? SimVersion::older : SimVersion::newer;
  const auto who = version_chance_.below(3);
  if (who != 1) other_agents_ = other;
  if (who != 0) other_planes_ = other;
}

/// A program is renewed, or the renewal undone, while it does not run.
SimVersion SimWorld::version_of_start(SimVersion other) {
  if (other == SimVersion::same || version_chance_.below(2) == 0) return SimVersion::same;
  ++met_[other == SimVersion::newer ? "a program of a newer version is started"
                                    : "a program of an older version is started"];
  return other;
}

plane::PlaneConfig SimWorld::config(const SimReplica& replica) const {
  plane::PlaneConfig made;
  made.data_folder = replica.folder;
  made.store_url = "sqlite:" + database();
  made.has_replicas = replicas_.size() > 1;
  made.outgoing_threads = 0;
  made.heartbeat = Milliseconds(2'000);
  made.webhook_allowed = {std::string(receiver_address)};
  return made;
}

/// On a full disk it does not start; whoever watches it tries again.
void SimWorld::open_plane(SimReplica& replica) {
  const auto env = replica.process->env();
  plane::Parts parts;
  parts.master_key = Secret(std::string(64, 'a'));
  parts.store = open_file(database(), plane_modules_, env);
  if (parts.store == nullptr) return;
  if (series_ == nullptr) {
    auto opened = series::open_embedded_series(plane_folder_ + "/series", world_.env());
    if (!opened) return;
    series_ = parts_.wrap_series ? parts_.wrap_series(std::move(*opened)) : std::move(*opened);
  }
  parts.series = std::make_unique<PassingSeries>(series_);
  parts.client = std::make_unique<SimClient>(receiver_);
  parts.gateway = of_version(version_of_start(other_planes_), network_.gateway({}, env));
  auto opened = plane::ControlPlane::open(config(replica), std::move(parts), env);
  if (opened) replica.plane = std::move(*opened);
}

/// From one task to the next it is gone: nothing more reaches the database.
void SimWorld::kill_plane(SimReplica& replica) {
  replica.process->die();
  if (replica.plane == nullptr) return;
  replica.plane->store().close();
  replica.plane.reset();
  replica.process->die();
  const bool is_last = std::all_of(replicas_.begin(), replicas_.end(),
                                   [](const auto& each) { return each.plane == nullptr; });
  if (is_last) series_.reset();
}

void SimWorld::kill_planes() {
  for (auto& replica : replicas_) kill_plane(replica);
}

plane::ControlPlane* SimWorld::plane() {
  for (auto& replica : replicas_) {
    if (replica.plane != nullptr && !replica.process->is_frozen()) return replica.plane.get();
  }
  return nullptr;
}

/// Two tenants: the last site is the second one's.
void SimWorld::set_up() {
  auto& plane = *replicas_.front().plane;
  const auto platform = [&] {
    return plane.authorizer().system("test", access::Scope::platform());
  };
  for (const auto* name : {"Works", "Rival"}) {
    access::Scope scope;
    scope.organization = must(plane.organizations().create(platform(), {name, ""})).id;
    const auto grant = [&] { return plane.authorizer().system("test", scope); };
    scope.project = must(plane.projects().create(grant(), scope.organization, {"Hall", ""})).id;
    must(plane.webhooks().create(
        grant(), {"receiver", "http://" + std::string(receiver_address) + "/notices",
                  Secret("a-secret-of-the-receiver")}));
    fleet::EnrollmentTokenRegistry::NewToken wanted;
    wanted.name = "line";
    wanted.uses = static_cast<std::int64_t>(sites_.size());
    const auto token = must(plane.enrollment_tokens().create(grant(), wanted));
    for (auto& site : sites_) {
      const bool is_rivals = &site == &sites_.back();
      if (is_rivals != (name == std::string_view("Rival"))) continue;
      site.scope = scope;
      set_up(site, std::string(token.text.view()));
    }
  }
}

void SimWorld::set_up(SimSite& site, const std::string& token) {
  auto& plane = *replicas_.front().plane;
  const auto grant = [&] { return plane.authorizer().system("test", site.scope); };
  site.name = "site-" + std::to_string(&site - sites_.data());
  site.folder = folder_.file(site.name);
  std::filesystem::create_directory(site.folder);
  std::filesystem::create_directory(site.folder + "-clone");
  site.process = std::make_unique<SimProcess>(world_);
  site.clone_process = std::make_unique<SimProcess>(world_);
  site.process->set_clock_ahead(Milliseconds(static_cast<std::int64_t>(draw(7'200'000))) -
                                Milliseconds(3'600'000));
  const auto csr = must(pki::make_csr(must(pki::make_p256_key()), "any"));
  site.link = must(plane.enrollment().enroll(token, csr, site.name, {})).link;
  fleet::EdgeServiceRegistry::NewService service;
  service.name = site.name;
  service.node = site.link.agent;
  service.kind = "pipeline";
  service.runtime = "builtin";
  service.config_json = sim_service_config(200);
  site.service = must(plane.edge_services().create(grant(), service)).id;
  alarm::AlarmRuleRegistry::NewRule rule;
  rule.name = site.name;
  rule.condition.service = site.service;
  rule.condition.tag = sim_level_tag;
  rule.condition.threshold = 10;
  must(plane.alarm_rules().create(grant(), rule));
  boot(site);
}

std::unique_ptr<storage::Store> SimWorld::open_agent_store(const std::string& folder,
                                                           Env env) const {
  return open_file(folder + "/agent.db", agent_modules_, env);
}

void SimWorld::boot(SimSite& site) { site.agent = boot_on(site, *site.process, site.folder); }

/// None when it cannot start, on a full disk.
std::unique_ptr<agent::Agent> SimWorld::boot_on(SimSite& site, SimProcess& process,
                                                const std::string& folder) {
  const auto env = process.env();
  agent::AgentOptions options;
  options.link = site.link;
  options.flush_interval = Milliseconds(500);
  agent::AgentParts parts;
  parts.store = open_agent_store(folder, env);
  if (parts.store == nullptr) return nullptr;
  parts.drivers = std::make_unique<SimDrivers>(site.device, env);
  parts.open_link =
      [this, env, version = version_of_start(other_agents_)](
          const link::LinkDocument& document) -> Result<std::unique_ptr<transport::AgentLink>> {
    return of_version(version, network_.link(document.agent, env, document.reconnect_cap));
  };
  auto opened = agent::Agent::open(std::move(options), std::move(parts), env);
  if (opened && (*opened)->start()) return std::move(*opened);
  process.die();
  return nullptr;
}

void SimWorld::kill(SimSite& site) {
  if (site.process == nullptr) return;
  site.process->die();
  site.agent.reset();
  site.process->die();
}

void SimWorld::kill_clone(SimSite& site) {
  if (site.clone_process == nullptr) return;
  site.clone_process->die();
  site.clone.reset();
  site.clone_process->die();
}

void SimWorld::soon(SimProcess& process, std::function<void()> act) {
  const auto when = Milliseconds(static_cast<std::int64_t>(draw(150)));
  world_.executor.post_after(when, [this, &process, act = std::move(act)] {
    if (process.is_inside()) return soon(process, act);
    act();
  });
}

void SimWorld::pass(std::int64_t ms) {
  world_.executor.run_ready();
  world_.executor.advance(Milliseconds(ms));
  watch();
}

void SimWorld::stop() {
  for (auto& site : sites_) {
    if (site.agent != nullptr) site.agent->stop();
  }
  world_.executor.run_ready();
}

/// The world goes on for a while in the middle of what a replica does.
void SimWorld::interrupt(const char* point) {
  auto* const process = SimProcess::current();
  const auto inside = std::find_if(replicas_.begin(), replicas_.end(), [&](const auto& replica) {
    return replica.process.get() == process;
  });
  if (is_calm_ || inside == replicas_.end() || interruptions_ > 0 || !one_in(60)) return;
  ++met_[std::string("a replica stands still at ") + point];
  ++interruptions_;
  process->interrupt();
  world_.executor.advance(Milliseconds(static_cast<std::int64_t>(draw(4'000))));
  process->go_on();
  --interruptions_;
}

std::string SimWorld::log() const {
  std::string text;
  for (const auto& entry : world_.log.entries()) {
    if (entry.level >= LogLevel::warning) text += entry.text + "\n";
  }
  return text;
}

SimOutcome run_simulation(std::uint64_t seed, SimParts parts) {
  constexpr int disturbances = 60;
  SimWorld world(seed, std::move(parts));
  for (int i = 0; i < disturbances; ++i) world.disturb();
  world.calm_down();
  world.stop();
  auto faults = world.faults();
  return {std::move(faults), world.history(), world.met(), world.log()};
}

}  // namespace ecp_test
