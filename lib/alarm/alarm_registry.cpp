// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_registry.hpp>

#include <ecp/access/permissions.hpp>

namespace ecp::inline v0::alarm {

namespace permissions = access::permissions;

Result<Alarm> AlarmRegistry::get(const access::Grant& grant, AlarmId id) {
  ECP_TRY_VOID(grant.require(permissions::alarm_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AlarmStore>().get(grant.scope().project, id);
  });
}

Result<Page<Alarm>> AlarmRegistry::list(const access::Grant& grant, AlarmQuery query,
                                        PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::alarm_view, grant.scope()));
  query.project = grant.scope().project;
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AlarmStore>().list(query, page);
  });
}

}  // namespace ecp::inline v0::alarm
