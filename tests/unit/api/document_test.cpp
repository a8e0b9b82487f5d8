// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/api/router.hpp>
#include <ecp/core/file.hpp>
#include <ecp/server/server.hpp>
#include <ecp/transport/loopback.hpp>

#include <filesystem>
#include <set>
#include <sstream>

#include "support/results.hpp"
#include "support/temporary_folder.hpp"

using namespace ecp;

namespace {

std::string document() {
  return ecp_test::must(read_file(ECP_SOURCE_DIR "/docs/api/openapi.yaml", mebibyte));
}

/// "GET /api/v1/orgs/{org}" for each operation of the document, and the public ones apart.
struct Described {
  std::set<std::string> all;
  std::set<std::string> without_log_in;
};

Described described() {
  Described found;
  std::istringstream lines(document());
  std::string line;
  std::string path;
  std::string operation;
  bool in_paths = false;
  while (std::getline(lines, line)) {
    if (!line.empty() && line.front() != ' ') in_paths = line == "paths:";
    if (!in_paths) continue;
    if (line.starts_with("  /")) path = line.substr(2, line.size() - 3);
    if (line.size() > 5 && line.starts_with("    ") && line[4] != ' ' && line.back() == ':') {
      operation = line.substr(4, line.size() - 5);
      for (char& letter : operation) letter = static_cast<char>(std::toupper(letter));
      operation += " " + path;
      found.all.insert(operation);
    }
    if (line == "      security: []" || line == "      security:") {
      found.without_log_in.insert(operation);
    }
  }
  return found;
}

/// "/orgs/:org" as the document writes it: "/orgs/{org}".
std::string name_of(const api::EndpointRow& row) {
  std::string text(http::to_string(row.method));
  text += ' ';
  bool inside = false;
  for (const char letter : row.path) {
    if (inside && letter == '/') text += '}';
    if (letter == '/') inside = false;
    if (letter == ':') inside = true;
    text += letter == ':' ? '{' : letter;
  }
  return inside ? text + '}' : text;
}

/// The endpoints of a whole control plane, agents over loopback, with a live page.
std::vector<api::EndpointRow> all_endpoints() {
  const testing::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "page/assets");
  for (const char* name : {"page/index.html", "page/assets/live.js", "page/assets/style.css"}) {
    CHECK(write_file_durably(folder / name, "x").has_value());
  }
  MemoryLog log;
  RealEnv world(log, 2);
  transport::LoopbackNetwork network(world.env());
  server::Settings settings;
  settings.plane.data_folder = folder / "data";
  settings.plane.server_names = {"localhost"};
  settings.http_port = 0;
  settings.page_folder = folder / "page";
  plane::Parts parts;
  parts.gateway = network.gateway();
  std::vector<api::EndpointRow> rows;
  {
    const auto server = ecp_test::must(server::Server::open(
        std::move(settings), std::move(parts), world.env(),
        [&](api::Router& router, plane::ControlPlane&) { rows = router.endpoints(); }));
    server->stop();
  }
  world.stop();
  return rows;
}

const std::set<std::string> public_endpoints{
    "GET /",
    "GET /assets/{file}",
    "GET /health",
    "POST /api/v1/bootstrap",
    "POST /api/v1/session",
    "POST /api/v1/session/link",
    "POST /api/v1/session/refresh",
    "POST /agent/v1/enroll",
    "GET /agent/v1/nonce",
    "POST /agent/v1/renew",
    "GET /agent/v1/link",
    "GET /agent/v1/resources/{sha256}",
};

/// Those that any user may call; what he gets depends on what he may see.
const std::set<std::string> endpoints_of_every_user{
    "GET /api/v1/session", "DELETE /api/v1/session",          "PUT /api/v1/session/password",
    "GET /api/v1/orgs",    "GET /api/v1/orgs/{org}/projects",
};

}  // namespace

TEST_SUITE("api.document") {
  TEST_CASE("[R13] every endpoint is in openapi.yaml and everything there is an endpoint") {
    std::set<std::string> served;
    for (const auto& row : all_endpoints()) served.insert(name_of(row));
    const auto written = described().all;
    for (const auto& name : served) {
      CAPTURE(name);
      CHECK_MESSAGE(written.contains(name), "is served and not described: ", name);
    }
    for (const auto& name : written) {
      CAPTURE(name);
      CHECK_MESSAGE(served.contains(name), "is described and not served: ", name);
    }
  }

  TEST_CASE("[R13] the endpoints without a permission of their own are these, by name") {
    std::set<std::string> open;
    std::set<std::string> of_every_user;
    for (const auto& row : all_endpoints()) {
      if (row.is_public) open.insert(name_of(row));
      if (!row.is_public && row.permission == nullptr) of_every_user.insert(name_of(row));
    }
    CHECK(open == public_endpoints);
    CHECK(of_every_user == endpoints_of_every_user);
    CHECK(described().without_log_in == public_endpoints);
  }

  TEST_CASE("every reference of openapi.yaml leads to a component") {
    const auto text = document();
    std::set<std::string> components;
    std::istringstream lines(text.substr(text.find("\ncomponents:")));
    std::string line;
    std::string kind;
    while (std::getline(lines, line)) {
      const bool is_key = line.size() > 4 && line.find(':') != std::string::npos;
      if (is_key && line.starts_with("  ") && line[2] != ' ')
        kind = line.substr(2, line.size() - 3);
      if (is_key && line.starts_with("    ") && line[4] != ' ') {
        components.insert("#/components/" + kind + "/" + line.substr(4, line.find(':') - 4));
      }
    }
    int references = 0;
    for (auto at = text.find("$ref: '"); at != std::string::npos;
         at = text.find("$ref: '", at + 1)) {
      const auto target = text.substr(at + 7, text.find('\'', at + 7) - at - 7);
      CAPTURE(target);
      CHECK(components.contains(target));
      ++references;
    }
    CHECK(references > 100);
  }
}
