// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/broker/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <sstream>
#include <utility>

#include <ecp/core/file.hpp>
#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::transport::broker {

namespace {

constexpr std::size_t proc_file = 4'096;
constexpr int start_time_field = 22;  // Of /proc/<pid>/stat, counted from 1.
constexpr int grace_ms = 5'000;

Error failed(std::string problem) {
  return {reasons::broker_failed, {{"problem", std::move(problem)}}};
}

/// Boot id and start time; empty when there is no such process.
std::string start_of(int pid) {
  const auto stat = read_file("/proc/" + std::to_string(pid) + "/stat", proc_file);
  const auto boot = read_file("/proc/sys/kernel/random/boot_id", proc_file);
  if (!stat || !boot) return {};
  // The program's name stands in parentheses and may hold anything; count after its end.
  const auto end = stat->rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(stat->substr(end + 1));
  std::string field;
  for (int i = 3; i <= start_time_field; ++i) fields >> field;
  return boot->substr(0, boot->find('\n')) + "/" + field;
}

int open_pidfd(int pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

/// Attributes and file actions of one spawn.
struct SpawnSetup {
  SpawnSetup() {
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_init(&actions);
  }
  ~SpawnSetup() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  posix_spawnattr_t attributes{};
  posix_spawn_file_actions_t actions{};
};

int prepare(SpawnSetup& setup, const std::string& output_path) {
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  int code = posix_spawnattr_setsigmask(&setup.attributes, &none);
  if (code == 0) code = posix_spawnattr_setsigdefault(&setup.attributes, &all);
  if (code == 0) code = posix_spawnattr_setpgroup(&setup.attributes, 0);
  if (code == 0) {
    code = posix_spawnattr_setflags(
        &setup.attributes,
        static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP));
  }
  if (code == 0) {
    code = posix_spawn_file_actions_addopen(&setup.actions, 0, "/dev/null", O_RDONLY, 0);
  }
  if (code == 0) {
    code = posix_spawn_file_actions_addopen(&setup.actions, 1, output_path.c_str(),
                                            O_WRONLY | O_CREAT | O_APPEND, 0600);
  }
  if (code == 0) code = posix_spawn_file_actions_adddup2(&setup.actions, 1, 2);
  if (code == 0) code = posix_spawn_file_actions_addclosefrom_np(&setup.actions, 3);
  return code;
}

/// Raise the limit of open files as far as its hard limit lets us. Done from outside, before the
/// program has read its configuration: posix_spawn has no step for it.
void raise_descriptors(int pid, std::uint64_t wanted) {
  rlimit limit{};
  if (::prlimit(pid, RLIMIT_NOFILE, nullptr, &limit) != 0) return;
  if (limit.rlim_cur >= wanted) return;
  rlimit raised{wanted, std::max<rlim_t>(limit.rlim_max, wanted)};
  if (::prlimit(pid, RLIMIT_NOFILE, &raised, nullptr) == 0) return;
  raised = {std::min<rlim_t>(limit.rlim_max, wanted), limit.rlim_max};
  ::prlimit(pid, RLIMIT_NOFILE, &raised, nullptr);
}

}  // namespace

Result<Process> Process::spawn(const Options& options) {
  SpawnSetup setup;
  int code = prepare(setup, options.output_path);
  std::vector<char*> arguments{const_cast<char*>(options.program.c_str())};
  for (const auto& argument : options.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));
  }
  arguments.push_back(nullptr);
  char* const no_environment[] = {nullptr};
  pid_t pid = 0;
  if (code == 0) {
    code = ::posix_spawn(&pid, options.program.c_str(), &setup.actions, &setup.attributes,
                         arguments.data(), no_environment);
  }
  if (code != 0) return failed(options.program + ": " + std::strerror(code));
  raise_descriptors(pid, options.descriptors);
  const int descriptor = open_pidfd(pid);
  if (descriptor < 0) {
    const std::string problem = std::strerror(errno);
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    return failed("pidfd_open: " + problem);
  }
  return Process({pid, start_of(pid)}, descriptor, true);
}

std::optional<Process> Process::adopt(const ProcessIdentity& identity) {
  if (identity.pid <= 1) return std::nullopt;
  const int descriptor = open_pidfd(identity.pid);
  if (descriptor < 0) return std::nullopt;
  // Compared while the descriptor is held, so that the number cannot change hands in between.
  Process process(identity, descriptor, false);
  if (identity.started.empty() || start_of(identity.pid) != identity.started ||
      process.has_ended(0)) {
    return std::nullopt;
  }
  return process;
}

Process::~Process() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Process::Process(Process&& other) noexcept
    : identity_(std::move(other.identity_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      is_child_(other.is_child_) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(identity_, other.identity_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(is_child_, other.is_child_);
  return *this;
}

bool Process::has_ended(int wait_ms) const {
  pollfd descriptor{descriptor_, POLLIN, 0};
  if (::poll(&descriptor, 1, wait_ms) <= 0) return false;
  if (is_child_) {
    siginfo_t ignored{};
    ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(descriptor_), &ignored,
             WEXITED | WNOHANG);
  }
  return true;
}

void Process::signal(int number) const {
  ::syscall(SYS_pidfd_send_signal, descriptor_, number, nullptr, 0);
}

void Process::end() const {
  signal(SIGTERM);
  if (has_ended(grace_ms)) return;
  signal(SIGKILL);
  (void)has_ended(grace_ms);  // A process that survives SIGKILL hangs in the kernel; go on.
}

}  // namespace ecp::inline v0::transport::broker
