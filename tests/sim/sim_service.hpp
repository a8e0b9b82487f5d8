// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The edge service that every site of the simulation has.

#include <cstdint>
#include <string>

namespace ecp_test {

inline constexpr const char* sim_counter_tag = "device/fast/counter";
inline constexpr const char* sim_level_tag = "device/fast/level";
inline constexpr const char* sim_setpoint_tag = "device/fast/setpoint";

[[nodiscard]] inline std::string sim_service_config(std::int64_t interval_ms) {
  return R"({"drivers":[{"name":"device","type":"modbus-tcp","host":"10.0.0.5","groups":[)"
         R"({"name":"fast","interval_ms":)" +
         std::to_string(interval_ms) +
         R"(,"tags":[)"
         R"({"name":"counter","address":"1!400001","type":"int64"},)"
         R"({"name":"level","address":"1!400005","type":"float64"},)"
         R"({"name":"setpoint","address":"1!400009","type":"float64","writable":true,)"
         R"("min":0,"max":100000}]}]}]})";
}

}  // namespace ecp_test
