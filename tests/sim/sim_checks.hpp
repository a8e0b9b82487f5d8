// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What must be true of a world that has come to rest.

#include <map>
#include <set>
#include <string>

#include <ecp/alarm/alarm.hpp>

#include "sim/sim_world.hpp"

namespace ecp_test {

/// Looks at everything and blames what is wrong.
class SimChecks {
 public:
  SimChecks(SimWorld& world, ecp::plane::ControlPlane& plane) : world_(world), plane_(plane) {}
  void check_all();

 private:
  void check_samples(const SimSite& site);
  void check_restored(const SimSite& site, const std::set<std::int64_t>& numbers,
                      std::int64_t committed);
  void check_counters(const SimSite& site);
  void check_desired(const SimSite& site);
  void check_tenants(const SimSite& site);
  void check_effects();
  void check_alarms();
  void check_alarm(const ecp::alarm::Alarm& alarm);
  void check_transitions(const SimSite& site);
  void check_audit();
  void check_restore();
  [[nodiscard]] std::int64_t count(const std::string& operation);
  [[nodiscard]] ecp::access::Grant grant(const ecp::access::Scope& scope) const;
  void blame(const SimSite& site, const std::string& what) {
    world_.blame(site.name + ": " + what);
  }

  SimWorld& world_;
  ecp::plane::ControlPlane& plane_;
  std::map<ecp::fleet::EdgeServiceId, std::int64_t> transitions_of_;
};

}  // namespace ecp_test
