// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Numbers that people give to registers.

#include <string>

#include <ecp/pipeline/probe.hpp>

namespace ecp::inline v0::pipeline {

/// "400001": area and number from 1.
[[nodiscard]] std::string cell_number(const ProbedRange& range, std::size_t cell);

}  // namespace ecp::inline v0::pipeline
