// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A real server on a free port of loopback, and what its handler saw.

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <ecp/core/env.hpp>
#include <ecp/http/server.hpp>

#include "support/raw_socket.hpp"

namespace ecp::testing {

/// Answers "<method> <path> <query> <body>".
inline http::Response echo(const http::Request& request) {
  http::Response response;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::string(http::to_string(request.method)) + " " + request.path + " " +
                  request.query + " " + request.body;
  return response;
}

class RunningServer {
 public:
  explicit RunningServer(http::Handler handler = echo, http::ServerOptions options = {},
                         const Limits& limits = default_limits)
      : world_(log, 2, limits) {
    auto opened = http::open_server(
        std::move(options),
        [this, handler](http::Request request) {
          ++handled;
          return handler(std::move(request));
        },
        world_.env());
    if (opened) {
      server = std::move(*opened);
    } else {
      problem = opened.error().describe();
    }
  }
  ~RunningServer() {
    server.reset();
    world_.stop();
  }

  /// Send octets, then read all until the server closes.
  [[nodiscard]] std::string exchange(std::string_view octets) const {
    RawSocket socket(server->port());
    socket.send(octets);
    return socket.read_all();
  }
  [[nodiscard]] Env env() { return world_.env(); }

  MemoryLog log;
  std::atomic<int> handled{0};
  std::string problem;

 private:
  RealEnv world_;

 public:
  std::unique_ptr<http::Server> server;
};

/// How often `part` stands in `text`.
inline int count(std::string_view text, std::string_view part) {
  int found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

inline int status_of(std::string_view answer) {
  return answer.size() > 12 ? std::atoi(std::string(answer.substr(9, 3)).c_str()) : 0;
}

}  // namespace ecp::testing
