// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/pipeline.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline {
namespace {

/// A reading so little before the last one is of the same instant; one further back is of a clock
/// that was set back.
constexpr Milliseconds one_instant{5};

/// What was read of a tag last, and what of it was reported.
struct LastReported {
  bool is_known = false;
  std::string error;  ///< Empty: good.
  series::Value value;
  Time read_at;  ///< Of the last reading, reported or not.
};

/// A data tag has one sample a millisecond, so that whoever pages by time misses none: of two
/// readings in one (a poll and a write's check; two versions of a service) the later moves on.
Time moment_after(Time before, Time read_at) {
  if (read_at > before || before - read_at >= one_instant) return read_at;
  return before + Milliseconds{1};
}

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

/// Keep the newest value of each tag that is asked for.
void note_current(std::map<TagPlace, std::optional<series::Value>>& current,
                  const std::vector<Reading>& readings, const std::vector<Observation>& seen) {
  for (std::size_t i = 0; !current.empty() && i < seen.size(); ++i) {
    const auto found = current.find(readings[i].place);
    if (found == current.end()) continue;
    const auto& sample = seen[i].sample;
    found->second =
        sample.quality == series::Quality::bad ? std::nullopt : std::optional(sample.value);
  }
}

bool are_good(const WriteResults& results) {
  return std::all_of(results.begin(), results.end(),
                     [](const auto& each) { return each.has_value(); });
}

/// Gathers the results of writes that go through several drivers.
struct Outcome {
  std::mutex mutex;
  WriteResults results;
  std::size_t left = 0;
  std::function<void(WriteResults)> handler;

  void take(std::size_t index, Result<series::Value> result) {
    {
      const std::lock_guard lock(mutex);
      results[index] = std::move(result);
      if (--left > 0) return;
    }
    handler(std::move(results));
  }
};

/// A safe value that no register can hold shall not be found out when it is needed.
Result<void> check_safe_values(const kind::TagConfig& tag) {
  for (const auto& rule : tag.on_loss) {
    if (rule.safe_value_json.empty()) continue;
    ECP_TRY_VOID(judge_write(tag, rule.safe_value_json, {true, {}, {}, true}));
  }
  return {};
}

}  // namespace

struct Pipeline::State {
  struct Line {
    std::unique_ptr<Driver> driver;
    std::vector<std::vector<LastReported>> last;  ///< By group and tag; the driver's thread alone.
    std::optional<Error> problem;                 ///< Guarded by `mutex`.
    bool has_answered = false;                    ///< With a good value. Guarded by `mutex`.
    std::optional<Error> only_bad;                ///< It never had one: why. Guarded by `mutex`.
    /// Of the data tags with max_step: the value read last, when it is good. Guarded by `mutex`.
    std::map<TagPlace, std::optional<series::Value>> current;
  };
  /// A data tag by its path.
  struct Place {
    std::size_t line = 0;
    TagPlace tag;
    const kind::TagConfig* config = nullptr;
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
  [[nodiscard]] std::optional<Place> find(std::string_view path) const;
  [[nodiscard]] Result<series::Value> judge(const WriteOrder& order, WriteRights rights) const;
  [[nodiscard]] WriteResults judge(const std::vector<WriteOrder>& orders, WriteRights rights) const;
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
  sample.time = last.read_at = moment_after(last.read_at, reading.time);
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
  if (seen.is_reported) last = {true, sample.error, sample.value, sample.time};
  return seen;
}

void Pipeline::State::take_readings(std::size_t index, std::vector<Reading> readings) {
  auto& line = lines[index];
  std::vector<Observation> seen;
  seen.reserve(readings.size());
  bool has_good = false;
  std::optional<Error> bad;
  for (auto& reading : readings) {
    has_good = has_good || reading.value.has_value();
    if (!reading.value) bad = reading.value.error();
    seen.push_back(observe(line, config.drivers[index], reading));
  }
  bool is_first = false;
  {
    const std::lock_guard lock(mutex);
    note_current(line.current, readings, seen);
    is_first = !line.has_answered && (has_good || (bad && !line.only_bad));
    line.has_answered = line.has_answered || has_good;
    line.only_bad = line.has_answered ? std::nullopt : std::move(bad);
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
    for (std::uint32_t g = 0; g < driver.groups.size(); ++g) {
      const auto& tags = driver.groups[g].tags;
      line.last.emplace_back(tags.size());
      for (std::uint32_t t = 0; t < tags.size(); ++t) {
        if (tags[t].max_step) line.current[{g, t}] = std::nullopt;
        ECP_TRY_VOID(check_safe_values(tags[t]));
      }
    }
    state->lines.push_back(std::move(line));
  }
  return std::unique_ptr<Pipeline>(new Pipeline(std::move(state)));
}

void Pipeline::start(Handlers handlers, Time former) {
  state_->handlers = std::move(handlers);
  for (auto& line : state_->lines) {
    for (auto& group : line.last) {
      for (auto& tag : group) tag.read_at = former;
    }
  }
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

Time Pipeline::last_reading() const {
  Time newest{};
  for (const auto& line : state_->lines) {
    for (const auto& group : line.last) {
      for (const auto& tag : group) newest = std::max(newest, tag.read_at);
    }
  }
  return newest;
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
    const auto& problem = line.problem ? line.problem : line.only_bad;
    if (!problem) continue;
    if (line.problem) ++failed;
    if (reason.empty()) {
      reason = std::string(problem->reason->symbol) + ": driver " + state_->config.drivers[i].name +
               ": " + problem->message();
    }
  }
  if (failed > 0 && failed == state_->lines.size()) return {link::ServiceState::failed, reason};
  if (!reason.empty()) return {link::ServiceState::degraded, reason};
  return {has_all ? link::ServiceState::running : link::ServiceState::starting, {}};
}

std::optional<Pipeline::State::Place> Pipeline::State::find(std::string_view path) const {
  const auto* found = kind::find_tag(config, path);
  if (found == nullptr) return std::nullopt;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto& groups = config.drivers[i].groups;
    for (std::uint32_t g = 0; g < groups.size(); ++g) {
      const auto& tags = groups[g].tags;
      if (found < tags.data() || found >= tags.data() + tags.size()) continue;
      return Place{i, {g, static_cast<std::uint32_t>(found - tags.data())}, found};
    }
  }
  return std::nullopt;
}

Result<series::Value> Pipeline::State::judge(const WriteOrder& order, WriteRights rights) const {
  const auto place = find(order.tag);
  if (!place) return Error(reasons::unknown_tag, {{"tag", order.tag}});
  WriteCircumstances circumstances;
  circumstances.writes_allowed = rights.writes_allowed;
  circumstances.is_safe_value = rights.is_safe_value;
  circumstances.since_write = order.since_write;
  {
    const std::lock_guard lock(mutex);
    const auto& current = lines[place->line].current;
    const auto found = current.find(place->tag);
    if (found != current.end()) circumstances.current = found->second;
  }
  return judge_write(*place->config, order.value_json, circumstances);
}

/// When one is refused, nothing is good.
WriteResults Pipeline::State::judge(const std::vector<WriteOrder>& orders,
                                    WriteRights rights) const {
  WriteResults judged;
  for (const auto& order : orders) judged.push_back(judge(order, rights));
  if (are_good(judged)) return judged;
  for (auto& each : judged) {
    if (each) each = Error(reasons::not_written, {{"problem", "refused"}});
  }
  return judged;
}

std::optional<WriteResults> Pipeline::refusals(const std::vector<WriteOrder>& orders,
                                               WriteRights rights) const {
  auto judged = state_->judge(orders, rights);
  if (are_good(judged)) return std::nullopt;
  return judged;
}

void Pipeline::write(const std::vector<WriteOrder>& orders, WriteRights rights,
                     std::function<void(WriteResults)> handler) {
  auto judged = state_->judge(orders, rights);
  if (orders.empty() || !are_good(judged)) return handler(std::move(judged));
  const auto outcome = std::make_shared<Outcome>();  // Shared by the writes of this call.
  outcome->results.assign(orders.size(), Result<series::Value>(Error(reasons::stopped)));
  outcome->left = orders.size();
  outcome->handler = std::move(handler);
  std::vector<std::vector<Write>> by_line(state_->lines.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    const auto place = state_->find(orders[i].tag);
    by_line[place->line].push_back(
        {place->tag, std::move(*judged[i]),
         [outcome, i](Result<series::Value> result) { outcome->take(i, std::move(result)); }});
  }
  for (std::size_t i = 0; i < by_line.size(); ++i) {
    if (!by_line[i].empty()) state_->lines[i].driver->write(std::move(by_line[i]));
  }
}

}  // namespace ecp::inline v0::pipeline
