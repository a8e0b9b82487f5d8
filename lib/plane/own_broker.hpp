// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The proof that a broker which somebody else runs may carry the agent link.

#include <functional>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/plane/control_plane.hpp>

#include "plane/credentials.hpp"

namespace ecp::inline v0::plane {

/// What proves the guard of `config.external`. Blocks when called; may be called on any thread, one
/// call at a time. Fails with plane.broker_unguarded, whose text says what to do, or with
/// plane.broker_unproven when the broker cannot be asked.
[[nodiscard]] std::function<Result<void>()> proof_of(const BrokerConfig& config,
                                                     const Credentials& credentials, Env env);

}  // namespace ecp::inline v0::plane
