// SPDX-License-Identifier: Apache-2.0
#include "http/beast/connection.hpp"

#include <exception>
#include <functional>

#include <ecp/core/reasons.hpp>
#include <ecp/http/answer.hpp>
#include <ecp/http/reasons.hpp>

#include "http/beast/tls.hpp"
#include "http/text.hpp"

namespace ecp::inline v0::http::beast {
namespace {

/// Octets of the line before the header fields, once the parser has taken it.
std::size_t request_line(const Parser& parser) {
  constexpr std::string_view rest = "  HTTP/1.1\r\n";
  const auto& head = parser.get();
  return head.method_string().size() + head.target().size() + rest.size();
}

/// A request line's octets besides its target; methods are at most this long.
constexpr std::size_t line_room = 64;

/// A peer gets this long to take a refusal and to close its side.
constexpr Milliseconds closing_time{1000};

std::string address_of(const tcp::socket& socket) {
  error_code problem;
  const auto peer = socket.remote_endpoint(problem);
  if (problem) return {};
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return net::ip::make_address_v4(net::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

}  // namespace

Connection::Connection(tcp::socket socket, std::shared_ptr<Shared> shared,
                       std::shared_ptr<net::ssl::context> tls)
    : shared_(std::move(shared)), socket_(std::move(socket)) {
  if (tls) tls_.emplace(socket_, *tls);
}

void Connection::expect_within(Milliseconds time) {
  deadline_ = shared_->env.clock.steady() + time;
}

template <class Target>
void Connection::read_some(Target target,
                           std::function<void(const error_code&, std::size_t)> done) {
  if (tls_) {
    tls_->async_read_some(target, std::move(done));
  } else {
    socket_.async_read_some(target, std::move(done));
  }
}

void Connection::start() {
  error_code ignored;
  socket_.set_option(tcp::no_delay(true), ignored);
  remote_address_ = address_of(socket_);
  if (!tls_) return next_request();
  expect_within(shared_->options.read_timeout);
  tls_->async_handshake(net::ssl::stream_base::server,
                        [self = shared_from_this()](const error_code& problem) {
                          if (problem || self->state_ == State::closed) return self->close();
                          if (auto peer = peer_certificate(self->tls_->native_handle())) {
                            self->client_name_ = std::move(peer->common_name);
                            self->client_certificate_ = std::move(peer->der);
                          }
                          self->next_request();
                        });
}

void Connection::next_request() {
  if (shared_->draining) return close_gracefully();
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits::http_header));
  parser_->body_limit(shared_->env.limits.http_body);
  consumed_ = 0;
  head_seen_ = false;
  keep_alive_ = false;
  response_ = Response();
  state_ = input_.empty() ? State::idle : State::reading;
  expect_within(shared_->options.read_timeout);
  feed();
}

void Connection::read() {
  read_some(net::buffer(chunk_),
            [self = shared_from_this()](const error_code& problem, std::size_t size) {
              self->on_read(problem, size);
            });
}

void Connection::on_read(const error_code& problem, std::size_t size) {
  if (state_ != State::idle && state_ != State::reading) return;
  if (problem) return close();
  if (state_ == State::idle) {
    state_ = State::reading;
    expect_within(shared_->options.read_timeout);
  }
  input_.append(chunk_.data(), size);
  feed();
}

void Connection::feed() {
  while (!input_.empty()) {
    error_code problem;
    const auto used = parser_->put(net::buffer(input_), problem);
    input_.erase(0, used);
    consumed_ += used;
    if (problem == parsing::error::need_more) break;
    if (problem) return refuse(parse_error(problem, consumed_ == 0, shared_->env.limits.http_body));
    if (auto good = check_head_size(); !good) return refuse(good.error());
    if (parser_->is_header_done() && !head_seen_) {
      head_seen_ = true;
      return on_head();
    }
    if (parser_->is_done()) return dispatch();
    if (used == 0) break;
  }
  if (auto good = check_head_size(); !good) return refuse(good.error());
  read();
}

/// The target and the header fields each have a bound of their own; Beast bounds single parts.
Result<void> Connection::check_head_size() const {
  if (head_seen_) return {};
  const bool is_line_over = consumed_ > 0 ? parser_->get().target().size() > limits::http_target
                                          : input_.size() > limits::http_target + line_room &&
                                                input_.find('\n') == std::string::npos;
  if (is_line_over) {
    return Error(reasons::target_too_long, {{"limit", std::to_string(limits::http_target)}});
  }
  if (consumed_ == 0) return {};
  const std::size_t pending = parser_->is_header_done() ? 0 : input_.size();
  if (consumed_ + pending > request_line(*parser_) + limits::http_header) {
    return Error(reasons::header_too_large, {{"limit", std::to_string(limits::http_header)}});
  }
  return {};
}

void Connection::on_head() {
  if (auto good = check_head(*parser_); !good) return refuse(good.error());
  if (parser_->is_done()) return dispatch();
  parser_->eager(true);
  const auto expect = parser_->get()[parsing::field::expect];
  if (!input_.empty() || !text::equal_no_case({expect.data(), expect.size()}, "100-continue")) {
    return feed();
  }
  send("HTTP/1.1 100 Continue\r\n\r\n", &Connection::feed);
  state_ = State::reading;
  expect_within(shared_->options.read_timeout);
}

void Connection::refuse(const Error& error) {
  const int own = own_status(*error.reason);
  const bool unknown = error.code() == ErrorCode::unimplemented;
  auto response = make_error_response(own != 0 ? own : unknown ? 501 : 400, error);
  add_security_fields(response.headers);
  shared_->env.log.info("http", "refused a request",
                        {{"remote", remote_address_},
                         {"status", std::to_string(response.status)},
                         {"reason", std::string(error.reason->symbol)}});
  HeadOptions options;
  options.now = shared_->env.clock.now();
  state_ = State::closing;
  send(make_head(response, options) + response.body, &Connection::linger);
}

void Connection::dispatch() {
  keep_alive_ = parser_->get().keep_alive();
  chunked_ = parser_->get().version() >= 11;
  is_head_ = parser_->get().method() == parsing::verb::head;
  auto request = take_request(*parser_);
  if (!request) return refuse(request.error());
  request->request_id = to_hex(shared_->env.random.bytes(8));
  request->remote_address = remote_address_;
  request->client_name = client_name_;
  request->client_certificate = client_certificate_;
  state_ = State::handling;
  deadline_.reset();
  {
    const std::lock_guard lock(shared_->mutex);
    ++shared_->handlers_running;
  }
  // Shared: a Task is copied by std::function; the request is not.
  auto carried = std::make_shared<Request>(std::move(*request));
  shared_->env.workers.post([self = shared_from_this(), carried] {
    auto& shared = *self->shared_;
    Response response;
    try {
      response = shared.handler(std::move(*carried));
    } catch (const std::exception& problem) {
      shared.env.log.error("http", "a handler threw", {{"problem", problem.what()}});
      response = make_error_response(500, ecp::reasons::internal);
    }
    auto answer = std::make_shared<Response>(std::move(response));
    shared.post(self->strand(), [self, answer] { self->deliver(std::move(*answer)); });
    const std::lock_guard lock(shared.mutex);
    --shared.handlers_running;
    shared.changed.notify_all();
  });
}

void Connection::deliver(Response response) {
  if (state_ == State::closed) return;
  response_ = std::move(response);
  if (shared_->draining) keep_alive_ = false;
  HeadOptions options;
  options.now = shared_->env.clock.now();
  const bool piecewise = (response_.stream || response_.produce) && !is_head_;
  if (piecewise) options.framing = chunked_ ? Framing::chunked : Framing::until_close;
  if (piecewise && (!chunked_ || response_.stream)) keep_alive_ = false;
  options.keep_alive = keep_alive_;
  auto octets = make_head(response_, options);
  state_ = State::writing;
  if (!piecewise) {
    if (!is_head_ && response_.status != 204 && response_.status != 304) octets += response_.body;
    return send(std::move(octets), &Connection::finish_answer);
  }
  send(std::move(octets), response_.stream ? &Connection::start_stream : &Connection::next_piece);
}

void Connection::next_piece() {
  state_ = State::handling;
  deadline_.reset();
  shared_->env.workers.post([self = shared_from_this()] {
    auto& shared = *self->shared_;
    auto piece = std::make_shared<Result<Bytes>>(ecp::reasons::internal);
    try {
      *piece = self->response_.produce();
    } catch (const std::exception& problem) {
      shared.env.log.error("http", "a body's producer threw", {{"problem", problem.what()}});
    }
    shared.post(self->strand(), [self, piece] {
      if (self->state_ == State::closed) return;
      if (!*piece) return self->close();
      self->state_ = State::writing;
      if ((*piece)->empty()) {
        return self->send(std::string(self->chunked_ ? last_chunk : ""),
                          &Connection::finish_answer);
      }
      std::string octets;
      if (self->chunked_) {
        append_chunk(octets, **piece);
      } else {
        octets = std::move(**piece);
      }
      self->send(std::move(octets), &Connection::next_piece);
    });
  });
}

void Connection::start_stream() {
  state_ = State::streaming;
  deadline_.reset();
  writer_ = std::make_shared<StreamWriter>(weak_from_this(), shared_);
  response_.stream(writer_);
  watch_peer();
  flush_stream();
}

/// Notice that the peer of a stream has gone; what it sends meanwhile is not looked at.
void Connection::watch_peer() {
  read_some(net::buffer(chunk_),
            [self = shared_from_this()](const error_code& problem, std::size_t) {
              if (self->state_ != State::streaming) return;
              if (problem) return self->close();
              self->watch_peer();
            });
}

void Connection::flush_stream() {
  if (state_ != State::streaming || sending_) return;
  auto taken = writer_->take(chunked_);
  if (shared_->draining) taken.closed = true;
  if (taken.closed) {
    if (chunked_) taken.chunks += last_chunk;
    return send(std::move(taken.chunks), &Connection::finish_stream);
  }
  deadline_.reset();
  if (!taken.chunks.empty()) send(std::move(taken.chunks), &Connection::flush_stream);
}

void Connection::overflow_stream() {
  if (state_ != State::streaming) return;
  shared_->env.log.info("http", "cut a stream whose reader is too slow",
                        {{"remote", remote_address_}});
  close();
}

void Connection::finish_stream() {
  writer_->detach();
  state_ = State::closing;
  close_gracefully();
}

void Connection::finish_answer() {
  if (keep_alive_) return next_request();
  linger();
}

void Connection::send(std::string octets, Step then) {
  output_ = std::move(octets);
  sending_ = true;
  expect_within(shared_->options.write_timeout);
  auto done = [self = shared_from_this(), then](const error_code& problem, std::size_t) {
    self->sending_ = false;
    if (self->state_ == State::closed) return;
    if (problem) return self->close();
    (self.get()->*then)();
  };
  if (tls_) {
    net::async_write(*tls_, net::buffer(output_), std::move(done));
  } else {
    net::async_write(socket_, net::buffer(output_), std::move(done));
  }
}

/// End our side, then read on for a while: closing with unread input resets the connection, and the
/// peer might lose the answer.
void Connection::linger() {
  state_ = State::closing;
  if (tls_) return close_gracefully();
  expect_within(closing_time);
  error_code problem;
  socket_.shutdown(tcp::socket::shutdown_send, problem);
  if (problem) return close();
  discard();
}

void Connection::discard() {
  socket_.async_read_some(net::buffer(chunk_),
                          [self = shared_from_this()](const error_code& problem, std::size_t) {
                            if (self->state_ == State::closed) return;
                            if (problem) return self->close();
                            self->discard();
                          });
}

void Connection::close_gracefully() {
  if (!tls_) {
    if (state_ != State::closing) return close();
    return linger();
  }
  state_ = State::closing;
  expect_within(closing_time);
  tls_->async_shutdown([self = shared_from_this()](const error_code&) {
    if (self->state_ == State::closed) return;
    error_code problem;
    self->socket_.shutdown(tcp::socket::shutdown_send, problem);
    if (problem) return self->close();
    self->discard();
  });
}

void Connection::drain() {
  if (state_ == State::idle) return close();
  if (state_ == State::streaming) flush_stream();
}

void Connection::check(SteadyTime now) {
  if (state_ == State::closed || !deadline_ || now < *deadline_) return;
  // While an interim answer is still on its way, another would overwrite its octets.
  if (state_ == State::reading && !sending_) return refuse(reasons::request_timeout);
  close();
}

void Connection::close() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  deadline_.reset();
  if (writer_) writer_->detach();
  error_code ignored;
  socket_.close(ignored);
  const std::lock_guard lock(shared_->mutex);
  shared_->connections.erase(this);
  shared_->changed.notify_all();
}

}  // namespace ecp::inline v0::http::beast
