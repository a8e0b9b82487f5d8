// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The database of an agent's program.

#include <memory>

#include <ecp/agent/enrollment.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::agent {

/// Open the agent's database, making it when it is not there.
[[nodiscard]] Result<std::unique_ptr<storage::Store>> open_database(const AgentFiles& files,
                                                                    const Env& env);

}  // namespace ecp::inline v0::agent
