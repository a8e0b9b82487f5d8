// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/limits.hpp>

#include "unit/http/running_server.hpp"

using namespace ecp;
using ecp::testing::count;
using ecp::testing::RawSocket;
using ecp::testing::RunningServer;
using ecp::testing::status_of;

TEST_SUITE("http.Server limits") {
  TEST_CASE("[R23] a body over its bound is 413, announced or not") {
    RunningServer running;
    const auto announced =
        running.exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n");
    CHECK(status_of(announced) == 413);
    CHECK(announced.find("\"reason\":\"http.body_too_large\"") != std::string::npos);

    const auto huge = running.exchange(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551615\r\n\r\n");
    CHECK(status_of(huge) == 413);

    std::string chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 17; ++i) chunks += "10000\r\n" + std::string(65536, 'x') + "\r\n";
    CHECK(status_of(running.exchange(chunks)) == 413);
    CHECK(running.handled == 0);
  }

  TEST_CASE("a body exactly at its bound passes") {
    RunningServer running;
    const auto answer = running.exchange(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1048576\r\n\r\n" +
        std::string(limits::http_body, 'x'));
    CHECK(status_of(answer) == 200);
  }

  TEST_CASE("[R23] header fields over their bound are 431") {
    RunningServer running;
    const auto one = running.exchange(
        "GET / HTTP/1.1\r\nHost: h\r\nA: " + std::string(40'000, 'x') + "\r\n\r\n");
    CHECK(status_of(one) == 431);
    std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
    for (int i = 0; i < 5000; ++i) many += "A: b\r\n";
    CHECK(status_of(running.exchange(many + "\r\n")) == 431);
    CHECK(running.handled == 0);
  }

  TEST_CASE("[R23] a target over its bound is 414") {
    RunningServer running;
    for (const std::size_t size : {5000U, 60'000U}) {
      const auto answer =
          running.exchange("GET /" + std::string(size, 'x') + " HTTP/1.1\r\nHost: h\r\n\r\n");
      CHECK(status_of(answer) == 414);
    }
    CHECK(running.handled == 0);
  }

  TEST_CASE("[R23] target and header fields are bounded apart, to the octet") {
    RunningServer running;
    const auto ask = [&](std::size_t target, std::size_t fields) {
      std::string text = "GET /" + std::string(target - 1, 'x') + " HTTP/1.1\r\n";
      std::string head = "Host: h\r\nConnection: close\r\n";
      while (fields - head.size() > 2'000) head += "A: " + std::string(995, 'a') + "\r\n";
      head += "B: " + std::string(fields - head.size() - 7, 'b') + "\r\n\r\n";
      return status_of(running.exchange(text + head));
    };
    CHECK(ask(limits::http_target, limits::http_header) == 200);
    CHECK(ask(limits::http_target + 1, 100) == 414);
    CHECK(ask(1, limits::http_header + 1) == 431);
    CHECK(ask(limits::http_target, limits::http_header + 1) == 431);
    CHECK(running.handled == 1);
  }

  TEST_CASE("[R23] a request that does not arrive in time is 408, an idle connection is closed") {
    http::ServerOptions options;
    options.read_timeout = Milliseconds{60};
    RunningServer running(testing::echo, std::move(options));
    CHECK(status_of(running.exchange("GET / HTTP/1.1\r\nHo")) == 408);
    CHECK(status_of(running.exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nx")) ==
          408);
    CHECK(running.exchange("").empty());
    CHECK(running.handled == 0);
  }

  TEST_CASE("[R23] a peer that trickles its request gains no time by each octet") {
    http::ServerOptions options;
    options.read_timeout = Milliseconds{60};
    RunningServer running(testing::echo, std::move(options));
    RawSocket socket(running.server->port());
    std::string answer;
    for (int i = 0; i < 1000 && answer.empty(); ++i) {
      socket.send("x");
      answer = socket.read_until("\r\n\r\n", 5);
    }
    CHECK(status_of(answer) == 408);
  }

  TEST_CASE("[R23] a peer that does not take its answer is cut") {
    http::ServerOptions options;
    options.write_timeout = Milliseconds{60};
    RunningServer running(
        [](const http::Request&) {
          http::Response response;
          response.body.assign(64 * mebibyte, 'x');
          return response;
        },
        std::move(options));
    RawSocket socket(running.server->port());
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    socket.read_until("HTTP/1.1 200");
    while (socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")) {
      std::this_thread::yield();
    }
    CHECK(running.handled == 1);
  }

  TEST_CASE("[R23] connections over their bound are refused and come back when one is free") {
    Limits limits;
    limits.http_connections = 2;
    RunningServer running(testing::echo, {}, limits);
    auto first = std::make_unique<RawSocket>(running.server->port());
    RawSocket second(running.server->port());
    for (auto* socket : {first.get(), &second}) {
      socket->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
      CHECK(status_of(socket->read_until("GET /  ")) == 200);
    }
    CHECK(running.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").empty());
    first.reset();
    std::string answer;
    while (answer.empty()) {
      answer = running.exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    }
    CHECK(status_of(answer) == 200);
  }

  TEST_CASE("[R23] garbage is answered by 400 and the connection closed") {
    RunningServer running;
    for (const std::string& garbage :
         {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15),
          std::string("hello\r\n\r\n"), std::string("GET / HTTP/9.9\r\nHost: h\r\n\r\n"),
          std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost h\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), std::string("GET / HTTP/1.1\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
          std::string("GET / HTTP/1.1\r\nHost: h\r\nA: b\0c\r\n\r\n", 36),
          std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"),
          std::string("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1x\r\n\r\n")}) {
      CAPTURE(garbage);
      CHECK(status_of(running.exchange(garbage)) == 400);
    }
    CHECK(running.handled == 0);
  }

  TEST_CASE("[R23] bodies whose length is not clear cannot smuggle a second request") {
    RunningServer running;
    const std::string inner = "GET /inner HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    for (const char* fields :
         {"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "Transfer-Encoding: gzip\r\n",
          "Transfer-Encoding: chunked, gzip\r\n", "Content-Length: 0\r\nContent-Length: 60\r\n"}) {
      CAPTURE(fields);
      const auto answer = running.exchange("POST / HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
                                           "\r\n0\r\n\r\n" + inner);
      CHECK(status_of(answer) == 400);
      CHECK(count(answer, "HTTP/1.1 ") == 1);
    }
    CHECK(running.handled == 0);
  }

  TEST_CASE("paths that are not normal are refused before any handler") {
    RunningServer running;
    for (const char* path :
         {"/../etc", "/a/../b", "/%2e%2e/b", "/a/./b", "//a", "/a//b", "/a%00b", "/a%0ab", "/%",
          "/%zz", "/a%2f%2fb", "/a\\b", "/a%5cb", "/%ff", "*", "http://h/a", "/%c0%ae"}) {
      CAPTURE(path);
      const auto answer =
          running.exchange("GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n");
      CHECK(status_of(answer) == 400);
    }
    CHECK(running.handled == 0);
  }

  TEST_CASE("methods that we do not know are 501") {
    RunningServer running;
    for (const char* method : {"TRACE", "CONNECT", "PROPFIND", "BREW"}) {
      CAPTURE(method);
      const auto answer = running.exchange(std::string(method) + " / HTTP/1.1\r\nHost: h\r\n\r\n");
      CHECK(status_of(answer) == 501);
    }
  }

  TEST_CASE("a refusal carries the security fields and is not lost behind unread input") {
    RunningServer running;
    const auto answer =
        running.exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" +
                         std::string(3'000'000, 'x'));
    CHECK(status_of(answer) == 413);
    CHECK(answer.find("X-Content-Type-Options: nosniff") != std::string::npos);
    CHECK(answer.ends_with("}}"));
  }
}
