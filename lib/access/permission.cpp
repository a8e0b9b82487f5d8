// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permission.hpp>

#include <algorithm>
#include <cassert>

#include <ecp/access/permissions.hpp>

namespace ecp::inline v0::access {

PermissionRegistry::PermissionRegistry() { add(permissions::all); }

void PermissionRegistry::add(std::span<const Permission* const> permissions) {
  for (const Permission* const permission : permissions) {
    assert(find(permission->name) == nullptr && "a permission was registered twice");
    assert(permissions_.size() < max_permissions);
    permissions_.push_back(permission);
  }
}

PermissionIndex PermissionRegistry::index(const Permission& permission) const {
  const auto found = std::find(permissions_.begin(), permissions_.end(), &permission);
  assert(found != permissions_.end() && "a permission was never registered");
  return static_cast<PermissionIndex>(found - permissions_.begin());
}

const Permission* PermissionRegistry::find(std::string_view name) const noexcept {
  const auto found = std::find_if(permissions_.begin(), permissions_.end(),
                                  [&](const Permission* one) { return one->name == name; });
  return found == permissions_.end() ? nullptr : *found;
}

}  // namespace ecp::inline v0::access
