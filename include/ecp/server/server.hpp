// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A control plane with its HTTP face: what ecpd serves.

#include <cstdint>
#include <functional>
#include <memory>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/server/settings.hpp>

namespace ecp::inline v0::api {
class Router;
}

namespace ecp::inline v0::server {

/// Add every endpoint of the product but events, health and the live page. The plane outlives the
/// router.
ECP_EXPORT void add_endpoints(api::Router& router, plane::ControlPlane& plane);

/// Plane, router and listener.
///
/// Ownership: owns all three; the env outlives it.
/// Thread safety: any thread, except `stop` and the destructor.
class ECP_EXPORT Server {
 public:
  /// Open the plane, then listen. Blocks for up to some seconds; call it from no executor.
  /// `extend` may add an OEM's endpoints before the listener opens.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(
      Settings settings, plane::Parts parts, Env env,
      const std::function<void(api::Router&, plane::ControlPlane&)>& extend = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] plane::ControlPlane& plane() noexcept;
  [[nodiscard]] std::uint16_t port() const noexcept;
  /// Readiness off, running requests finished or cut after a deadline, then the plane; idempotent.
  void stop() noexcept;

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::server
