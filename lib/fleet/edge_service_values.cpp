// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::fleet {
namespace {

namespace permissions = access::permissions;

/// The service, for those who may see its values.
Result<EdgeService> visible(storage::Store& store, const access::Grant& grant, EdgeServiceId id) {
  ECP_TRY_VOID(grant.require(permissions::data_tag_view, grant.scope()));
  return store.read([&](storage::Transaction& transaction) {
    return transaction.get<EdgeServiceStore>().get(grant.scope().project, id);
  });
}

series::SeriesKey key_of(const EdgeService& service) {
  return {service.project.bytes(), service.id.bytes()};
}

}  // namespace

Result<std::vector<series::Sample>> EdgeServiceRegistry::values(const access::Grant& grant,
                                                                EdgeServiceId id) {
  ECP_TRY(const auto service, visible(parts_.store, grant, id));
  ECP_TRY(const auto config, kind::parse_pipeline_config(service.config_json));
  ECP_TRY(auto latest, parts_.series.latest(key_of(service)));
  std::vector<series::Sample> samples;
  for (auto& value : latest) {
    if (kind::find_tag(config, value.sample.tag) == nullptr) continue;  // Of an older config.
    samples.push_back(std::move(value.sample));
  }
  return samples;
}

Result<EdgeServiceRegistry::History> EdgeServiceRegistry::history(const access::Grant& grant,
                                                                  EdgeServiceId id,
                                                                  std::string_view tag, Time from,
                                                                  Time to, std::size_t points) {
  ECP_TRY(const auto service, visible(parts_.store, grant, id));
  History history;
  ECP_TRY(history.points, parts_.series.aggregate(key_of(service), tag, from, to, points));
  ECP_TRY(history.gaps, parts_.series.gaps(key_of(service), from, to));
  return history;
}

Result<std::vector<series::Sample>> EdgeServiceRegistry::samples(const access::Grant& grant,
                                                                 EdgeServiceId id,
                                                                 std::string_view tag, Time from,
                                                                 Time to, std::size_t limit) {
  ECP_TRY(const auto service, visible(parts_.store, grant, id));
  return parts_.series.samples(key_of(service), tag, from, to, limit);
}

}  // namespace ecp::inline v0::fleet
