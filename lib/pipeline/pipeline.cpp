// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/pipeline.hpp>

#include <cmath>
#include <map>
#include <mutex>

#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline {
namespace {

/// What was reported of a tag last.
struct LastReported {
  bool is_known = false;
  std::string error;  ///< Empty: good.
  series::Value value;
};

std::optional<double> number_of(const series::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  return std::nullopt;
}

bool has_moved(const kind::TagConfig& tag, const series::Value& before,
               const series::Value& after) {
  const auto from = number_of(before);
  const auto to = number_of(after);
  if (tag.deadband <= 0.0 || !from || !to) return before != after;
  return std::abs(*to - *from) > tag.deadband;
}

}  // namespace

struct Pipeline::State {
  struct Line {
    std::unique_ptr<Driver> driver;
    std::vector<std::vector<LastReported>> last;  ///< By group and tag; the driver's thread alone.
    std::optional<Error> problem;                 ///< Guarded by `mutex`.
    bool has_answered = false;                    ///< Guarded by `mutex`.
  };

  kind::PipelineConfig config;
  std::vector<Line> lines;
  Handlers handlers;
  mutable std::mutex mutex;
  bool is_running = false;

  [[nodiscard]] Observation observe(Line& line, const kind::DriverConfig& driver,
                                    Reading& reading) const;
  void take_readings(std::size_t index, std::vector<Reading> readings);
  void take_state(std::size_t index, std::optional<Error> problem);
};

/// A bad value is told once, until it changes; a good one by the tag's own rules.
Observation Pipeline::State::observe(Line& line, const kind::DriverConfig& driver,
                                     Reading& reading) const {
  const auto& group = driver.groups[reading.place.group];
  const auto& tag = group.tags[reading.place.tag];
  auto& last = line.last[reading.place.group][reading.place.tag];
  Observation seen;
  auto& sample = seen.sample;
  sample.tag = driver.name + "/" + group.name + "/" + tag.name;
  sample.time = reading.time;
  if (!reading.value) {
    sample.quality = series::Quality::bad;
    sample.error = std::string(reading.value.error().reason->symbol);
    seen.is_reported = !last.is_known || last.error != sample.error;
  } else {
    sample.value = std::move(*reading.value);
    const bool always = tag.report_unchanged && tag.deadband <= 0.0;
    seen.is_reported =
        always || !last.is_known || !last.error.empty() || has_moved(tag, last.value, sample.value);
  }
  if (seen.is_reported) last = {true, sample.error, sample.value};
  return seen;
}

void Pipeline::State::take_readings(std::size_t index, std::vector<Reading> readings) {
  auto& line = lines[index];
  std::vector<Observation> seen;
  seen.reserve(readings.size());
  bool has_good = false;
  for (auto& reading : readings) {
    has_good = has_good || reading.value.has_value();
    seen.push_back(observe(line, config.drivers[index], reading));
  }
  bool is_first = false;
  {
    const std::lock_guard lock(mutex);
    is_first = has_good && !line.has_answered;
    line.has_answered = line.has_answered || has_good;
  }
  handlers.on_observations(std::move(seen));
  if (is_first) handlers.on_status();
}

void Pipeline::State::take_state(std::size_t index, std::optional<Error> problem) {
  {
    const std::lock_guard lock(mutex);
    lines[index].problem = std::move(problem);
  }
  handlers.on_status();
}

Pipeline::Pipeline(std::shared_ptr<State> state) : state_(std::move(state)) {}

Pipeline::~Pipeline() { stop(); }

Result<std::unique_ptr<Pipeline>> Pipeline::open(kind::PipelineConfig config,
                                                 DriverFactory& drivers) {
  auto state = std::make_shared<State>();
  state->config = std::move(config);
  for (const auto& driver : state->config.drivers) {
    State::Line line;
    ECP_TRY(line.driver, drivers.open(driver));
    for (const auto& group : driver.groups) line.last.emplace_back(group.tags.size());
    state->lines.push_back(std::move(line));
  }
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(state)));
}

void Pipeline::start(Handlers handlers) {
  state_->handlers = std::move(handlers);
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_running = true;
  }
  for (std::size_t i = 0; i < state_->lines.size(); ++i) {
    // The state outlives the drivers that it owns, and no handler runs after they stopped.
    state_->lines[i].driver->start({[state = state_.get(), i](std::vector<Reading> readings) {
                                      state->take_readings(i, std::move(readings));
                                    },
                                    [state = state_.get(), i](std::optional<Error> problem) {
                                      state->take_state(i, std::move(problem));
                                    }});
  }
}

void Pipeline::stop() noexcept {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_running = false;
  }
  for (auto& line : state_->lines) line.driver->stop();
}

PipelineStatus Pipeline::status() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_running) return {link::ServiceState::stopped, {}};
  std::size_t failed = 0;
  bool has_all = true;
  std::string reason;
  for (std::size_t i = 0; i < state_->lines.size(); ++i) {
    const auto& line = state_->lines[i];
    has_all = has_all && line.has_answered;
    if (!line.problem) continue;
    if (++failed == 1) {
      reason = std::string(line.problem->reason->symbol) + ": driver " +
               state_->config.drivers[i].name + ": " + line.problem->message();
    }
  }
  if (failed > 0 && failed == state_->lines.size()) return {link::ServiceState::failed, reason};
  if (failed > 0) return {link::ServiceState::degraded, reason};
  return {has_all ? link::ServiceState::running : link::ServiceState::starting, {}};
}

void Pipeline::write(std::string_view tag, std::string_view value_json, bool writes_allowed,
                     Driver::WriteHandler handler) {
  const auto* config = kind::find_tag(state_->config, tag);
  if (config == nullptr) {
    return handler(Error(reasons::unknown_tag, {{"tag", std::string(tag)}}));
  }
  auto value = judge_write(*config, value_json, writes_allowed);
  if (!value) return handler(std::move(value));
  for (std::size_t i = 0; i < state_->lines.size(); ++i) {
    const auto& groups = state_->config.drivers[i].groups;
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      const auto& tags = groups[g].tags;
      if (config < tags.data() || config >= tags.data() + tags.size()) continue;
      const auto place = static_cast<std::uint32_t>(config - tags.data());
      return state_->lines[i].driver->write({g, place}, std::move(*value), std::move(handler));
    }
  }
}

}  // namespace ecp::inline v0::pipeline
