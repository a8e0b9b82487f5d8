// SPDX-License-Identifier: Apache-2.0
#include "pipeline/modbus/poller.hpp"

#include <algorithm>

#include <ecp/pipeline/reasons.hpp>

#include "pipeline/modbus/write_batch.hpp"

namespace ecp::inline v0::pipeline::modbus {
namespace {

constexpr std::size_t most_writes = 200;  // Waiting for one device.

/// Exceptions that one bad tag can bring over its neighbours: address, value, device failure.
bool may_be_of_one_tag(const Error& error) {
  if (!error.is(reasons::device_exception)) return false;
  const auto& code = error.params.front().second;
  return code == "2" || code == "3" || code == "4";
}

}  // namespace

Poller::Poller(kind::DriverConfig config, std::shared_ptr<IoThread> io, Env env)
    : config_(std::move(config)),
      io_(std::move(io)),
      env_(env),
      channel_(std::make_shared<Channel>(config_, io_, env)) {
  for (const auto& group : config_.groups) groups_.push_back({first_plan(group), {}, {}, 0});
}

std::vector<Poller::Step> Poller::first_plan(const kind::GroupConfig& group) const {
  std::vector<Step> plan;
  for (auto& read : plan_reads(group.tags, config_.registers_per_read, config_.gap_registers)) {
    plan.push_back({std::move(read), false});
  }
  return plan;
}

void Poller::start(DriverHandlers handlers) {
  handlers_ = std::move(handlers);
  is_running_ = true;
  channel_->open([poller = weak_from_this()](std::optional<Error> problem) {
    if (const auto self = poller.lock()) self->channel_state(std::move(problem));
  });
  waker_ = std::make_shared<Waker>(env_, io_, [poller = weak_from_this()] {
    if (const auto self = poller.lock()) self->tick();
  });
  for (auto& group : groups_) group.due = env_.clock.steady();
  tick();
}

void Poller::stop() {
  is_running_ = false;
  if (waker_) waker_->cancel();
  handlers_ = {};  // What is still being read says nothing about the device.
  channel_->close();
}

void Poller::channel_state(std::optional<Error> problem) {
  if (!problem) {
    // What answers again may be another device: what was refused before is tried anew.
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      groups_[i].next_plan = first_plan(config_.groups[i]);
    }
  }
  if (handlers_.on_state) handlers_.on_state(std::move(problem));
}

void Poller::tick() {
  if (!is_running_) return;
  const auto now = env_.clock.steady();
  auto next = SteadyTime::max();
  for (std::uint32_t i = 0; i < groups_.size(); ++i) {
    auto& group = groups_[i];
    if (now >= group.due) {
      poll(i);
      const auto interval = config_.groups[i].interval;
      const auto missed = (now - group.due) / interval;
      group.due += interval * (missed + 1);
    }
    next = std::min(next, group.due);
  }
  if (next != SteadyTime::max() && waker_) waker_->at(next);
}

/// A round that has not ended yet is not begun again.
void Poller::poll(std::uint32_t group) {
  auto& state = groups_[group];
  if (state.outstanding > 0) return;
  if (!state.next_plan.empty()) state.plan = std::exchange(state.next_plan, {});
  const auto plan = state.plan;
  state.outstanding = plan.size();
  for (const auto& step : plan) read_step(group, step);
}

void Poller::read_step(std::uint32_t group, Step step) {
  auto pdu = read_request(step.read);
  const auto unit = step.read.unit;
  channel_->submit(
      {unit, std::move(pdu), false,
       [self = shared_from_this(), group, step = std::move(step)](const Result<Bytes>& answer) {
         auto octets = answer ? read_answer(step.read, *answer) : answer;
         if (!octets && step.read.tags.size() > 1 && may_be_of_one_tag(octets.error())) {
           return self->split(group, step);
         }
         self->deliver(group, step.read, octets);
         self->round_part_done(group);
       },
       0});
}

void Poller::split(std::uint32_t group, const Step& step) {
  const auto split = std::make_shared<Split>();  // Shared by the reads of its tags.
  split->left = step.read.tags.size();
  split->was_tight = step.is_tight;
  for (const auto tag : step.read.tags) read_alone(group, tag, split);
}

void Poller::read_alone(std::uint32_t group, std::uint32_t tag, std::shared_ptr<Split> split) {
  auto read = read_of(tag_at({group, tag}), tag);
  auto pdu = read_request(read);
  const auto unit = read.unit;
  channel_->submit({unit, std::move(pdu), false,
                    [self = shared_from_this(), group, tag, read = std::move(read),
                     split = std::move(split)](const Result<Bytes>& answer) {
                      auto octets = answer ? read_answer(read, *answer) : answer;
                      self->deliver(group, read, octets);
                      (octets ? split->good : split->bad).push_back(tag);
                      if (--split->left == 0) {
                        self->finish_split(group, *split);
                        self->round_part_done(group);
                      }
                    },
                    0});
}

/// The good ones are read together without anything between them, the bad ones alone.
void Poller::finish_split(std::uint32_t group, const Split& split) {
  auto& state = groups_[group];
  if (state.next_plan.empty()) state.next_plan = state.plan;
  const auto is_of_split = [&](const Step& step) {
    const auto first = step.read.tags.front();
    return std::find(split.good.begin(), split.good.end(), first) != split.good.end() ||
           std::find(split.bad.begin(), split.bad.end(), first) != split.bad.end();
  };
  std::erase_if(state.next_plan, is_of_split);
  const auto& tags = config_.groups[group].tags;
  if (!split.was_tight) {
    for (auto& read : plan_reads(tags, split.good, config_.registers_per_read, 0)) {
      state.next_plan.push_back({std::move(read), true});
    }
  } else {
    for (const auto tag : split.good) state.next_plan.push_back({read_of(tags[tag], tag), true});
  }
  for (const auto tag : split.bad) state.next_plan.push_back({read_of(tags[tag], tag), true});
}

void Poller::deliver(std::uint32_t group, const Read& read, const Result<Bytes>& answer) {
  if (!handlers_.on_readings) return;
  const auto time = env_.clock.now();
  std::vector<Reading> readings;
  readings.reserve(read.tags.size());
  for (const auto tag : read.tags) {
    const TagPlace place{group, tag};
    const auto& config = tag_at(place);
    readings.push_back({place, time,
                        answer ? decode(config, raw_of(config, read, *answer))
                               : Result<series::Value>(answer.error())});
  }
  handlers_.on_readings(std::move(readings));
}

void Poller::round_part_done(std::uint32_t group) {
  auto& outstanding = groups_[group].outstanding;
  if (outstanding > 0) --outstanding;
}

void Poller::write(std::vector<Write> writes) {
  const auto refuse = [&writes](const Error& why) {
    for (auto& write : writes) write.done(why);
  };
  if (!is_running_) return refuse(reasons::stopped);
  const auto count = writes.size();
  if (writes_ + count > most_writes) {
    return refuse(Error(reasons::queue_full, {{"limit", std::to_string(writes_)}}));
  }
  writes_ += count;
  const auto batch = std::make_shared<WriteBatch>(
      config_, channel_,
      WriteBatch::Handlers{
          [self = shared_from_this()](std::uint32_t group, const Read& read, const Bytes& octets) {
            self->deliver(group, read, octets);
          },
          [self = shared_from_this(), count] { self->writes_ -= count; }});
  batch->start(std::move(writes));
}

}  // namespace ecp::inline v0::pipeline::modbus
