// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.hpp"

#include <algorithm>
#include <set>

#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/alarm/alarm_rule_registry.hpp>
#include <ecp/core/file.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/pipeline/buffer_store.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/plane/maintenance.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/tenancy/registries.hpp>

#include "support/results.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

constexpr std::string_view counter_tag = "device/fast/counter";
constexpr std::string_view level_tag = "device/fast/level";
constexpr std::string_view setpoint_tag = "device/fast/setpoint";

std::string service_config(std::int64_t interval_ms) {
  return R"({"drivers":[{"name":"device","type":"modbus-tcp","host":"10.0.0.5","groups":[)"
         R"({"name":"fast","interval_ms":)" +
         std::to_string(interval_ms) +
         R"(,"tags":[)"
         R"({"name":"counter","address":"1!400001","type":"int64"},)"
         R"({"name":"level","address":"1!400005","type":"float64"},)"
         R"({"name":"setpoint","address":"1!400009","type":"float64","writable":true,)"
         R"("min":0,"max":100000}]}]}]})";
}

std::unique_ptr<storage::Store> open_file(const std::string& path,
                                          std::span<const storage::StoreModule* const> modules,
                                          const Env& env) {
  storage::SqliteOptions options;
  options.path = path;
  options.writer_thread = false;
  return must(storage::open_sqlite(options, modules, env));
}

std::array<const storage::StoreModule*, 2> agent_modules(const SimParts& parts) {
  const auto* own = parts.agent_module;
  return {&storage::pipeline_module(), own != nullptr ? own : &storage::agent_module()};
}

}  // namespace

SimWorld::SimWorld(std::uint64_t seed, SimParts parts)
    : parts_(std::move(parts)),
      world_(seed),
      chance_(seed * 1'000'003 + 7),
      network_(world_.env()) {
  open_plane();
  set_up_project();
}

SimWorld::~SimWorld() {
  for (auto& site : sites_) site.agent.reset();
  plane_.reset();
}

plane::PlaneConfig SimWorld::config() const {
  plane::PlaneConfig made;
  made.data_folder = folder_.file("plane");
  made.outgoing_threads = 0;
  made.heartbeat = Milliseconds(2'000);
  return made;
}

access::Grant SimWorld::grant() const { return plane_->authorizer().system("test", scope_); }

void SimWorld::open_plane() {
  must(make_private_folder(folder_.file("plane")));
  plane::Parts parts;
  parts.store = open_file(folder_.file("plane/ecpd.db"), plane::store_modules(), world_.env());
  parts.gateway = network_.gateway();
  if (parts_.wrap_series) {
    parts.series = parts_.wrap_series(
        must(series::open_embedded_series(folder_.file("series"), world_.env())));
  }
  plane_ = must(plane::ControlPlane::open(config(), std::move(parts), world_.env()));
}

/// From one task to the next it is gone: nothing more reaches the database.
void SimWorld::kill_plane() {
  if (plane_ == nullptr) return;
  plane_->store().close();
  plane_.reset();
}

void SimWorld::set_up_project() {
  const auto platform = plane_->authorizer().system("test", access::Scope::platform());
  const auto organization = must(plane_->organizations().create(platform, {"Works", ""}));
  scope_.organization = organization.id;
  scope_.project = must(plane_->projects().create(grant(), organization.id, {"Hall", ""})).id;
  fleet::EnrollmentTokenRegistry::NewToken wanted;
  wanted.name = "line";
  wanted.uses = static_cast<std::int64_t>(sites_.size());
  const auto token = must(plane_->enrollment_tokens().create(grant(), wanted));
  for (auto& site : sites_) {
    site.name = "site-" + std::to_string(&site - sites_.data());
    site.database = folder_.file(site.name + ".db");
    const auto csr = must(pki::make_csr(must(pki::make_p256_key()), "any"));
    site.link = must(plane_->enrollment().enroll(token.text.view(), csr, site.name, {})).link;
    fleet::EdgeServiceRegistry::NewService service;
    service.name = site.name;
    service.node = site.link.agent;
    service.kind = "pipeline";
    service.runtime = "builtin";
    service.config_json = service_config(200);
    site.service = must(plane_->edge_services().create(grant(), service)).id;
    alarm::AlarmRuleRegistry::NewRule rule;
    rule.name = site.name;
    rule.condition.service = site.service;
    rule.condition.tag = level_tag;
    rule.condition.threshold = 10;
    must(plane_->alarm_rules().create(grant(), rule));
    boot(site);
  }
}

void SimWorld::boot(SimSite& site) {
  agent::AgentOptions options;
  options.link = site.link;
  options.flush_interval = Milliseconds(500);
  agent::AgentParts parts;
  parts.store = open_file(site.database, agent_modules(parts_), world_.env());
  parts.drivers = std::make_unique<SimDrivers>(site.device, world_.env());
  parts.open_link =
      [this](const link::LinkDocument& document) -> Result<std::unique_ptr<transport::AgentLink>> {
    return network_.link(document.agent, world_.env(), document.reconnect_cap);
  };
  site.agent = must(agent::Agent::open(std::move(options), std::move(parts), world_.env()));
  must(site.agent->start());
}

void SimWorld::reconfigure(SimSite& site) {
  if (plane_ == nullptr) return;
  const auto service = must(plane_->edge_services().get(grant(), site.service));
  fleet::EdgeServiceRegistry::Changes changes;
  changes.config_json = service_config(100 + 50 * static_cast<std::int64_t>(draw(5)));
  must(plane_->edge_services().update(grant(), site.service, service.revision, changes));
}

void SimWorld::ask_write(std::size_t site) {
  if (plane_ == nullptr) return;
  const double value = next_value_++;
  const auto command = must(
      plane_->edge_services().write(grant(), sites_[site].service, setpoint_tag,
                                    std::to_string(static_cast<int>(value)), Milliseconds(20'000)));
  writes_.push_back({command.what.id, site, value});
}

void SimWorld::disturb() {
  const auto place = draw(sites_.size());
  auto& site = sites_[place];
  const auto what = draw(14);
  note(std::to_string(to_ms(world_.clock.now())) + " " + site.name + " " + std::to_string(what));
  site.device->level = static_cast<double>(draw(20));
  if (what == 0) network_.cut(site.link.agent);
  if (what == 1 || what == 2) network_.heal(site.link.agent);
  if (what == 3 && site.agent != nullptr) kill_at_any_moment(site);
  if (what == 4 && plane_ != nullptr) kill_plane_at_any_moment();
  if (what == 5) {
    network_.set_faults({static_cast<unsigned>(draw(100)), static_cast<unsigned>(draw(100)),
                         Milliseconds(static_cast<std::int64_t>(draw(300)))});
  }
  if (what == 6) network_.cut_all();
  if (what == 7 || what == 8) network_.heal_all();
  if (what == 9) reconfigure(site);
  if (what >= 10) ask_write(place);
  pass(static_cast<std::int64_t>(200 + draw(2'500)));
  if (plane_ == nullptr && draw(3) == 0) open_plane();
  for (auto& dead : sites_) {
    if (dead.agent == nullptr && draw(4) == 0) boot(dead);
  }
  watch();
}

/// Between two tasks of the world, not between two of ours.
void SimWorld::kill_at_any_moment(SimSite& site) {
  const auto when = Milliseconds(static_cast<std::int64_t>(draw(150)));
  world_.env().executor.post_after(when, [&site] { site.agent.reset(); });
}

void SimWorld::kill_plane_at_any_moment() {
  const auto when = Milliseconds(static_cast<std::int64_t>(draw(150)));
  world_.env().executor.post_after(when, [this] { kill_plane(); });
}

void SimWorld::pass(std::int64_t ms) {
  world_.executor.run_ready();
  world_.executor.advance(Milliseconds(ms));
  watch();
}

/// What must hold at every moment.
void SimWorld::watch() {
  for (auto& site : sites_) {
    if (site.agent == nullptr) continue;
    const auto applied = site.agent->status().applied;
    if (applied < site.highest)
      seen_faults_.push_back(site.name + ": went back to an old manifest");
    site.highest = std::max(site.highest, applied);
  }
  if (plane_ == nullptr) return;
  for (const auto& node : must(plane_->edge_nodes().list(grant(), {}, {})).items) {
    auto& highest = wanted_[node.id];
    if (node.wanted < highest) seen_faults_.push_back(node.name + ": wants an older manifest");
    highest = std::max(highest, node.wanted);
  }
}

bool SimWorld::is_quiet() {
  for (const auto& site : sites_) {
    const auto status = site.agent->status();
    if (!status.linked || status.buffered != 0) return false;
    if (status.applied != wanted_[site.link.agent]) return false;
  }
  const auto commands = must(plane_->edge_services().list_commands(grant(), {200, 0}));
  return std::none_of(commands.items.begin(), commands.items.end(), [](const auto& command) {
    return command.state == link::CommandState::pending;
  });
}

void SimWorld::calm_down() {
  network_.set_faults({});
  network_.heal_all();
  if (plane_ == nullptr) open_plane();
  for (auto& site : sites_) {
    network_.heal(site.link.agent);
    if (site.agent == nullptr) boot(site);
    site.device->level = 0;
  }
  watch();
  pass(5'000);
  for (auto& site : sites_) site.device->silent = true;
  for (int i = 0; i < 60 && (i < 2 || !is_quiet()); ++i) pass(10'000);
  if (!is_quiet()) seen_faults_.emplace_back("ten minutes after the last fault not all is settled");
}

void SimWorld::stop() {
  for (auto& site : sites_) site.agent->stop();
  world_.executor.run_ready();
}

std::vector<std::string> SimWorld::faults() {
  auto found = seen_faults_;
  for (const auto& site : sites_) check_samples(site, found);
  check_effects(found);
  check_alarms(found);
  for (auto& site : sites_) site.agent.reset();
  plane_->stop();
  plane_.reset();
  const auto report = must(plane::verify_audit(config(), {}, world_.env()));
  if (!report.is_whole()) found.push_back("audit: " + report.summary());
  note(report.summary());
  return found;
}

/// Every sample that was committed to the agent's buffer is stored, and stored once.
void SimWorld::check_samples(const SimSite& site, std::vector<std::string>& found) {
  const auto store = open_file(site.database, agent_modules(parts_), world_.env());
  const auto state = must(store->read([](storage::Transaction& transaction) {
    return transaction.get<pipeline::BufferStore>().load();
  }));
  const series::SeriesKey key{scope_.project.bytes(), site.service.bytes()};
  const auto stored = must(plane_->series().count(key));
  note(site.name + " committed " + std::to_string(state.committed()) + " stored " +
       std::to_string(stored));
  if (stored != state.committed()) {
    found.push_back(site.name + ": " + std::to_string(state.committed()) +
                    " samples were committed and " + std::to_string(stored) + " are stored");
  }
  if (state.dropped != 0) found.push_back(site.name + ": samples were dropped");
  const auto samples = must(plane_->series().samples(
      key, counter_tag, Time{}, world_.clock.now() + Milliseconds(1), 1'000'000));
  std::set<std::int64_t> numbers;
  for (const auto& sample : samples) {
    const auto* const number = std::get_if<std::int64_t>(&sample.value);
    if (number == nullptr || !numbers.insert(*number).second) {
      found.push_back(site.name + ": a sample is stored twice");
    }
  }
  if (samples.empty()) found.push_back(site.name + ": nothing is stored at all");
}

/// No effect ran twice; what is said to be done ran, what was refused or expired did not.
void SimWorld::check_effects(std::vector<std::string>& found) {
  for (const auto& write : writes_) {
    const auto command = must(plane_->edge_services().get_command(grant(), write.command));
    const auto& written = sites_[write.site].device->written;
    const auto entry = written.find(write.value);
    const int times = entry == written.end() ? 0 : entry->second;
    note(std::to_string(write.value) + " " + std::string(to_string(command.state)));
    if (times > 1) found.emplace_back("a write ran twice");
    using State = link::CommandState;
    if (command.state == State::done && times != 1) found.emplace_back("a done write never ran");
    if ((command.state == State::refused || command.state == State::expired) && times != 0) {
      found.emplace_back("a refused or expired write ran");
    }
    if (command.state == State::pending) found.emplace_back("a write never came to an end");
  }
}

/// The level is low at the end, so nothing is active; and what was raised was cleared.
void SimWorld::check_alarms(std::vector<std::string>& found) {
  alarm::AlarmQuery active;
  active.state = alarm::AlarmState::active;
  for (const auto& one : must(plane_->alarms().list(grant(), active, {200, 0})).items) {
    found.push_back("still active: " + one.name + ", " + one.message);
  }
  for (const auto& one : must(plane_->alarms().list(grant(), {}, {200, 0})).items) {
    if (one.source == alarm::sources::threshold && one.cleared_at < one.raised_at) {
      found.push_back("cleared before it was raised: " + one.name);
    }
  }
}

std::pair<std::vector<std::string>, std::string> run_simulation(std::uint64_t seed,
                                                                SimParts parts) {
  constexpr int disturbances = 60;
  SimWorld world(seed, std::move(parts));
  for (int i = 0; i < disturbances; ++i) world.disturb();
  world.calm_down();
  world.stop();
  auto faults = world.faults();
  return {std::move(faults), world.history()};
}

}  // namespace ecp_test
