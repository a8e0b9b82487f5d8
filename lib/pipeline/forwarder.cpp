// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/forwarder.hpp>

#include <algorithm>
#include <limits>

#include "pipeline/journals.hpp"

namespace ecp::inline v0::pipeline {
namespace {

constexpr std::size_t kept_for_live = 2;  // Batches under way that a backlog leaves to new samples.
constexpr auto first_wait = Milliseconds{5'000};
constexpr auto longest_wait = Milliseconds{60'000};
constexpr std::uint64_t refused_wait = 500;  // Milliseconds, jittered by half.
constexpr auto late_after = Milliseconds{10'000};
constexpr std::size_t wanted_bytes = 48 * kibibyte;  // Of one batch: small memory, short frames.
constexpr std::int64_t enough_samples = 2'000;       // As many as a batch takes.
constexpr std::size_t head_bytes = 4 * kibibyte;     // At most, of a batch's head.
constexpr auto no_end = std::numeric_limits<std::int64_t>::max();

transport::ChannelKind kind_of(std::string_view journal) {
  if (journal == reported_journal) return transport::ChannelKind::reported;
  return journal == alarm_journal ? transport::ChannelKind::alarm : transport::ChannelKind::event;
}

/// What a message leaves to samples; of a broker's tiny one, half.
constexpr std::size_t room_in(std::size_t max_payload) {
  return max_payload > 2 * head_bytes ? max_payload - head_bytes : max_payload / 2;
}

}  // namespace

Forwarder::Forwarder(Buffer& buffer, SendFunction send, Env env, Milliseconds interval)
    : buffer_(buffer), send_(std::move(send)), env_(env), interval_(interval) {}

Forwarder::Stream& Forwarder::stream(const std::string& name) {
  const auto [found, is_new] = streams_.try_emplace(name);
  if (is_new) found->second.backlog_end = found->second.live = buffer_.next_number(name);
  return found->second;
}

void Forwarder::link_up(std::size_t max_payload) {
  is_up_ = true;
  max_payload_ = max_payload;
  streams_.clear();
  journals_.clear();
  tell_ends();
}

void Forwarder::tell_ends() {
  for (const auto journal : {reported_journal, alarm_journal, event_journal}) {
    ends_[std::string(journal)] = {};
  }
  pump();
}

void Forwarder::link_down() {
  is_up_ = false;
  streams_.clear();
  journals_.clear();
}

void Forwarder::acknowledged(const link::Ack& ack, bool restarted) {
  if (restarted) {
    streams_.clear();
    journals_.clear();
  } else if (!buffer_.is_for(ack)) {
    return;  // Its numbers say nothing of what is under way now.
  } else if (is_journal(ack.stream)) {
    ends_.erase(ack.stream);
    const auto found = journals_.find(ack.stream);
    if (found != journals_.end() && found->second.last <= ack.upto) journals_.erase(found);
  } else if (const auto found = streams_.find(ack.stream); found != streams_.end()) {
    std::erase_if(found->second.flights, [&](const Flight& flight) {
      return flight.last <= ack.upto ||
             std::any_of(ack.ranges.begin(), ack.ranges.end(), [&](const auto& range) {
               return range.first <= flight.first && flight.last <= range.second;
             });
    });
  }
  pump();
}

void Forwarder::pump() {
  if (!is_up_) return;
  retry_at_ = SteadyTime::max();
  for (const auto journal : {reported_journal, alarm_journal, event_journal}) {
    pump_end(std::string(journal));
    pump_journal(journal);
  }
  for (const auto& name : buffer_.streams()) pump_stream(name);
}

SteadyTime Forwarder::wake_at() const {
  if (!is_up_) return SteadyTime::max();  // pump would move nothing on.
  auto next = retry_at_;
  for (const auto& [name, flight] : journals_) next = std::min(next, flight.again);
  for (const auto& [name, flight] : ends_) next = std::min(next, flight.again);
  for (const auto& [name, stream] : streams_) {
    // One that is overdue waits for an ack or for the buffer, not for a time.
    if (stream.live_due > env_.clock.steady()) next = std::min(next, stream.live_due);
    for (const auto& flight : stream.flights) {
      const bool counts = flight.is_refused || &flight == &stream.flights.front();
      if (counts) next = std::min(next, flight.again);
    }
  }
  return next;
}

void Forwarder::pump_stream(const std::string& name) {
  auto& state = stream(name);
  send_again(name, state);
  const auto may_send = [&](std::size_t reserved) {
    return state.flights.size() + reserved < limits::batches_in_flight;
  };
  while (is_live_due(name, state) && may_send(0) && state.live < buffer_.next_number(name)) {
    const auto next = send_from(name, state, state.live, no_end);
    if (next == state.live) break;
    state.live = next;
    if (state.live == buffer_.next_number(name)) state.live_due = SteadyTime::max();
  }
  while (may_send(kept_for_live) && state.backlog < state.backlog_end) {
    const auto failures = failures_;
    const auto next = send_from(name, state, state.backlog, state.backlog_end - 1);
    if (failures_ != failures) break;
    if (next == state.backlog) {
      state.backlog = state.backlog_end;
    } else {
      state.backlog = next;
    }
  }
}

bool Forwarder::is_live_due(const std::string& name, Stream& state) {
  const auto waiting = buffer_.next_number(name) - state.live;
  if (interval_ == Milliseconds{0} || waiting >= enough_samples) return true;
  const auto now = env_.clock.steady();
  if (waiting > 0 && state.live_due == SteadyTime::max()) state.live_due = now + interval_;
  return now >= state.live_due;
}

std::int64_t Forwarder::send_from(const std::string& name, Stream& state, std::int64_t from,
                                  std::int64_t upto) {
  Flight flight;
  if (!send_batch(name, from, upto, flight)) return from;
  schedule(flight);
  const auto place = std::find_if(state.flights.begin(), state.flights.end(),
                                  [&](const Flight& each) { return each.first > flight.first; });
  state.flights.insert(place, flight);
  return flight.last + 1;
}

/// Only the oldest is sent again, and what was refused: when more is lost, so is the link.
void Forwarder::send_again(const std::string& name, Stream& state) {
  const auto now = env_.clock.steady();
  for (std::size_t i = 0; i < state.flights.size();) {
    auto& flight = state.flights[i];
    const bool is_due = now >= flight.again && (i == 0 || flight.is_refused);
    Flight again;
    const auto failures = failures_;
    if (is_due && !send_batch(name, flight.first, flight.last, again) && failures_ == failures) {
      // Dropped meanwhile, to make room.
      state.flights.erase(state.flights.begin() + static_cast<std::ptrdiff_t>(i));
      continue;
    }
    if (is_due) schedule(flight);
    ++i;
  }
}

void Forwarder::refused(const std::string& name, std::int64_t first) {
  const auto stream = streams_.find(name);
  if (stream == streams_.end()) return;
  for (auto& flight : stream->second.flights) {
    if (flight.first == first) schedule_soon(flight);
  }
}

void Forwarder::refused_journal(const std::string& name) {
  const auto found = journals_.find(name);
  if (found != journals_.end()) schedule_soon(found->second);
}

bool Forwarder::send_batch(const std::string& name, std::int64_t from, std::int64_t upto,
                           Flight& flight) {
  const auto most = std::min({wanted_bytes, limits::batch, room_in(max_payload_)});
  auto batch = buffer_.batch(name, from, upto, most, env_.clock.now() - late_after - interval_);
  if (!batch) {
    env_.log.error("pipeline", "the buffer cannot be read", {{"why", batch.error().describe()}});
    ++failures_;
    retry_at_ = env_.clock.steady() + first_wait;
    return false;
  }
  if (!*batch) return false;
  const auto& head = (*batch)->head;
  flight.first = head.first;
  flight.last = head.last;
  // Acceptance proves nothing, an ack does; refusal means that nobody got it.
  send_({transport::ChannelKind::telemetry, name, {}}, link::encode_telemetry(head, (*batch)->body),
        [this, name, first = head.first](const Result<void>& accepted) {
          if (!accepted) refused(name, first);
        });
  return true;
}

void Forwarder::schedule_soon(Flight& flight) {
  flight.is_refused = true;
  flight.wait = Milliseconds{0};
  const auto wait = refused_wait / 2 + env_.random.below(refused_wait);
  flight.again = env_.clock.steady() + Milliseconds(static_cast<std::int64_t>(wait));
}

void Forwarder::schedule(Flight& flight) {
  flight.is_refused = false;
  flight.wait = flight.wait.count() == 0 ? first_wait : std::min(flight.wait * 2, longest_wait);
  const auto fifth = static_cast<std::uint64_t>(flight.wait.count() / 5);
  const auto jitter = Milliseconds(static_cast<std::int64_t>(env_.random.below(fifth)));
  flight.again = env_.clock.steady() + flight.wait + jitter;
}

/// Until an answer comes: it may be lost, or not be dealt with at once.
void Forwarder::pump_end(const std::string& name) {
  const auto found = ends_.find(name);
  if (found == ends_.end() || env_.clock.steady() < found->second.again) return;
  schedule(found->second);
  const auto end = buffer_.journal_end(name);
  if (end && !end->empty()) send_({kind_of(name), {}, {}}, *end, [](const auto&) {});
}

void Forwarder::pump_journal(std::string_view name) {
  const auto found = journals_.find(name);
  if (found != journals_.end() && env_.clock.steady() < found->second.again) return;
  auto part = buffer_.journal_part(name);
  if (!part || !*part) {
    if (!part) {
      env_.log.error("pipeline", "a journal cannot be read", {{"why", part.error().describe()}});
    }
    if (found != journals_.end()) journals_.erase(found);
    return;
  }
  auto& flight = journals_[std::string(name)];
  flight.last = (*part)->last;
  schedule(flight);
  send_({kind_of(name), {}, {}}, std::move((*part)->document),
        [this, journal = std::string(name)](const Result<void>& accepted) {
          if (!accepted) refused_journal(journal);
        });
}

}  // namespace ecp::inline v0::pipeline
