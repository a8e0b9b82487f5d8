// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the fleet writes into the audit log.

#include <ecp/audit/audit.hpp>

namespace ecp::inline v0::fleet::operations {

inline constexpr audit::Operation edge_node_enroll{"edge_node.enroll"};
inline constexpr audit::Operation edge_node_renew{"edge_node.renew_certificate"};
inline constexpr audit::Operation edge_node_update{"edge_node.update"};
inline constexpr audit::Operation edge_node_revoke{"edge_node.revoke"};
inline constexpr audit::Operation edge_node_remove{"edge_node.remove"};
inline constexpr audit::Operation edge_node_event{"edge_node.event"};
inline constexpr audit::Operation edge_node_ahead{"edge_node.manifest_ahead"};
inline constexpr audit::Operation platform_restored{"platform.restored"};
inline constexpr audit::Operation edge_service_create{"edge_service.create"};
inline constexpr audit::Operation edge_service_update{"edge_service.update"};
inline constexpr audit::Operation edge_service_remove{"edge_service.remove"};
inline constexpr audit::Operation edge_service_control{"edge_service.control"};
inline constexpr audit::Operation data_tag_write{"data_tag.write"};
inline constexpr audit::Operation command_result{"command.result"};
inline constexpr audit::Operation enrollment_token_create{"enrollment_token.create"};
inline constexpr audit::Operation enrollment_token_remove{"enrollment_token.remove"};

}  // namespace ecp::inline v0::fleet::operations
