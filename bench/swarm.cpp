// SPDX-License-Identifier: Apache-2.0
//
// A swarm of agents that speak the real protocol over mutual TLS, for capacity and roll-out
// figures.
//
//   ecp-swarm URL ROOT_PEM TOKEN_FILE FOLDER FIRST COUNT [OPTION VALUE]...
//
// Enrolls COUNT agents with one token, connects them and answers heartbeats and manifests. Prints
// "enrolled N" and "connected N"; then takes commands on standard input, one a line: "status"
// prints counters, "reset N" drops N sockets, "probe" makes every agent report
// until it is acknowledged, "blast N" makes every agent tell its state N times, "quit" ends.
//
// Options: --plain PORT connects without TLS to a listener that takes a name for a proof, for the
// cost of ingest alone; --retry MS waits so long after a lost or failed connection, all agents at
// once, instead of the product's jittered and growing time; --patience S gives a connection so long
// instead of the product's 10 s; --tags N collects N tags once a second, in batches of ten seconds,
// from when the agent gets an edge service.

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/client.hpp>
#include <ecp/pki/certificate.hpp>

#include "session_loop.hpp"
#include "swarm_agent.hpp"
#include "transport/backoff.hpp"

namespace {

namespace link = ecp::link;

struct Arguments {
  std::string url, root_pem, token, folder;
  int first = 0;
  int count = 0;
  swarm::Manner manner;
  int retry_ms = -1;  ///< -1: the product's own.
  int patience_s = swarm::SessionLoop::product_patience_ms / 1'000;
};

/// False when an option is not known or has no value.
bool take_options(int argc, char** argv, Arguments& arguments) {
  for (int i = 7; i < argc; i += 2) {
    const std::string name = argv[i];
    int* place = name == "--plain"      ? &arguments.manner.plain_port
                 : name == "--retry"    ? &arguments.retry_ms
                 : name == "--patience" ? &arguments.patience_s
                 : name == "--tags"     ? &arguments.manner.tags
                                        : nullptr;
    if (place == nullptr || i + 1 == argc) return false;
    *place = std::atoi(argv[i + 1]);
  }
  return true;
}

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

using Agents = std::vector<swarm::Agent*>;

/// Do what a line says and answer it; false ends the swarm.
bool obey(const std::string& line, const Agents& agents, const swarm::Totals& totals) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  if (word == "quit") return false;
  if (word == "reset") {
    std::size_t count = 0;
    words >> count;
    for (std::size_t i = 0; i < count && i < agents.size(); ++i) agents[i]->reset();
    std::cout << "reset " << count << std::endl;
  } else if (word == "probe") {
    for (auto* agent : agents) agent->probe();
    std::cout << "probing " << agents.size() << std::endl;
  } else if (word == "blast") {
    int count = 0;
    words >> count;
    for (auto* agent : agents) agent->blast(count);
    std::cout << "blasted " << count << std::endl;
  } else {
    std::cout << "connected=" << totals.connected << " sessions=" << totals.sessions
              << " refused=" << totals.refused << " manifests=" << totals.manifests
              << " bad=" << totals.bad_manifests << " acknowledged=" << totals.acknowledged
              << " generation=" << totals.newest_generation
              << " manifest_octets=" << totals.manifest_octets
              << " report_octets=" << totals.report_octets
              << " state_octets=" << totals.state_octets << " ack_octets=" << totals.ack_octets
              << " connections=" << totals.connections << " blasted=" << totals.blasted
              << " collecting=" << totals.collecting << " samples_made=" << totals.samples_made
              << " samples_stored=" << totals.samples_stored << std::endl;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  if (argc < 7 || !take_options(argc, argv, arguments)) {
    std::cerr << "usage: ecp-swarm URL ROOT_PEM TOKEN_FILE FOLDER FIRST COUNT [--plain PORT] "
                 "[--retry MS] [--patience S] [--tags N]\n";
    return 2;
  }
  swarm::raise_descriptor_limit();
  const auto root = ecp::read_file(argv[2], 65536);
  const auto token = ecp::read_secret_file(argv[3], 4096);
  if (!root || !token) {
    std::cerr << (root ? token.error() : root.error()).describe() << '\n';
    return 1;
  }
  arguments.url = argv[1];
  arguments.root_pem = *root;
  arguments.token = std::string(token->view());
  arguments.folder = argv[4];
  arguments.first = std::atoi(argv[5]);
  arguments.count = std::atoi(argv[6]);
  mosquitto_lib_init();
  ecp::StreamLog log(STDERR_FILENO, ecp::LogLevel::warning, ecp::system_clock());
  ecp::RealEnv world(log, 1);
  auto client = ecp::http::open_client(world.env());
  if (!client) return 1;
  swarm::Totals totals;
  auto& random = world.env().random;
  std::vector<std::unique_ptr<swarm::Session>> sessions;
  Agents agents;
  ecp::Milliseconds reconnect_cap{0};  // As the plane tells its agents.
  for (int i = 0; i < arguments.count; ++i) {
    const auto name = "sim-" + std::to_string(arguments.first + i);
    const auto folder = arguments.folder + "/" + name;
    auto document = enroll(**client, arguments, folder, name);
    if (!document) {
      std::cerr << document.error().describe() << '\n';
      return 1;
    }
    reconnect_cap = document->reconnect_cap;
    auto agent = std::make_unique<swarm::Agent>(std::move(*document), folder, totals, random,
                                                arguments.manner);
    agents.push_back(agent.get());
    sessions.push_back(std::move(agent));
  }
  std::cout << "enrolled " << arguments.count << std::endl;
  const auto back_off = [&random, reconnect_cap, &arguments](unsigned failures) -> std::int64_t {
    if (arguments.retry_ms >= 0) return arguments.retry_ms;
    return ecp::transport::retry_delay(random, failures, reconnect_cap).count();
  };
  swarm::SessionLoop loop(sessions, totals, back_off, std::int64_t{1'000} * arguments.patience_s);
  loop.run([&](const std::string& line) { return obey(line, agents, totals); });
  return 0;
}
