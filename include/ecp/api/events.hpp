// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Live events of a project as a stream of server-sent events.

#include <cstddef>
#include <memory>

#include <ecp/api/router.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/http/message.hpp>

namespace ecp::inline v0::platform {
class LiveEvents;
}

namespace ecp::inline v0::api {

/// Turns hints into `event: <name>` and `data: <json>`, with a comment at least every 15 s.
///
/// Each stream carries only the events that its user may see, and says in `event: stream` which
/// these are, first of all and whenever his rights change. Within 5 s of the end of his session
/// or of his right to see the project, the stream ends; a reader who is too slow is cut, and reads
/// the state when he comes back. At most limits::sse_subscribers streams at once, and
/// limits::sse_per_user of one user.
/// Ownership: `live` and the env's parts outlive it; destroyed after the server is drained.
/// Thread safety: any thread.
class ECP_EXPORT EventStreams {
 public:
  EventStreams(platform::LiveEvents& live, Authenticator authenticator, GrantSource grants,
               const Env& env);
  ~EventStreams();
  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  /// Answer with a stream of what happens in the grant's scope. Fails with `resource_exhausted`
  /// when there are too many.
  [[nodiscard]] Result<http::Response> open(const http::Request& request,
                                            const access::Grant& grant);
  [[nodiscard]] std::size_t count() const noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: with timers and streams about to begin.
};

/// `GET .../projects/:project/events`, for whoever may see values; `streams` outlives the router.
ECP_EXPORT void add_event_endpoints(Router& router, EventStreams& streams);

}  // namespace ecp::inline v0::api
