// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One accepted connection, and what all connections of a server share.

#include <array>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/http/server.hpp>

#include "http/beast/beast.hpp"
#include "http/beast/wire.hpp"

namespace ecp::inline v0::http::beast {

class Connection;

/// Shared by the server, its connections, and tasks that still run on workers.
///
/// Thread safety: members marked so are guarded by `mutex`; the rest is fixed after `open`.
struct Shared {
  Shared(ServerOptions server_options, Handler server_handler, const Env& world)
      : options(std::move(server_options)),
        handler(std::move(server_handler)),
        env(world),
        acceptor(net::make_strand(io)) {}

  ServerOptions options;
  Handler handler;
  Env env;
  net::io_context io;
  tcp::acceptor acceptor;
  std::atomic<bool> draining{false};

  std::mutex mutex;
  std::condition_variable changed;         ///< A connection closed or a handler returned.
  bool is_open = true;                     ///< Guarded: false once nothing may be posted any more.
  unsigned handlers_running = 0;           ///< Guarded.
  std::shared_ptr<net::ssl::context> tls;  ///< Guarded. Shared: with connections being accepted.
  TimerId sweep_timer = TimerId::none;     ///< Guarded.
  TimerId retry_timer = TimerId::none;     ///< Guarded.
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections;  ///< Guarded.

  /// Run a task on a strand from outside the I/O threads; false when the server is gone.
  template <class Strand, class Task>
  bool post(const Strand& strand, Task task) {
    const std::lock_guard lock(mutex);
    if (is_open) net::post(strand, std::move(task));
    return is_open;
  }
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> all_connections();
};

/// Queue between a producer and the connection that sends what it writes.
class StreamWriter final : public BodyWriter {
 public:
  StreamWriter(std::weak_ptr<Connection> connection, std::shared_ptr<Shared> shared);
  ~StreamWriter() override;
  bool write(Bytes piece) override;
  void close() override;

  struct Taken {
    std::string chunks;
    bool closed = false;
  };
  /// Everything queued, coded as chunks.
  Taken take(bool chunked);
  /// Refuse further writes; from the connection.
  void detach();

 private:
  void wake();

  std::weak_ptr<Connection> connection_;
  std::shared_ptr<Shared> shared_;  // Shared: outlives the server for late writes.
  std::mutex mutex_;
  std::deque<Bytes> pieces_;
  std::size_t octets_ = 0;
  bool closed_ = false;
  bool woken_ = false;
};

/// Reads requests one after another, hands each to a worker, and sends the answers in order.
///
/// Ownership: kept alive by its pending operations and running handler.
/// Thread safety: members run on the connection's strand unless said otherwise.
class Connection final : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<Shared> shared,
             std::shared_ptr<net::ssl::context> tls);

  void start();
  /// Close when overdue.
  void check(SteadyTime now);
  /// Close after the request that is being answered.
  void drain();
  void close();
  /// Send what the stream's producer queued.
  void flush_stream();
  void overflow_stream();

  [[nodiscard]] tcp::socket::executor_type strand() { return socket_.get_executor(); }

 private:
  enum class State { handshake, idle, reading, handling, writing, streaming, closing, closed };
  using Step = void (Connection::*)();

  void next_request();
  void read();
  void on_read(const error_code& problem, std::size_t size);
  void feed();
  [[nodiscard]] Result<void> check_head_size() const;
  void on_head();
  void refuse(const Error& error);
  void dispatch();
  void deliver(Response response);
  void start_stream();
  void next_piece();
  void watch_peer();
  void finish_answer();
  void finish_stream();
  void linger();
  void discard();
  void close_gracefully();
  void send(std::string octets, Step then);
  void expect_within(Milliseconds time);

  template <class Target>
  void read_some(Target target, std::function<void(const error_code&, std::size_t)> done);

  std::shared_ptr<Shared> shared_;  // Before the socket, which needs its io_context to the end.
  tcp::socket socket_;
  std::optional<net::ssl::stream<tcp::socket&>> tls_;
  State state_ = State::handshake;
  std::optional<SteadyTime> deadline_;
  std::array<char, 8192> chunk_;
  std::string input_;
  std::size_t consumed_ = 0;  ///< Octets of this request that the parser took.
  bool head_seen_ = false;
  std::optional<Parser> parser_;
  bool keep_alive_ = false;
  bool is_head_ = false;  ///< The request asks for the head alone.
  bool chunked_ = false;
  std::string request_id_;
  std::string remote_address_;
  std::optional<std::string> client_name_;
  Bytes client_certificate_;
  Response response_;
  std::string output_;
  bool sending_ = false;
  std::shared_ptr<StreamWriter> writer_;  // Shared: with the producer.
};

}  // namespace ecp::inline v0::http::beast
