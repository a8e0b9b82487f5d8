// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>

#include "http/text.hpp"

namespace ecp::inline v0::api {
namespace {

Error bad_query(std::string_view name, std::string problem) {
  return Error(reasons::bad_query, {{"name", std::string(name)}, {"problem", std::move(problem)}});
}

template <class Number>
std::optional<Number> parse_number(std::string_view text, int base = 10) {
  Number number = 0;
  const auto end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, base);
  if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return number;
}

}  // namespace

http::Response json_response(int status, std::string json, std::optional<Revision> revision) {
  http::Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  if (revision) response.headers.add("ETag", etag(*revision));
  response.body = std::move(json);
  return response;
}

http::Response empty_response(int status) {
  http::Response response;
  response.status = status;
  return response;
}

std::string etag(Revision revision) { return '"' + std::to_string(to_number(revision)) + '"'; }

Result<Revision> if_match(const http::Request& request) {
  auto text = request.headers.find("If-Match");
  if (!text || text->size() < 3 || text->front() != '"' || text->back() != '"') {
    return reasons::if_match_missing;
  }
  const auto number = parse_number<std::int64_t>(text->substr(1, text->size() - 2));
  if (!number || *number < 0) return reasons::if_match_missing;
  return static_cast<Revision>(*number);
}

Result<void> only_queries(const http::Request& request,
                          std::initializer_list<std::string_view> names) {
  std::vector<std::string> seen;
  for (const auto& name : request.query_names()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return bad_query(name.substr(0, limits::name_length), "is not known here");
    }
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return bad_query(name, "is given twice");
    }
    seen.push_back(name);
  }
  return {};
}

Result<std::int64_t> query_integer_or(const http::Request& request, std::string_view name,
                                      std::int64_t fallback, std::int64_t min, std::int64_t max) {
  ECP_TRY(const auto text, request.query_value(name));
  if (!text) return fallback;
  const auto number = parse_number<std::int64_t>(*text);
  if (!number || *number < min || *number > max) {
    return bad_query(
        name, "must be an integer from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return *number;
}

Result<std::optional<Time>> query_time(const http::Request& request, std::string_view name) {
  ECP_TRY(const auto text, request.query_value(name));
  if (!text) return std::optional<Time>();
  const auto time = parse_rfc3339(*text);
  if (!time) return bad_query(name, "must be an RFC 3339 time such as 2026-01-31T12:00:00Z");
  return std::optional<Time>(*time);
}

Result<PageRequest> page_from(const http::Request& request,
                              std::initializer_list<std::string_view> others) {
  for (const auto& name : request.query_names()) {
    if (name == "limit" || name == "offset") continue;
    if (std::find(others.begin(), others.end(), name) == others.end()) {
      return bad_query(name.substr(0, limits::name_length), "is not known here");
    }
  }
  PageRequest page;
  ECP_TRY(page.limit, query_integer_or(request, "limit", page.limit, 1, limits::page_size));
  ECP_TRY(page.offset, query_integer_or(request, "offset", 0, 0, limits::page_offset));
  return page;
}

Result<json::ObjectDocument> body_of(const http::Request& request) {
  return json::ObjectDocument::parse(request.body, limits::http_body);
}

access::Scope scope_of(const http::Request& request) {
  access::Scope scope;
  if (!request.parameter("org").empty()) {
    scope.organization = id_of<access::OrganizationId>(request, "org");
  }
  if (!request.parameter("project").empty()) {
    scope.project = id_of<access::ProjectId>(request, "project");
  }
  return scope;
}

access::Origin origin_of(const http::Request& request) {
  access::Origin origin;
  origin.request_number = parse_number<std::uint64_t>(request.request_id, 16).value_or(0);
  if (inet_pton(AF_INET6, request.remote_address.c_str(), origin.remote.data()) != 1) {
    origin.remote = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (inet_pton(AF_INET, request.remote_address.c_str(), origin.remote.data() + 12) != 1) {
      origin.remote = {};
    }
  }
  return origin;
}

std::string_view bearer_token(const http::Request& request) noexcept {
  constexpr std::string_view scheme = "bearer ";
  const auto field = request.headers.find("Authorization").value_or(std::string_view());
  if (field.size() <= scheme.size()) return {};
  if (!http::text::equal_no_case(field.substr(0, scheme.size()), scheme)) return {};
  return field.substr(scheme.size());
}

}  // namespace ecp::inline v0::api
