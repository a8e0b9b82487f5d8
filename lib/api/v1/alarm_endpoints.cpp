// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/alarm_endpoints.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;

namespace {

void write_alarm(json::Writer& writer, const alarm::Alarm& record) { writer.raw(to_json(record)); }

Result<alarm::AlarmQuery> alarm_query_from(const http::Request& request) {
  alarm::AlarmQuery query;
  ECP_TRY(const auto state, request.query_value("state"));
  if (state) {
    ECP_TRY(query.state, alarm::parse_alarm_state(*state));
  }
  ECP_TRY(const auto severity, request.query_value("severity"));
  if (severity) {
    ECP_TRY(query.severity, alarm::parse_severity(*severity));
  }
  return query;
}

}  // namespace

void add_alarm_endpoints(Router& router, alarm::AlarmRegistry& alarms) {
  const std::string all = "/api/v1/orgs/:org/projects/:project/alarms";
  router.add({http::Method::get, all, &permissions::alarm_view,
              [&alarms](const http::Request& request,
                        const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request, {"state", "severity"}));
                ECP_TRY(const auto query, alarm_query_from(request));
                ECP_TRY(const auto found, alarms.list(grant, query, page));
                return json_response(200, json_list(found, write_alarm));
              }});
  router.add({http::Method::get, all + "/:alarm", &permissions::alarm_view,
              [&alarms](const http::Request& request,
                        const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto record,
                        alarms.get(grant, id_of<alarm::AlarmId>(request, "alarm")));
                return json_response(200, to_json(record), record.revision);
              }});
}

}  // namespace ecp::inline v0::api
