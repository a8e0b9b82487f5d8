// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What Python's objects hold: a world, a control plane in it, and a principal's view of that.

#include <unistd.h>
#include <memory>
#include <shared_mutex>
#include <stdexcept>
#include <utility>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/rbac/authorizer.hpp>

#include "binding.hpp"

namespace ecp_python {

/// A call came after the control plane was stopped. Only here: in C++ that is a broken invariant.
inline constexpr ecp::Reason plane_stopped{
    3190, "plane.stopped", ecp::ErrorCode::failed_precondition, "this control plane was stopped"};

/// The real world, with its log on standard error.
class World {
 public:
  World(unsigned worker_threads, ecp::LogLevel least)
      : log_(STDERR_FILENO, least, ecp::system_clock()), env_(log_, worker_threads) {}
  [[nodiscard]] ecp::Env env() { return env_.env(); }
  void stop() noexcept { env_.stop(); }

 private:
  ecp::StreamLog log_;
  ecp::RealEnv env_;
};

/// A control plane that stops only when no call is inside it, and that no call enters afterwards.
class Plane {
 public:
  Plane(std::shared_ptr<World> world, std::unique_ptr<ecp::plane::ControlPlane> plane)
      : world_(std::move(world)), plane_(std::move(plane)) {}

  /// Run `function` on the control plane, without the interpreter's lock.
  template <class Function>
  auto use(Function&& function) {
    if (PyGILState_Check() != 0) throw std::logic_error("a call that can block holds the GIL");
    const std::shared_lock lock(mutex_);
    if (plane_ == nullptr) throw Failure(ecp::Error(plane_stopped));
    return std::forward<Function>(function)(*plane_);
  }
  void stop() {
    const std::unique_lock lock(mutex_);
    plane_.reset();  // Stops it, and lets go of its folder.
  }

 private:
  std::shared_ptr<World> world_;  ///< Shared with Python's own objects; outlives the plane.
  std::shared_mutex mutex_;
  std::unique_ptr<ecp::plane::ControlPlane> plane_;
};

/// What one principal may do in one scope. Makes a Grant for each call and keeps none.
struct Access {
  std::shared_ptr<Plane> plane;  ///< Shared by everything that was reached from it.
  ecp::access::Principal principal;
  ecp::access::Scope scope;

  [[nodiscard]] ecp::access::Grant grant(ecp::plane::ControlPlane& control) const {
    const auto& authorizer = control.authorizer();
    if (principal.kind == ecp::access::PrincipalKind::system) {
      return authorizer.system(principal.source, scope);
    }
    return unwrap(authorizer.authorize(principal, scope, {}));
  }
};

/// A registry as somebody reaches it.
template <class Registry>
struct Reached : Access {
  using Getter = Registry& (ecp::plane::ControlPlane::*)();
  Getter registry = nullptr;

  /// Call with a grant of this principal in this scope.
  template <class Function>
  auto call(Function&& function) const {
    return plane->use([&](ecp::plane::ControlPlane& control) {
      const auto proof = grant(control);
      return unwrap(function((control.*registry)(), proof));
    });
  }
};

/// What turns a use-case into a function for Python, where neither needs more than the other.
template <class Registry, class Value, class... Arguments>
auto granted(ecp::Result<Value> (Registry::*use_case)(const ecp::access::Grant&, Arguments...)) {
  return [use_case](const Reached<Registry>& self, Arguments... arguments) {
    return self.call([&](Registry& registry, const ecp::access::Grant& grant) {
      return (registry.*use_case)(grant, std::move(arguments)...);
    });
  };
}

/// A class of use-cases. Every method releases the interpreter's lock.
template <class Registry>
class RegistryClass {
 public:
  RegistryClass(py::module_& m, const char* name, std::string key)
      : key_(std::move(key)), class_(m, name, docstring(key_)) {}

  template <class Function, class... Extra>
  RegistryClass& method(const char* name, Function function, const Extra&... extra) {
    class_.def(name, function, extra..., Unlocked(), docstring(key_ + "::" + name));
    return *this;
  }

 private:
  std::string key_;
  py::class_<Reached<Registry>> class_;
};

/// Stop an object when Python forgets it, or at the interpreter's end, whichever comes first.
void stop_with(const py::object& owner, py::cpp_function stop);

}  // namespace ecp_python
