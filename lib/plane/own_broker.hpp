// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The proof that a broker which somebody else runs may carry the agent link.

#include <functional>
#include <memory>
#include <optional>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/transport/session_cutter.hpp>

#include "plane/credentials.hpp"

namespace ecp::inline v0::plane {

/// What proves the guard of `config.external`. Blocks when called; may be called on any thread, one
/// call at a time. Fails with plane.broker_unguarded, whose text says what to do, or with
/// plane.broker_unproven when the broker cannot be asked.
[[nodiscard]] std::function<Result<void>()> proof_of(const BrokerConfig& config,
                                                     const Credentials& credentials, Env env);

/// What keeps revoked agents off `config.emqx`, with a worker of its own; none without it.
/// `given` is the API key from the environment. Fails with plane.no_emqx_key, or with
/// `failed_precondition` when others may read the key's file.
[[nodiscard]] Result<std::unique_ptr<transport::SessionCutter>> open_cutter(
    const BrokerConfig& config, std::optional<Secret> given, http::Client& client, Env env);

}  // namespace ecp::inline v0::plane
