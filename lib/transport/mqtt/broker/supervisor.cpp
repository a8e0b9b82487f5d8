// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include <atomic>
#include <mutex>
#include <optional>
#include <sstream>

#include <ecp/core/file.hpp>
#include <ecp/transport/broker.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/backoff.hpp"
#include "transport/mqtt/broker/config.hpp"
#include "transport/mqtt/broker/log_tail.hpp"
#include "transport/mqtt/broker/process.hpp"
#include "transport/mqtt/deny_set.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr Milliseconds watch_interval{1'000};
constexpr Milliseconds longest_relaunch_wait{8'000};
constexpr std::chrono::seconds start_patience{10};
constexpr int listen_step_ms = 50;
constexpr std::size_t record_size = 1'024;

struct Record {
  broker::ProcessIdentity identity;
  std::string fingerprint;
};

std::optional<Record> read_record(const std::string& path) {
  const auto text = read_file(path, record_size);
  if (!text) return std::nullopt;
  Record record;
  std::istringstream in(*text);
  in >> record.identity.pid >> record.identity.started >> record.fingerprint;
  if (!in) return std::nullopt;
  return record;
}

}  // namespace

/// Shared by the owner and by watch tasks on their way. `operation` is held while the process is
/// started, ended or watched, which may take seconds.
struct SupervisedBroker::State : std::enable_shared_from_this<SupervisedBroker::State> {
  State(BrokerOptions wanted, Env world)
      : options(std::move(wanted)), env(world), log(options.folder + "/mosquitto.log", world.log) {}

  Result<void> begin();
  Result<void> launch();
  Result<void> await_guarded();
  Result<void> save_record();
  void end_process();
  void watch();
  void plan_watch(Milliseconds delay);
  [[nodiscard]] std::string record_path() const { return options.folder + "/broker.process"; }
  [[nodiscard]] std::string config_path() const { return options.folder + "/mosquitto.conf"; }

  const BrokerOptions options;
  const Env env;
  std::mutex operation;
  broker::LogTail log;
  std::string fingerprint;
  std::optional<broker::Process> process;
  unsigned failures = 0;
  std::atomic<bool> stopping = false;
  std::atomic<bool> adopted = false;
  std::atomic<int> pid = 0;
  std::atomic<std::uint64_t> restarts = 0;
  std::atomic<TimerId> timer = TimerId::none;
};

std::string deny_path(const std::string& folder) { return folder + "/denied"; }

Result<void> write_denied(const std::string& path, std::span<const link::AgentId> agents) {
  return write_file_durably(path, deny_set::whole({agents.begin(), agents.end()}));
}

Result<void> SupervisedBroker::State::begin() {
  ECP_TRY(const auto config, broker::make_config(options));
  ECP_TRY(fingerprint, broker::fingerprint(options, config));
  ECP_TRY_VOID(write_file_durably(config_path(), config));
  if (const auto record = read_record(record_path())) {
    process = broker::Process::adopt(record->identity);
    if (process && record->fingerprint == fingerprint) {
      pid = record->identity.pid;
      adopted = true;
      env.log.info("broker", "a running broker is adopted", {{"pid", std::to_string(pid)}});
      if (await_guarded()) return {};
    }
    end_process();
    adopted = false;
  }
  return launch();
}

Result<void> SupervisedBroker::State::launch() {
  ECP_TRY_VOID(broker::check_port(options));
  log.pump();
  log.forget_error();
  broker::Process::Options spawn;
  spawn.program = options.mosquitto_path;
  spawn.arguments = {"-c", config_path()};
  spawn.output_path = options.folder + "/mosquitto.log";
  spawn.descriptors = options.descriptors;
  ECP_TRY(auto started, broker::Process::spawn(spawn));
  process = std::move(started);
  pid = process->identity().pid;
  auto ready = save_record();
  if (ready) ready = await_guarded();
  if (!ready) {
    end_process();
    return ready;
  }
  env.log.info("broker", "the broker runs and its guard is proven",
               {{"pid", std::to_string(pid)}, {"port", std::to_string(options.port)}});
  return {};
}

Result<void> SupervisedBroker::State::save_record() {
  const auto& identity = process->identity();
  return write_file_durably(record_path(), std::to_string(identity.pid) + " " + identity.started +
                                               " " + fingerprint + "\n");
}

Result<void> SupervisedBroker::State::await_guarded() {
  const auto deadline = env.clock.steady() + start_patience;
  while (true) {
    if (process->has_ended(listen_step_ms) || stopping) {
      log.pump();
      const auto& problem = log.last_error();
      return Error(reasons::broker_failed,
                   {{"problem", problem.empty() ? "it ended at once" : problem}});
    }
    auto proven =
        prove_guard({options.probe_host, options.port}, options.canary, options.canary_name, env);
    log.pump();
    if (proven || proven.error().is(reasons::broker_unguarded)) return proven;
    if (env.clock.steady() > deadline) return proven;
  }
}

void SupervisedBroker::State::end_process() {
  if (process) process->end();
  process.reset();
  pid = 0;
  log.pump();
}

void SupervisedBroker::State::plan_watch(Milliseconds delay) {
  if (stopping) return;
  timer = env.executor.post_after(delay, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->env.workers.post([self] { self->watch(); });
  });
}

void SupervisedBroker::State::watch() {
  const std::lock_guard lock(operation);
  if (stopping) return;
  log.pump();
  if (process && !process->has_ended(0)) return plan_watch(watch_interval);
  env.log.error("broker", "the broker has ended; it is started again");
  process.reset();
  pid = 0;
  auto launched = launch();
  if (!launched) {
    env.log.error("broker", "the broker could not be started",
                  {{"problem", launched.error().describe()}});
    return plan_watch(watch_interval + retry_delay(env.random, failures++, longest_relaunch_wait));
  }
  failures = 0;
  ++restarts;
  plan_watch(watch_interval);
}

SupervisedBroker::SupervisedBroker(std::shared_ptr<State> state) : state_(std::move(state)) {}

SupervisedBroker::~SupervisedBroker() {
  state_->stopping = true;
  state_->env.executor.cancel(state_->timer);
  const std::lock_guard lock(state_->operation);
}

Result<std::unique_ptr<SupervisedBroker>> SupervisedBroker::start(BrokerOptions options, Env env) {
  auto state = std::make_shared<State>(std::move(options), env);
  {
    const std::lock_guard lock(state->operation);
    ECP_TRY_VOID(state->begin());
    state->plan_watch(watch_interval);
  }
  return std::unique_ptr<SupervisedBroker>(new SupervisedBroker(std::move(state)));
}

void SupervisedBroker::stop() noexcept {
  state_->stopping = true;
  state_->env.executor.cancel(state_->timer);
  const std::lock_guard lock(state_->operation);
  state_->end_process();
}

Result<void> SupervisedBroker::reload_certificate() {
  const std::lock_guard lock(state_->operation);
  if (!state_->process) return Error(reasons::broker_failed, {{"problem", "it is down"}});
  ECP_TRY(const auto config, broker::make_config(state_->options));
  ECP_TRY(state_->fingerprint, broker::fingerprint(state_->options, config));
  state_->process->signal(SIGHUP);
  return state_->save_record();
}

int SupervisedBroker::pid() const noexcept { return state_->pid; }
std::uint64_t SupervisedBroker::restarts() const noexcept { return state_->restarts; }
bool SupervisedBroker::adopted() const noexcept { return state_->adopted; }

}  // namespace ecp::inline v0::transport
