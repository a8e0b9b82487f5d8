// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of agent (numbers 2800-2899).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::agent {

namespace reasons {
inline constexpr Reason already_enrolled{
    2800, "agent.already_enrolled", ErrorCode::already_exists,
    "{folder} holds the identity of an enrolled agent already"};
inline constexpr Reason not_enrolled{2801, "agent.not_enrolled", ErrorCode::failed_precondition,
                                     "{folder} holds no identity: run ecp-edge enroll first"};
inline constexpr Reason bad_token{2802, "agent.bad_token", ErrorCode::invalid_argument,
                                  "the text is no enrollment token (ecpt_...)"};
inline constexpr Reason server_refused{2803, "agent.server_refused", ErrorCode::failed_precondition,
                                       "the server answered {status}: {message}"};
inline constexpr Reason bad_server_answer{2804, "agent.bad_server_answer", ErrorCode::unavailable,
                                          "the server's answer cannot be used: {problem}"};
inline constexpr Reason unknown_manifest_key{2805, "agent.unknown_manifest_key",
                                             ErrorCode::permission_denied,
                                             "the manifest is signed with the unknown key {key}"};
inline constexpr Reason foreign_manifest{2806, "agent.foreign_manifest",
                                         ErrorCode::permission_denied,
                                         "the manifest is of another agent"};
inline constexpr Reason old_manifest{2807, "agent.old_manifest", ErrorCode::conflict,
                                     "the manifest is not newer than the one accepted"};
inline constexpr Reason wrong_body{2808, "agent.wrong_body", ErrorCode::invalid_argument,
                                   "the body of {name} does not have the hash of the manifest"};
inline constexpr Reason unknown_resource{2809, "agent.unknown_resource", ErrorCode::unimplemented,
                                         "this agent knows no resource {name}"};
inline constexpr Reason no_server_time{2810, "agent.no_server_time", ErrorCode::failed_precondition,
                                       "the server's time is not known"};
inline constexpr Reason expired{2811, "agent.expired", ErrorCode::failed_precondition,
                                "the command came after its time"};
inline constexpr Reason unknown_service{2812, "agent.unknown_service", ErrorCode::not_found,
                                        "there is no such service on this node"};
inline constexpr Reason unknown_action{2813, "agent.unknown_action", ErrorCode::unimplemented,
                                       "this agent knows no action {action}"};
inline constexpr Reason interrupted{2814, "agent.interrupted", ErrorCode::unavailable,
                                    "the agent ended while the command ran"};
inline constexpr Reason bad_identity{
    2815, "agent.bad_identity", ErrorCode::data_loss,
    "{path} {problem}: restore it, or enroll into an empty folder"};
inline constexpr Reason folder_in_use{2816, "agent.folder_in_use", ErrorCode::failed_precondition,
                                      "another ecp-edge is using {folder}: stop it first"};
}  // namespace reasons

inline constexpr std::array agent_catalogue{
    &reasons::already_enrolled, &reasons::not_enrolled,      &reasons::bad_token,
    &reasons::server_refused,   &reasons::bad_server_answer, &reasons::unknown_manifest_key,
    &reasons::foreign_manifest, &reasons::old_manifest,      &reasons::wrong_body,
    &reasons::unknown_resource, &reasons::no_server_time,    &reasons::expired,
    &reasons::unknown_service,  &reasons::unknown_action,    &reasons::interrupted,
    &reasons::bad_identity,     &reasons::folder_in_use};

}  // namespace ecp::inline v0::agent
