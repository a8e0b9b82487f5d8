// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include <ecp/core/reasons.hpp>
#include <ecp/pipeline/probe.hpp>

namespace ecp::inline v0::pipeline {
namespace {

Error bad(std::string_view what, std::string_view problem) {
  return Error(ecp::reasons::bad_field,
               {{"field", std::string(what)}, {"problem", std::string(problem)}});
}

std::optional<int> number_of(std::string_view text) {
  int number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

/// "a-b", or "a" for both.
std::pair<std::string_view, std::string_view> ends_of(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return {text, text};
  return {text.substr(0, dash), text.substr(dash + 1)};
}

}  // namespace

Result<void> read_probe_target(std::string_view text, ProbeOptions& options) {
  constexpr std::string_view scheme = "tcp://";
  constexpr std::string_view right = "must be tcp://host:port, such as tcp://192.168.1.10:502";
  if (text.substr(0, scheme.size()) != scheme) return bad("target", right);
  auto rest = text.substr(scheme.size());
  const auto colon = rest.rfind(':');
  const bool has_port = colon != std::string_view::npos && rest.find(']', colon) == rest.npos;
  if (has_port) {
    const auto port = number_of(rest.substr(colon + 1));
    if (!port || *port < 1 || *port > 65'535) return bad("target", right);
    options.port = static_cast<std::uint16_t>(*port);
    rest = rest.substr(0, colon);
  }
  if (rest.size() > 2 && rest.front() == '[' && rest.back() == ']') {
    rest = rest.substr(1, rest.size() - 2);
  }
  const bool is_host = !rest.empty() && rest.size() <= 253 &&
                       rest.find_first_of("/?#@[] \t") == std::string_view::npos;
  if (!is_host) return bad("target", right);
  options.host = std::string(rest);
  return {};
}

Result<void> read_probe_units(std::string_view text, ProbeOptions& options) {
  const auto [from, to] = ends_of(text);
  const auto first = number_of(from);
  const auto last = number_of(to);
  if (!first || !last || *first < 0 || *last > 255 || *first > *last) {
    return bad("--units", "must be one unit or a range between 0 and 255, such as 1-247");
  }
  options.first_unit = static_cast<std::uint8_t>(*first);
  options.last_unit = static_cast<std::uint8_t>(*last);
  return {};
}

Result<void> read_probe_range(std::string_view text, ProbeOptions& options) {
  const auto [from, to] = ends_of(text);
  const auto first = kind::parse_modbus_address("1!" + std::string(from));
  const auto last = kind::parse_modbus_address("1!" + std::string(to));
  const bool is_plain = first && last && !first->bit && !last->bit && first->text_registers == 0 &&
                        last->text_registers == 0;
  if (!is_plain || first->area != last->area || first->offset > last->offset) {
    return bad("--range",
               "must be first-last such as 400001-400020: 0 coils, 1 discrete inputs, 3 input "
               "registers, 4 holding registers, then the number from 1");
  }
  const auto count = std::size_t{last->offset} - first->offset + 1;
  if (count > most_probed) {
    return bad("--range", "is longer than " + std::to_string(most_probed) + ": ask in parts");
  }
  options.area = first->area;
  options.first = first->offset;
  options.count = static_cast<std::uint16_t>(count);
  return {};
}

Result<Milliseconds> read_probe_time(std::string_view option, std::string_view text) {
  const bool is_ms = text.size() > 2 && text.substr(text.size() - 2) == "ms";
  const bool is_s = !is_ms && text.size() > 1 && text.back() == 's';
  const auto number = is_ms  ? number_of(text.substr(0, text.size() - 2))
                      : is_s ? number_of(text.substr(0, text.size() - 1))
                             : std::nullopt;
  const int most = is_ms ? 60'000 : 60;
  if (!number || *number < 0 || *number > most) {
    return bad(option, "must be a time up to 60s, such as 300ms or 1s");
  }
  return Milliseconds{is_ms ? *number : *number * 1'000};
}

}  // namespace ecp::inline v0::pipeline
