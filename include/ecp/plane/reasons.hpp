// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of plane (numbers 3150-3199).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::plane::reasons {

inline constexpr Reason unknown_store{
    3150, "plane.unknown_store", ErrorCode::invalid_argument,
    "store.url {url} is neither sqlite:PATH nor postgresql://..."};
inline constexpr Reason folder_in_use{
    3152, "plane.folder_in_use", ErrorCode::failed_precondition,
    "the data folder {path} is in use by another control plane; stop that first"};
inline constexpr Reason nothing_here{
    3153, "plane.nothing_here", ErrorCode::failed_precondition,
    "there is no control plane in {path} yet; run ecpd serve once"};
inline constexpr Reason broker_unguarded{
    3154, "plane.broker_unguarded", ErrorCode::failed_precondition,
    "the broker {address} must not be used: {problem}. Let it load our plugin (ecpd broker-config "
    "writes a configuration) or give it the rules of docs/own-broker.md, and nothing beside them"};
inline constexpr Reason broker_unproven{3155, "plane.broker_unproven", ErrorCode::unavailable,
                                        "the broker {address} cannot be used: {problem}"};
inline constexpr Reason no_broker_url{
    3156, "plane.no_broker_url", ErrorCode::failed_precondition,
    "broker.url is not set: ecpd starts its own broker and writes that one's configuration itself"};
inline constexpr Reason no_emqx_key{
    3157, "plane.no_emqx_key", ErrorCode::failed_precondition,
    "EMQX's API key is not given: name a file with key:secret in broker.emqx.key_file, or set "
    "ECPD_EMQX_KEY"};
inline constexpr std::array plane_catalogue{&unknown_store,    &folder_in_use,   &nothing_here,
                                            &broker_unguarded, &broker_unproven, &no_broker_url,
                                            &no_emqx_key};

}  // namespace ecp::inline v0::plane::reasons
