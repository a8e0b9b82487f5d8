// SPDX-License-Identifier: Apache-2.0
//
// A swarm of agents that speak the real protocol over mutual TLS, for capacity and roll-out
// figures.
//
//   ecp-swarm URL ROOT_PEM TOKEN_FILE FOLDER FIRST COUNT
//
// Enrolls COUNT agents with one token, connects them and answers heartbeats and manifests. Prints
// "enrolled N" and "connected N"; then takes commands on standard input, one a line: "status"
// prints counters, "reset N" drops N sockets, "quit" ends.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/client.hpp>
#include <ecp/pki/certificate.hpp>

#include "swarm_agent.hpp"

namespace {

namespace link = ecp::link;
constexpr int connects_at_once = 50;  // Handshakes under way; more only queue in the broker.
constexpr int poll_ms = 20;

struct Arguments {
  std::string url, root_pem, token, folder;
  int first = 0;
  int count = 0;
};

/// Enroll one agent and leave its files in `folder`.
ecp::Result<link::LinkDocument> enroll(ecp::http::Client& client, const Arguments& arguments,
                                       const std::string& folder, const std::string& name) {
  ECP_TRY(const auto key, ecp::pki::make_p256_key());
  ECP_TRY(const auto csr, ecp::pki::make_csr(key, "swarm"));
  ecp::json::Writer body;
  body.begin_object().field("token", arguments.token).field("csr", csr).field("name", name);
  body.end_object();
  ecp::http::ClientRequest request;
  request.method = ecp::http::Method::post;
  request.url = arguments.url + "/agent/v1/enroll";
  request.headers.add("Content-Type", "application/json");
  request.body = body.take();
  request.addresses.private_networks = true;
  request.trust.ca_pem = arguments.root_pem;
  ECP_TRY(const auto response, client.call(request));
  if (response.status != 200 && response.status != 201) {
    return ecp::Error(ecp::reasons::unavailable, {{"what", "enrollment"}}, response.body);
  }
  ECP_TRY(auto document, ecp::json::ObjectDocument::parse(response.body));
  ECP_TRY(const auto chain, document.reader().raw_text("certificate_chain_pem", 65536));
  ECP_TRY(const auto part, document.reader().value("link"));
  ECP_TRY(auto answer, link::parse_link_document(part.to_text()));
  ::mkdir(folder.c_str(), 0700);
  std::ofstream(folder + "/key.pem") << key.view();
  std::ofstream(folder + "/certificate.pem") << chain;
  std::ofstream(folder + "/roots.pem") << answer.trust_roots_pem;
  return answer;
}

std::int64_t now_ms() { return ecp::to_ms(ecp::system_clock().now()); }

class Swarm {
 public:
  explicit Swarm(const Arguments& arguments) : arguments_(arguments), poll_(epoll_create1(0)) {}

  bool enroll_all(ecp::http::Client& client) {
    for (int i = 0; i < arguments_.count; ++i) {
      const auto name = "sim-" + std::to_string(arguments_.first + i);
      const auto folder = arguments_.folder + "/" + name;
      auto document = enroll(client, arguments_, folder, name);
      if (!document) {
        std::cerr << document.error().describe() << '\n';
        return false;
      }
      agents_.push_back(std::make_unique<swarm::Agent>(*document, folder, totals_));
    }
    return true;
  }

  void run() {
    std::size_t begun = 0;
    bool told = false;
    while (!quit_) {
      while (begun < agents_.size() && begun < totals_.connected + connects_at_once) open(begun++);
      turn();
      if (!told && totals_.connected == agents_.size()) {
        std::cout << "connected " << totals_.connected << std::endl;
        told = true;
      }
      obey();
    }
  }

 private:
  void open(std::size_t index) {
    auto& agent = *agents_[index];
    if (!agent.connect()) return;
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.u64 = index;
    epoll_ctl(poll_, EPOLL_CTL_ADD, agent.descriptor(), &event);
  }

  /// One round over what is ready; once in a while over everybody, for heartbeats and reconnects.
  void turn() {
    epoll_event events[512];
    const int ready = epoll_wait(poll_, events, 512, poll_ms);
    const auto now = now_ms();
    for (int i = 0; i < ready; ++i) {
      auto& agent = *agents_[events[i].data.u64];
      const int before = agent.descriptor();
      // Edge-triggered: read until the session has nothing more.
      for (int round = 0; round < 8; ++round) agent.work(true, true, now);
      if (agent.descriptor() != before) lost_.push_back(events[i].data.u64);
    }
    if (now < next_sweep_ms_) return;
    next_sweep_ms_ = now + 100;
    for (auto& agent : agents_) {
      if (agent->is_up()) agent->work(false, agent->wants_write(), now);
    }
    std::vector<std::uint64_t> again;
    again.swap(lost_);
    for (const auto index : again) {
      if (!agents_[index]->is_up()) open(index);
    }
  }

  void obey() {
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 0) <= 0) return;
    std::string word;
    if (!(std::cin >> word) || word == "quit") {
      quit_ = true;
    } else if (word == "reset") {
      std::size_t count = 0;
      std::cin >> count;
      for (std::size_t i = 0; i < count && i < agents_.size(); ++i) agents_[i]->reset();
      std::cout << "reset " << count << std::endl;
    } else {
      std::cout << "connected=" << totals_.connected << " sessions=" << totals_.sessions
                << " refused=" << totals_.refused << " manifests=" << totals_.manifests
                << " bad=" << totals_.bad_manifests << " acknowledged=" << totals_.acknowledged
                << " generation=" << totals_.newest_generation << std::endl;
    }
  }

  const Arguments& arguments_;
  int poll_;
  std::vector<std::unique_ptr<swarm::Agent>> agents_;
  swarm::Totals totals_;
  std::vector<std::uint64_t> lost_;
  std::int64_t next_sweep_ms_ = 0;
  bool quit_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::cerr << "usage: ecp-swarm URL ROOT_PEM TOKEN_FILE FOLDER FIRST COUNT\n";
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const auto root = ecp::read_file(argv[2], 65536);
  const auto token = ecp::read_secret_file(argv[3], 4096);
  if (!root || !token) {
    std::cerr << (root ? token.error() : root.error()).describe() << '\n';
    return 1;
  }
  Arguments arguments{
      argv[1], *root, std::string(token->view()), argv[4], std::atoi(argv[5]), std::atoi(argv[6])};
  mosquitto_lib_init();
  ecp::StreamLog log(STDERR_FILENO, ecp::LogLevel::warning, ecp::system_clock());
  ecp::RealEnv world(log, 1);
  auto client = ecp::http::open_client(world.env());
  if (!client) return 1;
  Swarm swarm(arguments);
  if (!swarm.enroll_all(**client)) return 1;
  std::cout << "enrolled " << arguments.count << std::endl;
  swarm.run();
  return 0;
}
