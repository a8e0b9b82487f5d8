// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Groups read at their intervals, and writes, on one channel.

#include <memory>
#include <vector>

#include <ecp/pipeline/driver.hpp>

#include "pipeline/modbus/channel.hpp"

namespace ecp::inline v0::pipeline::modbus {

/// Everything on the io thread.
///
/// Ownership: shared with requests on their way.
class Poller : public std::enable_shared_from_this<Poller> {
 public:
  Poller(kind::DriverConfig config, std::shared_ptr<IoThread> io, Env env);
  void start(DriverHandlers handlers);
  void stop();
  void write(std::vector<Write> writes);

 private:
  /// A read of a group's plan. After an exception its tags are read alone once, and the plan is
  /// made anew from what was found.
  struct Step {
    Read read;
    bool is_tight = false;  ///< No unwanted registers are read with it.
  };
  /// A step being read tag by tag.
  struct Split {
    std::size_t left = 0;
    bool was_tight = false;
    std::vector<std::uint32_t> good;
    std::vector<std::uint32_t> bad;
  };
  struct Group {
    std::vector<Step> plan;
    std::vector<Step> next_plan;  ///< Taken over when the round ends.
    SteadyTime due;
    std::size_t outstanding = 0;
  };

  void tick();
  void poll(std::uint32_t group);
  void read_step(std::uint32_t group, Step step);
  void read_alone(std::uint32_t group, std::uint32_t tag, std::shared_ptr<Split> split);
  void split(std::uint32_t group, const Step& step);
  void finish_split(std::uint32_t group, const Split& split);
  void deliver(std::uint32_t group, const Read& read, const Result<Bytes>& answer);
  void round_part_done(std::uint32_t group);
  void channel_state(std::optional<Error> problem);
  [[nodiscard]] std::vector<Step> first_plan(const kind::GroupConfig& group) const;
  [[nodiscard]] const kind::TagConfig& tag_at(TagPlace place) const {
    return config_.groups[place.group].tags[place.tag];
  }

  kind::DriverConfig config_;
  std::shared_ptr<IoThread> io_;  // Shared with the factory and its other drivers.
  Env env_;
  DriverHandlers handlers_;
  std::shared_ptr<Channel> channel_;  // Shared with its operations on their way.
  std::shared_ptr<Waker> waker_;      // Shared with its timers.
  std::vector<Group> groups_;
  std::size_t writes_ = 0;
  bool is_running_ = false;
};

}  // namespace ecp::inline v0::pipeline::modbus
