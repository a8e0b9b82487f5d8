// SPDX-License-Identifier: Apache-2.0
#include <ecp/server/settings.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/client.hpp>

namespace ecp::inline v0::server {

namespace {

constexpr std::size_t roots_file = 64 * kibibyte;
constexpr std::int64_t most_workers = 64;
constexpr Milliseconds second{1'000};
constexpr Milliseconds hour{3'600'000};
constexpr Milliseconds day = 24 * hour;

Result<HostPort> address(Config& config, std::string_view key, std::string fallback) {
  ECP_TRY(const auto text, config.text_or(key, std::move(fallback)));
  auto parsed = parse_host_port(text);
  if (!parsed) return config.bad(key, "must be host:port, such as 127.0.0.1:8443");
  return parsed;
}

/// A path that means the same whatever folder the program was started in.
Result<std::string> absolute(const Config& config, std::string_view key, std::string path) {
  if (!path.starts_with('/')) return config.bad(key, "must be an absolute path");
  return path;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return inet_pton(AF_INET, host.c_str(), octets.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), octets.data()) == 1;
}

bool is_everywhere(std::string_view host) { return host == "0.0.0.0" || host == "::"; }

bool is_postgres(std::string_view url) {
  return url.starts_with("postgresql://") || url.starts_with("postgres://");
}

Result<void> read_store(Config& config, plane::PlaneConfig& plane) {
  ECP_TRY(plane.store_url, config.text_or("store.url", ""));
  constexpr std::string_view file = "sqlite:";
  const std::string_view url = plane.store_url;
  const bool is_file = url.starts_with(file) && url.substr(file.size()).starts_with('/');
  if (!url.empty() && !is_file && !is_postgres(url)) {
    return config.bad("store.url", "must be sqlite: and an absolute path, or postgresql://...");
  }
  ECP_TRY(plane.series_url, config.text_or("series.url", ""));
  if (!plane.series_url.empty() && !is_postgres(plane.series_url)) {
    return config.bad("series.url", "must be postgresql://...");
  }
  ECP_TRY(plane.master_key_path, config.text_or("store.master_key", ""));
  return {};
}

Result<LogLevel> log_level(Config& config) {
  ECP_TRY(const auto text, config.text_or("log.level", "info"));
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (text == to_string(level)) return level;
  }
  return config.bad("log.level", "must be debug, info, warning or error");
}

Result<void> read_http(Config& config, Settings& settings) {
  ECP_TRY(auto listen, address(config, "http.listen", "127.0.0.1:8443"));
  ECP_TRY(settings.tls, config.boolean_or("http.tls", true));
  if (!settings.tls && !is_loopback(listen.host)) {
    return config.bad("http.tls", "can be off only while http.listen is a loopback address");
  }
  settings.http_address = listen.host;
  settings.http_port = listen.port;
  auto& plane = settings.plane;
  std::vector<std::string> names{"localhost"};
  names.push_back(is_everywhere(listen.host) ? plane::host_name() : listen.host);
  ECP_TRY(plane.server_names, config.texts_or("http.names", std::move(names)));
  ECP_TRY(plane.https_certificate_path, config.text_or("http.certificate", ""));
  ECP_TRY(plane.https_key_path, config.text_or("http.key", ""));
  if (plane.https_certificate_path.empty() != plane.https_key_path.empty()) {
    return config.bad("http.certificate", "and http.key are given together or not at all");
  }
  ECP_TRY(settings.page_folder, config.text_or("http.page_folder", ""));
  return {};
}

/// The content of a file of certificates; nothing when none is named.
Result<std::string> read_roots(Config& config, std::string_view key) {
  ECP_TRY(const auto path, config.text_or(key, ""));
  if (path.empty()) return std::string();
  auto pem = read_file(path, roots_file);
  if (!pem) return config.bad(key, pem.error().message());
  return pem;
}

Result<void> read_emqx(Config& config, plane::BrokerConfig& broker) {
  constexpr std::array keys{"broker.emqx.url", "broker.emqx.key_file", "broker.emqx.trust_file"};
  const auto given = std::find_if(keys.begin(), keys.end(),
                                  [&config](const char* key) { return config.has(key); });
  if (given == keys.end()) return {};
  if (!broker.external) {
    return config.bad(*given, "is about a broker that others run, with broker.url");
  }
  plane::EmqxConfig emqx;
  ECP_TRY(emqx.url, config.text("broker.emqx.url"));
  const auto url = http::parse_url(emqx.url);
  if (!url || emqx.url.ends_with('/')) {
    return config.bad("broker.emqx.url", "must be https://host:port, such as https://emqx:18084");
  }
  ECP_TRY(emqx.key_path, config.text_or("broker.emqx.key_file", ""));
  if (!emqx.key_path.empty()) {
    ECP_TRY(emqx.key_path, absolute(config, "broker.emqx.key_file", emqx.key_path));
  }
  ECP_TRY(emqx.roots_pem, read_roots(config, "broker.emqx.trust_file"));
  broker.emqx = std::move(emqx);
  return {};
}

/// A broker that somebody else runs. What concerns ours cannot stand beside it: it would be thought
/// to matter.
Result<void> read_foreign_broker(Config& config, plane::BrokerConfig& broker) {
  ECP_TRY(const auto url, config.text("broker.url"));
  constexpr std::string_view scheme = "mqtts://";
  auto place = url.starts_with(scheme) ? parse_host_port(url.substr(scheme.size()))
                                       : Result<HostPort>(Error(reasons::cancelled));
  if (!place) return config.bad("broker.url", "must be mqtts://host:port");
  broker.external = transport::BrokerAddress{place->host, place->port};
  for (const auto* key :
       {"broker.listen", "broker.mosquitto", "broker.plugin", "broker.keep_running"}) {
    if (!config.has(key)) continue;
    return config.bad(key, "is about a broker that ecpd starts; with broker.url it starts none");
  }
  ECP_TRY(broker.trust_path, config.text_or("broker.trust_file", ""));
  if (!broker.trust_path.empty()) {
    ECP_TRY(broker.trust_path, absolute(config, "broker.trust_file", broker.trust_path));
  }
  return {};
}

Result<void> read_our_broker(Config& config, plane::BrokerConfig& broker) {
  ECP_TRY(auto listen, address(config, "broker.listen", "127.0.0.1:8883"));
  broker.bind = listen.host;
  broker.port = listen.port;
  ECP_TRY(auto mosquitto, config.text_or("broker.mosquitto", broker.mosquitto_path));
  ECP_TRY(broker.mosquitto_path, absolute(config, "broker.mosquitto", std::move(mosquitto)));
  ECP_TRY(auto plugin, config.text_or("broker.plugin", plane::default_plugin_path));
  ECP_TRY(broker.plugin_path, absolute(config, "broker.plugin", std::move(plugin)));
  ECP_TRY(broker.keep_running, config.boolean_or("broker.keep_running", false));
  if (config.has("broker.trust_file")) {
    return config.bad("broker.trust_file", "is about a broker that others run, with broker.url");
  }
  return {};
}

Result<void> read_broker(Config& config, plane::BrokerConfig& broker) {
  ECP_TRY_VOID(config.has("broker.url") ? read_foreign_broker(config, broker)
                                        : read_our_broker(config, broker));
  ECP_TRY_VOID(read_emqx(config, broker));
  ECP_TRY(const auto advertised, config.texts_or("broker.advertise", {}));
  for (const auto& text : advertised) {
    auto parsed = parse_host_port(text);
    if (!parsed) return config.bad("broker.advertise", "must be a list of host:port");
    broker.advertise.push_back({parsed->host, parsed->port});
  }
  return {};
}

Result<void> read_agents(Config& config, const Settings& settings, plane::PlaneConfig& plane) {
  ECP_TRY(plane.heartbeat, config.duration_or("agents.heartbeat", 15 * second, second, hour));
  ECP_TRY(plane.reconnect_cap, config.duration_or("agents.reconnect_cap", Milliseconds{0},
                                                  Milliseconds{0}, 60 * second));
  if (plane.reconnect_cap > Milliseconds{0} && plane.reconnect_cap < second) {
    return config.bad("agents.reconnect_cap", "must be 0s or at least 1s");
  }
  ECP_TRY(plane.renewal_grace,
          config.duration_or("agents.renewal_after_expiry", 180 * day, day, 3'650 * day));
  const std::string host =
      plane.server_names.empty() ? settings.http_address : plane.server_names.back();
  const std::string scheme = settings.tls ? "https://" : "http://";
  ECP_TRY(plane.agent_urls, config.texts_or("agents.urls", {scheme + host + ":" +
                                                            std::to_string(settings.http_port)}));
  return {};
}

Result<void> read_webhook(Config& config, plane::PlaneConfig& plane) {
  ECP_TRY(plane.webhook_allowed, config.texts_or("webhook.allow", {}));
  for (const auto& text : plane.webhook_allowed) {
    const auto parsed = parse_host_port(text);
    if (!parsed || !is_address(parsed->host)) {
      return config.bad("webhook.allow", "must be a list of address:port, such as 10.0.0.7:8080");
    }
  }
  ECP_TRY(plane.webhook_roots_pem, read_roots(config, "webhook.roots"));
  return {};
}

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  const auto wrong = [] {
    return Error(reasons::bad_field, {{"field", "address"}, {"problem", "is not host:port"}});
  };
  if (colon == std::string_view::npos || colon == 0) return wrong();
  auto host = text.substr(0, colon);
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (code != std::errc{} || end != digits.data() + digits.size()) return wrong();
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong();
  }
  return HostPort{std::string(host), port};
}

bool is_loopback(std::string_view host) noexcept {
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

Result<Settings> read_settings(Config& config) {
  Settings settings;
  auto& plane = settings.plane;
  ECP_TRY(auto data_folder, config.text("data_folder"));
  ECP_TRY(plane.data_folder, absolute(config, "data_folder", std::move(data_folder)));
  ECP_TRY_VOID(read_store(config, plane));
  ECP_TRY_VOID(read_http(config, settings));
  ECP_TRY_VOID(read_agents(config, settings, plane));
  ECP_TRY_VOID(read_broker(config, plane.broker));
  plane.has_replicas = plane.broker.external.has_value() && is_postgres(plane.store_url);
  ECP_TRY_VOID(read_webhook(config, plane));
  ECP_TRY(plane.series_keep, config.duration_or("series.retention", 30 * day, day, 36'500 * day));
  ECP_TRY(settings.log_level, log_level(config));
  ECP_TRY(const auto workers, config.integer_or("workers", 4, 1, most_workers));
  settings.workers = static_cast<unsigned>(workers);
  plane.workers = settings.workers;
  ECP_TRY_VOID(config.finish());
  return settings;
}

}  // namespace ecp::inline v0::server
