// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/pipeline/probe.hpp>
#include <ecp/pipeline/reasons.hpp>

#include "pipeline/probe/dialogue.hpp"

namespace ecp::inline v0::pipeline {
namespace {

using kind::ModbusArea;

constexpr int told_every = 20;  // Units.

bool is_bit_area(ModbusArea area) {
  return area == ModbusArea::coil || area == ModbusArea::discrete_input;
}

/// Exceptions that one cell among others can bring: address, value, device failure.
bool may_be_of_one_cell(const Error& error) {
  if (!error.is(reasons::device_exception)) return false;
  const auto& code = error.params.front().second;
  return code == "2" || code == "3" || code == "4";
}

/// Asks one device, politely.
class Prober {
 public:
  Prober(const ProbeOptions& options, const std::function<void(std::string_view)>& tell)
      : options_(options), tell_(tell), dialogue_(options) {}

  Result<ProbeFindings> run() {
    ECP_TRY_VOID(dialogue_.connect());
    ProbeFindings findings;
    ECP_TRY(findings.units, find_units());
    for (const auto unit : findings.units) {
      if (findings.ranges.size() == most_probed_units) break;
      tell_("reading unit " + std::to_string(unit));
      ProbedRange range{unit, options_.area, options_.first, {}};
      range.cells.resize(options_.count);
      ECP_TRY_VOID(read(range, 0, range.cells.size()));
      findings.ranges.push_back(std::move(range));
    }
    return findings;
  }

 private:
  Result<Bytes> ask(std::uint8_t unit, std::size_t first, std::size_t count) {
    if (options_.delay.count() > 0) dialogue_.linger(options_.delay);
    return dialogue_.ask({unit,
                          options_.area,
                          static_cast<std::uint16_t>(options_.first + first),
                          static_cast<std::uint16_t>(count),
                          {}});
  }

  /// Any answer will do, a refusal too.
  Result<std::vector<std::uint8_t>> find_units() {
    std::vector<std::uint8_t> found;
    const int all = options_.last_unit - options_.first_unit + 1;
    for (int unit = options_.first_unit; unit <= options_.last_unit; ++unit) {
      const auto answer = ask(static_cast<std::uint8_t>(unit), 0, 1);
      if (!answer && answer.error().is(reasons::probe_unreachable)) return answer.error();
      if (answer || answer.error().is(reasons::device_exception)) {
        found.push_back(static_cast<std::uint8_t>(unit));
      }
      const int asked = unit - options_.first_unit + 1;
      if (asked % told_every == 0 && asked < all) {
        tell_("asked " + std::to_string(asked) + " of " + std::to_string(all) + " units, " +
              std::to_string(found.size()) + " answered");
      }
    }
    add_late(found);
    if (found.empty()) return silent();
    return found;
  }

  void add_late(std::vector<std::uint8_t>& found) {
    dialogue_.linger(found.empty() ? options_.timeout * 2 : Milliseconds{0});
    for (int unit = options_.first_unit; unit <= options_.last_unit; ++unit) {
      const auto number = static_cast<std::uint8_t>(unit);
      const bool is_known = std::find(found.begin(), found.end(), number) != found.end();
      if (!is_known && dialogue_.has_answered_late(number)) found.push_back(number);
    }
    std::sort(found.begin(), found.end());
  }

  [[nodiscard]] Error silent() const {
    return Error(reasons::probe_silent, {{"host", options_.host},
                                         {"port", std::to_string(options_.port)},
                                         {"units", std::to_string(options_.first_unit) + " to " +
                                                       std::to_string(options_.last_unit)},
                                         {"timeout", std::to_string(options_.timeout.count())}});
  }

  /// Halve what is refused until each hole stands alone.
  Result<void> read(ProbedRange& range, std::size_t first, std::size_t count) {
    const auto most = is_bit_area(options_.area) ? modbus::most_bits : modbus::most_registers;
    if (count > most) {
      ECP_TRY_VOID(read(range, first, most));
      return read(range, first + most, count - most);
    }
    auto answer = ask(range.unit, first, count);
    if (!answer && answer.error().is(reasons::device_timeout))
      answer = ask(range.unit, first, count);
    if (answer) {
      take(range, first, count, *answer);
      return {};
    }
    if (answer.error().is(reasons::probe_unreachable)) return answer.error();
    if (count > 1 && may_be_of_one_cell(answer.error())) {
      ECP_TRY_VOID(read(range, first, count / 2));
      return read(range, first + count / 2, count - count / 2);
    }
    for (std::size_t i = first; i < first + count; ++i) {
      range.cells[i].problem = answer.error().message();
    }
    return {};
  }

  void take(ProbedRange& range, std::size_t first, std::size_t count, BytesView octets) const {
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = [&](std::size_t place) { return static_cast<std::uint8_t>(octets[place]); };
      const auto content =
          is_bit_area(options_.area) ? at(i / 8) >> (i % 8) & 1 : at(2 * i) << 8 | at(2 * i + 1);
      range.cells[first + i].content = static_cast<std::uint16_t>(content);
    }
  }

  const ProbeOptions& options_;
  const std::function<void(std::string_view)>& tell_;
  Dialogue dialogue_;
};

}  // namespace

Result<ProbeFindings> probe(const ProbeOptions& options,
                            const std::function<void(std::string_view)>& tell) {
  return Prober(options, tell).run();
}

}  // namespace ecp::inline v0::pipeline
