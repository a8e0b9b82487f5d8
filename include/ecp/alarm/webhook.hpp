// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Webhooks: where notices of alarms are sent.

#include <optional>
#include <string>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/alarm/ids.hpp>
#include <ecp/core/bytes.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::alarm {

/// A receiver of notices, told of every raise and clear in its project.
struct Webhook {
  WebhookId id;
  access::OrganizationId organization;
  access::ProjectId project;
  std::string name;
  std::string url;
  Bytes sealed_secret;  ///< Signs notices; never leaves the control plane.
  Revision revision = Revision::first;
  Time created_at{};

  // How sending goes; changes without a revision.
  std::optional<Time> delivered_at;  ///< Last notice that the receiver took.
  std::string last_error;            ///< Empty when the last attempt succeeded.

  [[nodiscard]] access::Scope scope() const noexcept { return {organization, project}; }
};

}  // namespace ecp::inline v0::alarm
