// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/fleet/edge_service_registry.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using fleet::EdgeServiceId;
using fleet::EdgeServiceRegistry;

namespace {

constexpr std::int64_t default_points = 300;
constexpr std::int64_t default_samples = 1'000;
constexpr std::int64_t max_samples = 10'000;
constexpr Milliseconds max_span{400LL * 24 * 3'600'000};

/// Which stretch of which data tag.
struct Stretch {
  std::string tag;
  Time from;
  Time to;
};

Error bad_query(std::string_view name, std::string_view problem) {
  return {reasons::bad_query, {{"name", std::string(name)}, {"problem", std::string(problem)}}};
}

Result<Stretch> stretch_from(const http::Request& request) {
  ECP_TRY(const auto tag, request.query_value("tag"));
  ECP_TRY(const auto from, query_time(request, "from"));
  ECP_TRY(const auto to, query_time(request, "to"));
  if (!tag) return bad_query("tag", "is missing");
  if (!from) return bad_query("from", "is missing");
  if (!to) return bad_query("to", "is missing");
  if (*to <= *from) return bad_query("to", "must be after from");
  if (*to - *from > max_span) return bad_query("to", "must be at most 400 days after from");
  return Stretch{*tag, *from, *to};
}

std::string samples_json(const std::vector<series::Sample>& samples) {
  json::Writer writer;
  writer.begin_object().key("items").begin_array();
  for (const auto& sample : samples) series::write_json(writer, sample);
  return writer.end_array().end_object().take();
}

void write_point(json::Writer& writer, const series::Point& point) {
  writer.begin_object().field("from", to_rfc3339(point.from)).field("count", point.count);
  writer.field("late", point.late);
  if (point.count > 0) {
    writer.field("min", point.min).field("max", point.max).field("mean", point.mean);
    writer.field("first", point.first).field("last", point.last);
  }
  writer.end_object();
}

std::string history_json(const EdgeServiceRegistry::History& history) {
  json::Writer writer;
  writer.begin_object().key("points").begin_array();
  for (const auto& point : history.points) write_point(writer, point);
  writer.end_array().key("gaps").begin_array();
  for (const auto& gap : history.gaps) {
    writer.begin_object().field("from", to_rfc3339(gap.from)).field("to", to_rfc3339(gap.to));
    writer.field("samples", gap.samples).field("why", gap.why).end_object();
  }
  return writer.end_array().end_object().take();
}

}  // namespace

void add_value_endpoints(Router& router, EdgeServiceRegistry& services) {
  using Answer = Result<http::Response>;
  const std::string service = "/api/v1/orgs/:org/projects/:project/edgeservices/:service";
  router.add({http::Method::get, service + "/values", &permissions::data_tag_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY_VOID(only_queries(request, {}));
                ECP_TRY(const auto samples,
                        services.values(grant, id_of<EdgeServiceId>(request, "service")));
                return json_response(200, samples_json(samples));
              }});
  router.add({http::Method::get, service + "/history", &permissions::data_tag_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY_VOID(only_queries(request, {"tag", "from", "to", "points"}));
                ECP_TRY(const auto wanted, stretch_from(request));
                ECP_TRY(const auto points,
                        query_integer_or(request, "points", default_points, 1,
                                         static_cast<std::int64_t>(limits::history_points)));
                ECP_TRY(
                    const auto history,
                    services.history(grant, id_of<EdgeServiceId>(request, "service"), wanted.tag,
                                     wanted.from, wanted.to, static_cast<std::size_t>(points)));
                return json_response(200, history_json(history));
              }});
  router.add({http::Method::get, service + "/samples", &permissions::data_tag_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY_VOID(only_queries(request, {"tag", "from", "to", "limit"}));
                ECP_TRY(const auto wanted, stretch_from(request));
                ECP_TRY(const auto limit,
                        query_integer_or(request, "limit", default_samples, 1, max_samples));
                ECP_TRY(
                    const auto samples,
                    services.samples(grant, id_of<EdgeServiceId>(request, "service"), wanted.tag,
                                     wanted.from, wanted.to, static_cast<std::size_t>(limit)));
                return json_response(200, samples_json(samples));
              }});
}

}  // namespace ecp::inline v0::api
