// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One TCP connection to a Modbus device or gateway: requests in turn, time-outs, back-off.

#include <array>
#include <asio/ip/tcp.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include <ecp/kind/pipeline_config.hpp>
#include <ecp/pipeline/modbus.hpp>

#include "pipeline/modbus/io_thread.hpp"

namespace ecp::inline v0::pipeline::modbus {

struct Request {
  std::uint8_t unit = 1;
  Bytes pdu;
  bool urgent = false;  ///< A write or its reading back; goes before those that are not.
  std::function<void(Result<Bytes> pdu)> done;
  int tries = 0;  ///< Used up.
};

/// Waits longer after each failure, jittered.
class BackOff {
 public:
  [[nodiscard]] bool is_waiting(SteadyTime now) const { return failing_ && now < until_; }
  [[nodiscard]] bool is_failing() const { return failing_; }
  void succeed() { failing_ = false; }
  void fail(SteadyTime now, Milliseconds min, Milliseconds max, Random& random);

 private:
  bool failing_ = false;
  Milliseconds wait_{0};
  SteadyTime until_{};
};

/// Everything on the io thread.
///
/// Ownership: shared with asynchronous operations on their way.
/// Callbacks: a request's `done` exactly once, perhaps inside `submit` or `close`.
class Channel : public std::enable_shared_from_this<Channel> {
 public:
  using StateHandler = std::function<void(std::optional<Error>)>;

  Channel(const kind::DriverConfig& config, std::shared_ptr<IoThread> io, Env env);
  void open(StateHandler on_state);
  void close();
  void submit(Request request);

 private:
  enum class State { closed, connecting, open };
  struct Flight {
    Request request;
    SteadyTime deadline;
  };

  void wake();
  void arm();
  void pump();
  void connect();
  void connect_to(std::vector<asio::ip::tcp::endpoint> endpoints);
  void connected(const asio::error_code& error);
  void connect_failed(const Error& why);
  void send(Request request);
  void write_more();
  void read_more();
  void received();
  void answered(const Frame& frame);
  void time_out();
  bool timed_out(Request request);
  void broken(const Error& why);
  void reset_socket();
  void fail_all(const Error& why);
  void tell_state();
  [[nodiscard]] SteadyTime now() const { return env_.clock.steady(); }

  const kind::DriverConfig& config_;
  std::shared_ptr<IoThread> io_;  // Shared with the factory and its other drivers.
  Env env_;
  std::shared_ptr<Waker> waker_;  // Shared with its timers.
  StateHandler on_state_;
  std::optional<Error> problem_;
  State state_ = State::closed;
  std::uint64_t attempt_ = 0;  ///< Tells operations of former sockets apart.
  asio::ip::tcp::socket socket_;
  asio::ip::tcp::resolver resolver_;
  std::size_t resolved_ = 0;  ///< How often the host's name was resolved.
  SteadyTime connect_deadline_{};
  BackOff connecting_;
  std::map<std::uint8_t, BackOff> units_;
  std::deque<Request> queue_;
  std::map<std::uint16_t, Flight> flights_;
  std::uint16_t transaction_ = 0;
  int silent_ = 0;  ///< Time-outs in a row without any answer.
  bool has_answered_ = false;
  bool is_closed_ = false;
  Bytes in_;
  Bytes out_;
  Bytes writing_;
  std::array<char, 300> piece_{};
};

}  // namespace ecp::inline v0::pipeline::modbus
