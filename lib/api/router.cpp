// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdio>
#include <exception>
#include <optional>
#include <set>

#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/api/router.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/answer.hpp>
#include <ecp/http/reasons.hpp>

#include "http/text.hpp"

namespace ecp::inline v0::api {
namespace {

using http::text::equal_no_case;

std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

struct Row {
  http::Method method;
  std::string path;
  const access::Permission* permission;
  std::function<Result<http::Response>(const http::Request&, const access::Grant&)> guarded;
  std::function<Result<http::Response>(const http::Request&)> open;  ///< Of a public row.

  /// How closely the row fits: none, or one letter a segment, so that a literal beats a parameter.
  [[nodiscard]] std::optional<std::string> fit(
      const std::vector<std::string_view>& segments) const {
    const auto own = split(path);
    if (own.size() != segments.size()) return std::nullopt;
    std::string score;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const bool is_parameter = !own[i].empty() && own[i].front() == ':';
      if (is_parameter ? segments[i].empty() : own[i] != segments[i]) return std::nullopt;
      score.push_back(is_parameter ? 'a' : 'b');
    }
    return score;
  }
};

bool changes_state(http::Method method) {
  return method != http::Method::get && method != http::Method::head;
}

/// The part of an origin that `Host` repeats.
std::string_view authority_of(std::string_view origin) {
  const auto start = origin.find("://");
  return start == std::string_view::npos ? std::string_view() : origin.substr(start + 3);
}

bool is_json(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  return equal_no_case(type, "application/json");
}

bool is_key(std::string_view key) {
  return !key.empty() && key.size() <= limits::idempotency_key &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Error bad_key() {
  return Error(ecp::reasons::bad_field,
               {{"field", "Idempotency-Key"},
                {"problem", "must be 1 to " + std::to_string(limits::idempotency_key) +
                                " visible ASCII characters"}});
}

std::string request_hash(const http::Request& request) {
  return to_hex(sha256(request.path + '\n' + request.query + '\n' + request.body));
}

/// An answer as text and back: its status, its fields line by line, an empty line, its body.
std::string to_text(const http::Response& response) {
  std::string text = std::to_string(response.status) + '\n';
  for (const auto& [name, value] : response.headers.all()) {
    text.append(name).append(":").append(value).append("\n");
  }
  return text + '\n' + response.body;
}

Result<http::Response> from_text(std::string_view text) {
  http::Response response;
  bool first = true;
  while (true) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      return Error(ecp::reasons::damaged, {{"noun", "answer"}});
    }
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) break;
    const auto colon = std::min(line.find(':'), line.size());
    if (std::exchange(first, false)) {
      std::from_chars(line.data(), line.data() + line.size(), response.status);
    } else if (colon < line.size()) {
      response.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
    }
  }
  response.body = text;
  return response;
}

}  // namespace

struct Router::Table {
  Authenticator authenticator;
  GrantSource grants;
  Env env;
  RouterOptions options;
  std::vector<Row> rows;

  void add(Row row) {
    assert((row.guarded || row.open) && "an endpoint without handler");
    assert(!row.path.empty() && row.path.front() == '/');
    assert(std::none_of(rows.begin(), rows.end(), [&](const Row& other) {
      return other.method == row.method && other.path == row.path;
    }));
    rows.push_back(std::move(row));
  }

  /// The row of a request, or the answer that says why there is none.
  [[nodiscard]] const Row* find(http::Request& request, http::Response& refusal) const {
    const auto segments = split(request.path);
    const Row* best = nullptr;
    std::string best_score;
    std::set<std::string> allowed;
    for (const Row& row : rows) {
      const auto score = row.fit(segments);
      if (!score) continue;
      allowed.emplace(http::to_string(row.method));
      if (row.method != request.method || *score <= best_score) continue;
      best = &row;
      best_score = *score;
    }
    if (best == nullptr) {
      refusal = allowed.empty() ? error_response(reasons::no_such_path)
                                : not_allowed(request.method, allowed);
      return nullptr;
    }
    const auto own = split(best->path);
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (best_score[i] == 'a') {
        request.parameters.emplace_back(std::string(own[i].substr(1)), std::string(segments[i]));
      }
    }
    return best;
  }

  static http::Response not_allowed(http::Method method, const std::set<std::string>& allowed) {
    auto response = error_response(Error(http::reasons::method_not_allowed,
                                         {{"method", std::string(http::to_string(method))}}));
    std::string list;
    for (const auto& name : allowed) list += (list.empty() ? "" : ", ") + name;
    response.headers.add("Allow", list);
    return response;
  }

  [[nodiscard]] Result<void> check_size(const http::Request& request) const {
    if (request.body.size() <= env.limits.http_body) return {};
    return Error(http::reasons::body_too_large, {{"limit", std::to_string(env.limits.http_body)}});
  }

  /// What only a browser under somebody else's control would send.
  [[nodiscard]] Result<void> check_browser(const http::Request& request) const {
    if (!changes_state(request.method)) return {};
    if (const auto origin = request.headers.find("Origin")) {
      const auto host = request.headers.find("Host").value_or(std::string_view());
      const bool own = !host.empty() && equal_no_case(authority_of(*origin), host);
      const auto& named = options.origins;
      if (!own && std::find(named.begin(), named.end(), *origin) == named.end()) {
        return reasons::foreign_origin;
      }
    } else if (request.headers.find("Sec-Fetch-Site") == "cross-site") {
      return reasons::foreign_origin;
    }
    const auto type = request.headers.find("Content-Type");
    if (type ? !is_json(*type) : !request.body.empty()) {
      return http::reasons::unsupported_media_type;
    }
    return {};
  }

  [[nodiscard]] Result<http::Response> run(const Row& row, const http::Request& request) const {
    ECP_TRY_VOID(check_size(request));
    ECP_TRY_VOID(check_browser(request));
    if (row.open) return row.open(request);
    const auto token = bearer_token(request);
    if (token.empty()) return reasons::token_missing;
    ECP_TRY(const auto principal, authenticator(token));
    const auto scope = scope_of(request);
    ECP_TRY(const auto grant, grants(principal, scope, origin_of(request)));
    if (row.permission != nullptr) ECP_TRY_VOID(grant.require(*row.permission, scope));
    const auto key = request.headers.find("Idempotency-Key");
    if (!key || request.method != http::Method::post || !options.once) {
      return row.guarded(request, grant);
    }
    if (!is_key(*key)) return bad_key();
    ECP_TRY(const auto text,
            options.once(principal.id, *key, request_hash(request), [&](bool& keep) {
              auto result = run_guarded(row, request, grant);
              keep = result.status < 300;
              return to_text(result);
            }));
    return from_text(text);
  }

  /// The handler's answer, whatever it is.
  [[nodiscard]] http::Response run_guarded(const Row& row, const http::Request& request,
                                           const access::Grant& grant) const {
    auto result = row.guarded(request, grant);
    return result ? std::move(*result) : failed(result.error(), request);
  }

  /// Handlers return errors; what a vendor throws all the same ends here.
  [[nodiscard]] Result<http::Response> run_safely(const Row& row,
                                                  const http::Request& request) const {
    try {
      return run(row, request);
    } catch (const std::exception& problem) {
      return Error(ecp::reasons::internal, {}, problem.what());
    }
  }

  [[nodiscard]] http::Response answer(http::Request& request) const {
    http::Response refusal;
    const Row* row = find(request, refusal);
    if (row == nullptr) return refusal;
    auto result = run_safely(*row, request);
    return result ? std::move(*result) : failed(result.error(), request);
  }

  [[nodiscard]] http::Response failed(const Error& error, const http::Request& request) const {
    if (http_status(error) >= 500) {
      env.log.error("api", "a request failed",
                    {{"request", request.request_id}, {"error", error.describe()}});
    }
    return error_response(error);
  }
};

Router::Router(Authenticator authenticator, GrantSource grants, const Env& env,
               RouterOptions options)
    : table_(new Table{std::move(authenticator), std::move(grants), env, std::move(options), {}}) {}

Router::~Router() = default;

void Router::add(Endpoint endpoint) {
  table_->add({endpoint.method,
               std::move(endpoint.path),
               endpoint.permission,
               std::move(endpoint.handler),
               {}});
}

void Router::add_public(PublicEndpoint endpoint) {
  table_->add(
      {endpoint.method, std::move(endpoint.path), nullptr, {}, std::move(endpoint.handler)});
}

std::vector<EndpointRow> Router::endpoints() const {
  std::vector<EndpointRow> rows;
  for (const auto& row : table_->rows) {
    rows.push_back({row.method, row.path, row.permission, static_cast<bool>(row.open)});
  }
  return rows;
}

http::Response Router::dispatch(http::Request request) const {
  const auto& env = table_->env;
  const auto start = env.clock.steady();
  if (request.request_id.size() != 16) request.request_id = to_hex(env.random.bytes(8));
  auto response = table_->answer(request);
  response.headers.set("X-Request-Id", request.request_id);
  if (table_->options.strict_transport) {
    response.headers.set("Strict-Transport-Security", "max-age=31536000");
  }
  http::add_security_fields(response.headers);
  const auto taken =
      std::chrono::duration_cast<std::chrono::microseconds>(env.clock.steady() - start);
  env.log.info("api", "answered",
               {{"request", request.request_id},
                {"remote", request.remote_address},
                {"method", std::string(http::to_string(request.method))},
                {"path", request.path},
                {"status", std::to_string(response.status)},
                {"us", std::to_string(taken.count())}});
  return response;
}

http::Handler Router::handler() const {
  return [this](http::Request request) { return dispatch(std::move(request)); };
}

}  // namespace ecp::inline v0::api
