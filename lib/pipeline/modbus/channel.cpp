// SPDX-License-Identifier: Apache-2.0
#include "pipeline/modbus/channel.hpp"

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/write.hpp>

#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline::modbus {

namespace {

/// What became of a request that was sent and lost: a read can be repeated, of a write nobody knows
/// whether it took effect.
Error lost(const Request& request, const Error& why) {
  if (!request.urgent) return why;
  return Error(reasons::write_unknown, {{"problem", why.message()}});
}

Error unreachable(const std::string& problem) {
  return {reasons::device_unreachable, {{"problem", problem}}};
}

}  // namespace

void BackOff::fail(SteadyTime now, Milliseconds min, Milliseconds max, Random& random) {
  wait_ = failing_ ? std::min(wait_ * 2, max) : min;
  failing_ = true;
  const auto half = static_cast<std::uint64_t>(wait_.count() / 2);
  until_ = now + Milliseconds(static_cast<std::int64_t>(half + random.below(half + 1)));
}

Channel::Channel(const kind::DriverConfig& config, std::shared_ptr<IoThread> io, Env env)
    : config_(config),
      io_(std::move(io)),
      env_(env),
      socket_(io_->context()),
      resolver_(io_->context()) {}

void Channel::open(StateHandler on_state) {
  on_state_ = std::move(on_state);
  waker_ = std::make_shared<Waker>(env_, io_, [channel = weak_from_this()] {
    if (const auto self = channel.lock()) self->wake();
  });
}

void Channel::close() {
  is_closed_ = true;
  on_state_ = nullptr;
  if (waker_) waker_->cancel();
  reset_socket();
  fail_all(Error(reasons::stopped));
}

void Channel::submit(Request request) {
  if (is_closed_) return request.done(reasons::stopped);
  if (state_ == State::closed && connecting_.is_waiting(now())) {
    return request.done(problem_ ? *problem_ : Error(reasons::device_unreachable));
  }
  if (units_[request.unit].is_waiting(now())) return request.done(reasons::device_timeout);
  const auto place = request.urgent ? std::find_if(queue_.begin(), queue_.end(),
                                                   [](const auto& each) { return !each.urgent; })
                                    : queue_.end();
  queue_.insert(place, std::move(request));
  pump();
}

void Channel::wake() {
  if (state_ == State::connecting && now() >= connect_deadline_) {
    connect_failed(unreachable("no answer within the time allowed"));
  }
  time_out();
  pump();
}

void Channel::arm() {
  auto next = SteadyTime::max();
  if (state_ == State::connecting) next = connect_deadline_;
  for (const auto& [transaction, flight] : flights_) next = std::min(next, flight.deadline);
  if (next != SteadyTime::max() && waker_) waker_->at(next);
}

void Channel::pump() {
  const auto self = shared_from_this();
  if (state_ == State::closed && !queue_.empty()) connect();
  while (state_ == State::open && !queue_.empty() &&
         flights_.size() < static_cast<std::size_t>(config_.max_in_flight)) {
    auto request = std::move(queue_.front());
    queue_.pop_front();
    if (units_[request.unit].is_waiting(now())) {
      request.done(reasons::device_timeout);
    } else {
      send(std::move(request));
    }
  }
  arm();
}

void Channel::connect() {
  state_ = State::connecting;
  connect_deadline_ = now() + config_.timeout;
  ++attempt_;
  asio::error_code error;
  const auto address = asio::ip::make_address(config_.host, error);
  if (!error) return connect_to({{address, config_.port}});
  resolver_.async_resolve(
      config_.host, std::to_string(config_.port),
      [self = shared_from_this(), attempt = attempt_](
          const asio::error_code& failed, const asio::ip::tcp::resolver::results_type& found) {
        if (attempt != self->attempt_) return;
        if (failed || found.empty()) return self->connected(failed);
        // Each time another one is the first, so that one that swallows everything hides none.
        std::vector<asio::ip::tcp::endpoint> endpoints(found.begin(), found.end());
        const auto first = self->resolved_++ % endpoints.size();
        std::rotate(endpoints.begin(), endpoints.begin() + static_cast<std::ptrdiff_t>(first),
                    endpoints.end());
        self->connect_to(std::move(endpoints));
      });
}

/// The first of them that takes the connection.
void Channel::connect_to(std::vector<asio::ip::tcp::endpoint> endpoints) {
  const auto endpoint = endpoints.front();
  endpoints.erase(endpoints.begin());
  socket_.async_connect(endpoint, [self = shared_from_this(), attempt = attempt_,
                                   left = std::move(endpoints)](const asio::error_code& error) {
    if (attempt != self->attempt_) return;
    if (!error || left.empty()) return self->connected(error);
    asio::error_code ignored;  // It is not open, or of the other protocol.
    self->socket_.close(ignored);
    self->connect_to(left);
  });
}

void Channel::connected(const asio::error_code& error) {
  if (error) return connect_failed(unreachable(error.message()));
  asio::error_code ignored;  // A socket without these options works all the same.
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket_.set_option(asio::socket_base::keep_alive(true), ignored);
  state_ = State::open;
  has_answered_ = false;
  silent_ = 0;
  read_more();
  pump();
}

void Channel::connect_failed(const Error& why) {
  reset_socket();
  connecting_.fail(now(), config_.back_off_min, config_.back_off_max, env_.random);
  problem_ = why;
  fail_all(*problem_);
  if (on_state_) on_state_(problem_);
}

void Channel::send(Request request) {
  while (flights_.contains(++transaction_)) {
  }
  out_ += encode({transaction_, request.unit, request.pdu});
  flights_.emplace(transaction_, Flight{std::move(request), now() + config_.timeout});
  if (writing_.empty()) write_more();
}

void Channel::write_more() {
  writing_ = std::exchange(out_, {});
  asio::async_write(
      socket_, asio::buffer(writing_),
      [self = shared_from_this(), attempt = attempt_](const asio::error_code& error, std::size_t) {
        if (attempt != self->attempt_) return;
        self->writing_.clear();
        if (error) return self->broken(unreachable(error.message()));
        if (!self->out_.empty()) self->write_more();
      });
}

void Channel::read_more() {
  socket_.async_read_some(asio::buffer(piece_),
                          [self = shared_from_this(), attempt = attempt_](
                              const asio::error_code& error, std::size_t size) {
                            if (attempt != self->attempt_) return;
                            if (error) return self->broken(unreachable(error.message()));
                            self->in_.append(self->piece_.data(), size);
                            self->received();
                            if (attempt == self->attempt_) self->read_more();
                          });
}

void Channel::received() {
  const auto attempt = attempt_;
  while (attempt == attempt_) {
    auto frame = take_frame(in_);
    if (!frame) return broken(frame.error());
    if (!*frame) break;
    answered(**frame);
  }
  if (attempt == attempt_) pump();
}

void Channel::answered(const Frame& frame) {
  const auto found = flights_.find(frame.transaction);
  if (found == flights_.end() || found->second.request.unit != frame.unit) return;
  auto request = std::move(found->second.request);
  flights_.erase(found);
  silent_ = 0;
  has_answered_ = true;
  connecting_.succeed();
  units_[frame.unit].succeed();
  tell_state();
  request.done(frame.pdu);
}

void Channel::time_out() {
  std::vector<Request> late;
  for (auto each = flights_.begin(); each != flights_.end();) {
    if (now() >= each->second.deadline) {
      late.push_back(std::move(each->second.request));
      each = flights_.erase(each);
    } else {
      ++each;
    }
  }
  if (late.empty()) return;
  ++silent_;
  bool is_given_up = false;
  for (auto& request : late) is_given_up = timed_out(std::move(request)) || is_given_up;
  // A dead unit behind a living gateway costs one time-out; silence of all costs the connection,
  // and what waits when a request has used up its tries.
  if (state_ != State::open || (silent_ < 2 && units_.size() > 1)) return;
  reset_socket();
  for (auto& [transaction, flight] : std::exchange(flights_, {})) {
    is_given_up = timed_out(std::move(flight.request)) || is_given_up;
  }
  if (is_given_up) fail_all(Error(reasons::device_timeout));
}

/// Whether it has used up its tries.
bool Channel::timed_out(Request request) {
  if (request.tries < config_.retries) {
    ++request.tries;
    queue_.push_front(std::move(request));
    return false;
  }
  auto& unit = units_[request.unit];
  if (!unit.is_waiting(now())) {
    unit.fail(now(), config_.back_off_min, config_.back_off_max, env_.random);
  }
  tell_state();
  request.done(lost(request, reasons::device_timeout));
  return true;
}

/// The connection was lost. An idle one is simply made again when it is needed; one that was lost
/// at work, or never worked, waits.
void Channel::broken(const Error& why) {
  const bool idle = flights_.empty() && has_answered_;
  reset_socket();
  if (idle) return pump();
  connect_failed(why);
}

void Channel::reset_socket() {
  ++attempt_;
  asio::error_code ignored;  // It is gone either way.
  socket_.close(ignored);
  resolver_.cancel();
  state_ = State::closed;
  in_.clear();
  out_.clear();
  writing_.clear();
}

void Channel::fail_all(const Error& why) {
  auto queue = std::exchange(queue_, {});
  auto flights = std::exchange(flights_, {});
  for (auto& [transaction, flight] : flights) flight.request.done(lost(flight.request, why));
  for (auto& request : queue) request.done(why);
}

void Channel::tell_state() {
  std::optional<Error> problem;
  for (const auto& [unit, back_off] : units_) {
    if (!back_off.is_failing() || problem) continue;
    problem = Error(reasons::device_timeout, {}, "unit " + std::to_string(unit));
  }
  const bool same =
      problem.has_value() == problem_.has_value() && (!problem || problem->is(*problem_->reason));
  problem_ = std::move(problem);
  if (!same && on_state_) on_state_(problem_);
}

}  // namespace ecp::inline v0::pipeline::modbus
