// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Values over time and their coding on the wire.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::series {

/// A value of a data tag.
using Value = std::variant<bool, std::int64_t, double, std::string>;

/// Whether the value is to be believed.
enum class Quality : std::uint8_t {
  good,
  bad,            ///< The device or driver reported an error; `Sample::error` says which.
  uncertain_time  ///< Good, but the agent's clock differed from the control plane's by over 5 s.
};

/// One reading of one data tag.
struct Sample {
  std::string tag;  ///< "driver/group/tag".
  Time time;        ///< When it was read, by the agent's clock.
  Quality quality = Quality::good;
  Value value = 0.0;  ///< Meaningless when bad.
  std::string error;  ///< Reason symbol when bad: "pipeline.device_timeout".
  bool late = false;  ///< Sent from the backlog after a cut.

  friend bool operator==(const Sample&, const Sample&) = default;
};

/// Code samples as one block: version octet, tag dictionary, delta times, values by type.
/// Documented in docs/formats.md; golden files in tests/golden.
[[nodiscard]] ECP_EXPORT Bytes encode_samples(const std::vector<Sample>& samples);
/// Fails with `invalid_argument` on anything but a whole block of a known version, and on more than
/// limits::batch_samples samples.
[[nodiscard]] ECP_EXPORT Result<std::vector<Sample>> decode_samples(BytesView block);

/// A value as JSON text and back.
[[nodiscard]] ECP_EXPORT std::string to_json(const Value& value);
/// {"tag","time","value","quality","error","late"}: how people's programs see a sample.
ECP_EXPORT void write_json(json::Writer& writer, const Sample& sample);

}  // namespace ecp::inline v0::series
