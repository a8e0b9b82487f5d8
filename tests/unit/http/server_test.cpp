// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include <ecp/http/reasons.hpp>

#include "unit/http/running_server.hpp"

using namespace ecp;
using ecp::testing::count;
using ecp::testing::RawSocket;
using ecp::testing::RunningServer;
using ecp::testing::status_of;

namespace {

const std::string last = "GET /last HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

/// Holds the writer of a stream until the test takes it.
struct Streams {
  std::mutex mutex;
  std::condition_variable arrived;
  std::shared_ptr<http::BodyWriter> writer;

  http::Response answer() {
    http::Response response;
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = [this](std::shared_ptr<http::BodyWriter> given) {
      const std::lock_guard lock(mutex);
      writer = std::move(given);
      arrived.notify_all();
    };
    return response;
  }
  std::shared_ptr<http::BodyWriter> wait() {
    std::unique_lock lock(mutex);
    arrived.wait(lock, [&] { return writer != nullptr; });
    return writer;
  }
};

}  // namespace

TEST_SUITE("http.Server") {
  TEST_CASE("a request reaches the handler decoded and its answer comes back whole") {
    RunningServer running;
    const auto answer = running.exchange(
        "POST /a%20b/c?x=%31 HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: "
        "5\r\n\r\nhello");
    CHECK(status_of(answer) == 200);
    CHECK(answer.ends_with("\r\n\r\nPOST /a b/c x=%31 hello"));
    CHECK(count(answer, "Content-Length: 23\r\n") == 1);
  }

  TEST_CASE("pipelined requests are answered in order on one connection") {
    RunningServer running;
    std::string requests;
    for (int i = 0; i < 50; ++i) {
      const auto body = std::to_string(i);
      requests += "POST /" + body +
                  " HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) +
                  "\r\n\r\n" + body;
    }
    const auto answer = running.exchange(requests + last);
    CHECK(running.handled == 51);
    CHECK(count(answer, "HTTP/1.1 200 OK") == 51);
    CHECK(answer.find("POST /7  7") < answer.find("POST /31  31"));
    CHECK(answer.ends_with("GET /last  "));
  }

  TEST_CASE("a request that arrives octet by octet is the same request") {
    RunningServer running;
    RawSocket socket(running.server->port());
    for (const char letter : last) socket.send({&letter, 1});
    CHECK(status_of(socket.read_all()) == 200);
  }

  TEST_CASE("chunked bodies are put together") {
    RunningServer running;
    const auto answer = running.exchange(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n");
    CHECK(answer.ends_with("POST /  abcde"));
  }

  TEST_CASE("HTTP/1.0 and Connection: close end the connection after the answer") {
    RunningServer running;
    const auto answer = running.exchange("GET / HTTP/1.0\r\n\r\n");
    CHECK(status_of(answer) == 200);
    CHECK(count(answer, "Connection: close") == 1);
  }

  TEST_CASE("HEAD is answered with the length and without the body") {
    RunningServer running;
    const auto answer =
        running.exchange("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    CHECK(count(answer, "Content-Length: 9\r\n") == 1);
    CHECK(answer.ends_with("\r\n\r\n"));
  }

  TEST_CASE("a client that waits for 100 Continue is told to go on") {
    RunningServer running;
    RawSocket socket(running.server->port());
    socket.send(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\nExpect: "
        "100-continue\r\n\r\n");
    CHECK(status_of(socket.read_until("\r\n\r\n")) == 100);
    socket.send("ok");
    CHECK(socket.read_all().ends_with("POST /  ok"));
  }

  TEST_CASE("line ends in header values cannot make new header fields") {
    RunningServer running([](const http::Request&) {
      http::Response response;
      response.headers.add("X-Echo", "a\r\nSet-Cookie: b");
      return response;
    });
    CHECK(running.exchange(last).find("\nSet-Cookie") == std::string::npos);
  }

  TEST_CASE("a handler that throws is a 500 that says nothing of the cause") {
    RunningServer running(
        [](const http::Request&) -> http::Response { throw std::runtime_error("table secrets"); });
    const auto answer = running.exchange(last);
    CHECK(status_of(answer) == 500);
    CHECK(answer.find("secrets") == std::string::npos);
    CHECK(running.log.contains("table secrets"));
  }

  TEST_CASE("a stream is sent as it comes into being and ends when its writer closes") {
    Streams streams;
    RunningServer running([&](const http::Request&) { return streams.answer(); });
    RawSocket socket(running.server->port());
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto writer = streams.wait();
    CHECK(writer->write("data: 1\n\n"));
    CHECK(socket.read_until("data: 1\n\n").find("9\r\ndata: 1\n\n\r\n") != std::string::npos);
    CHECK(writer->write("data: 2\n\n"));
    writer->close();
    CHECK(socket.read_all().ends_with("9\r\ndata: 2\n\n\r\n0\r\n\r\n"));
    CHECK_FALSE(writer->write("late"));
  }

  TEST_CASE("[R23] a stream's reader that is too slow is cut") {
    Streams streams;
    RunningServer running([&](const http::Request&) { return streams.answer(); });
    RawSocket socket(running.server->port());
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto writer = streams.wait();
    const std::string piece(64 * kibibyte, 'x');
    int written = 0;
    while (writer->write(piece) && written < 10'000) ++written;
    CHECK(written < 1'000);  // What the kernel buffers and a backlog of a mebibyte.
    while (running.log.entries().empty()) std::this_thread::yield();
    CHECK(running.log.contains("too slow"));
  }

  TEST_CASE("a stream's writer learns that the peer has gone") {
    Streams streams;
    RunningServer running([&](const http::Request&) { return streams.answer(); });
    auto socket = std::make_unique<RawSocket>(running.server->port());
    socket->send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto writer = streams.wait();
    socket.reset();
    while (writer->write(": beat\n\n")) std::this_thread::yield();
    CHECK_FALSE(writer->write("late"));
  }

  TEST_CASE("a large body is produced piece by piece") {
    RunningServer running([](const http::Request&) {
      http::Response response;
      response.produce = [left = 20]() mutable -> Result<Bytes> {
        return left-- > 0 ? Bytes(100'000, 'p') : Bytes();
      };
      return response;
    });
    const auto answer = running.exchange(last);
    CHECK(count(answer, "186a0\r\n") == 20);
    CHECK(answer.ends_with("\r\n0\r\n\r\n"));
  }

  TEST_CASE("a body whose production fails ends without the last chunk") {
    RunningServer running([](const http::Request&) {
      http::Response response;
      response.produce = [first = true]() mutable -> Result<Bytes> {
        if (!std::exchange(first, false)) return http::reasons::stopping;
        return Bytes("piece");
      };
      return response;
    });
    const auto answer = running.exchange(last);
    CHECK(answer.find("piece") != std::string::npos);
    CHECK(answer.find("0\r\n\r\n") == std::string::npos);
  }

  TEST_CASE("a port in use is named with the problem") {
    RunningServer first;
    http::ServerOptions options;
    options.port = first.server->port();
    RunningServer second(testing::echo, std::move(options));
    REQUIRE(second.server == nullptr);
    CHECK(second.problem.find("http.listen_failed") != std::string::npos);
    CHECK(second.problem.find(std::to_string(first.server->port())) != std::string::npos);
    CHECK(second.problem.find("in use") != std::string::npos);
  }

  TEST_CASE("[R39] plain HTTP is refused on other than loopback") {
    http::ServerOptions options;
    options.address = "0.0.0.0";
    RunningServer running(testing::echo, std::move(options));
    CHECK(running.problem.find("http.plain_refused") != std::string::npos);
  }

  TEST_CASE("stopping lets a running request finish and refuses new connections") {
    std::mutex mutex;
    std::condition_variable changed;
    bool entered = false;
    bool released = false;
    RunningServer running([&](const http::Request& request) {
      std::unique_lock lock(mutex);
      entered = true;
      changed.notify_all();
      changed.wait(lock, [&] { return released; });
      return testing::echo(request);
    });
    RawSocket busy(running.server->port());
    RawSocket idle(running.server->port());
    busy.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    {
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return entered; });
    }
    std::thread stopper([&] { running.server->stop(Milliseconds{20'000}); });
    idle.read_all();
    CHECK(idle.closed_by_peer());
    {
      const std::lock_guard lock(mutex);
      released = true;
      changed.notify_all();
    }
    const auto answer = busy.read_all();
    stopper.join();
    CHECK(answer.ends_with("GET /slow  "));
    CHECK(count(answer, "Connection: close") == 1);
    CHECK_FALSE(RawSocket(running.server->port()).connected());
  }

  TEST_CASE("a request that runs for longer than a stop waits outlives the server") {
    std::promise<void> entered;
    std::promise<void> released;
    RunningServer running([&](const http::Request& request) {
      entered.set_value();
      released.get_future().wait();
      return testing::echo(request);
    });
    RawSocket socket(running.server->port());
    socket.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    entered.get_future().wait();

    running.server->stop(Milliseconds{20});
    running.server.reset();
    CHECK(socket.read_all().empty());
    released.set_value();  // It holds the connection last; ~RunningServer waits for it.
  }

  TEST_CASE("stopping ends streams at once") {
    Streams streams;
    RunningServer running([&](const http::Request&) { return streams.answer(); });
    RawSocket socket(running.server->port());
    socket.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    const auto writer = streams.wait();
    running.server->stop(Milliseconds{5000});
    CHECK(socket.read_all().ends_with("0\r\n\r\n"));
    CHECK_FALSE(writer->write("late"));
  }
}
