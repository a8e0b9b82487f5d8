// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of pipeline (numbers 2700-2799).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::pipeline {

namespace reasons {
inline constexpr Reason device_unreachable{2700, "pipeline.device_unreachable",
                                           ErrorCode::unavailable,
                                           "the device does not take connections: {problem}"};
inline constexpr Reason device_timeout{2701, "pipeline.device_timeout", ErrorCode::timeout,
                                       "the device did not answer in time"};
inline constexpr Reason device_exception{2702, "pipeline.device_exception",
                                         ErrorCode::failed_precondition,
                                         "the device answered with exception {code}: {meaning}"};
inline constexpr Reason bad_answer{2703, "pipeline.bad_answer", ErrorCode::unavailable,
                                   "the device's answer is no answer to the request"};
inline constexpr Reason bad_value{2704, "pipeline.bad_value", ErrorCode::failed_precondition,
                                  "the device holds no valid {type}"};
inline constexpr Reason unknown_tag{2705, "pipeline.unknown_tag", ErrorCode::not_found,
                                    "there is no data tag {tag}"};
inline constexpr Reason not_writable{2706, "pipeline.not_writable", ErrorCode::permission_denied,
                                     "the data tag is not declared writable"};
inline constexpr Reason writes_off{2707, "pipeline.writes_off", ErrorCode::permission_denied,
                                   "writing is off in the agent's own configuration file"};
inline constexpr Reason write_out_of_range{2708, "pipeline.write_out_of_range",
                                           ErrorCode::invalid_argument,
                                           "{value} is not between min {min} and max {max}"};
inline constexpr Reason write_wrong_type{2709, "pipeline.write_wrong_type",
                                         ErrorCode::invalid_argument, "the value must be a {type}"};
inline constexpr Reason write_does_not_fit{2710, "pipeline.write_does_not_fit",
                                           ErrorCode::invalid_argument,
                                           "the value does not fit into {type}"};
inline constexpr Reason write_not_verified{2711, "pipeline.write_not_verified",
                                           ErrorCode::failed_precondition,
                                           "the device took the value but read back {value}"};
inline constexpr Reason stopped{2712, "pipeline.stopped", ErrorCode::unavailable,
                                "the service does not run"};
inline constexpr Reason unknown_driver{2713, "pipeline.unknown_driver", ErrorCode::invalid_argument,
                                       "there is no driver {type}"};
inline constexpr Reason queue_full{2714, "pipeline.queue_full", ErrorCode::resource_exhausted,
                                   "{limit} writes wait for the device already"};
inline constexpr Reason write_unknown{2715, "pipeline.write_unknown", ErrorCode::timeout,
                                      "the device was asked to write; whether it did is not known: "
                                      "{problem}"};
inline constexpr Reason write_step_too_large{
    2716, "pipeline.write_step_too_large", ErrorCode::invalid_argument,
    "{value} is more than max_step {step} away from {current}, which the data tag has now"};
inline constexpr Reason write_step_unknown{
    2717, "pipeline.write_step_unknown", ErrorCode::failed_precondition,
    "max_step cannot be judged: the data tag has no good value now"};
inline constexpr Reason write_too_soon{
    2718, "pipeline.write_too_soon", ErrorCode::resource_exhausted,
    "the data tag was written {since} ms ago, and min_interval is {interval} ms"};
inline constexpr Reason not_written{
    2719, "pipeline.not_written", ErrorCode::failed_precondition,
    "not written, because another data tag of the same command was {problem}"};
inline constexpr Reason probe_unreachable{
    2720, "pipeline.probe_unreachable", ErrorCode::unavailable,
    "{host} takes no connection at port {port}: {problem}; check address, port (502 as a rule), "
    "cable and firewall"};
inline constexpr Reason probe_silent{
    2721, "pipeline.probe_silent", ErrorCode::timeout,
    "{host} port {port} is there, but no unit from {units} answered within {timeout} ms: try "
    "--timeout 1s, or --units 0-255"};
}  // namespace reasons

inline constexpr std::array pipeline_catalogue{&reasons::device_unreachable,
                                               &reasons::device_timeout,
                                               &reasons::device_exception,
                                               &reasons::bad_answer,
                                               &reasons::bad_value,
                                               &reasons::unknown_tag,
                                               &reasons::not_writable,
                                               &reasons::writes_off,
                                               &reasons::write_out_of_range,
                                               &reasons::write_wrong_type,
                                               &reasons::write_does_not_fit,
                                               &reasons::write_not_verified,
                                               &reasons::stopped,
                                               &reasons::unknown_driver,
                                               &reasons::queue_full,
                                               &reasons::write_unknown,
                                               &reasons::write_step_too_large,
                                               &reasons::write_step_unknown,
                                               &reasons::write_too_soon,
                                               &reasons::not_written,
                                               &reasons::probe_unreachable,
                                               &reasons::probe_silent};

}  // namespace ecp::inline v0::pipeline
