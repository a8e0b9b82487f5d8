// SPDX-License-Identifier: Apache-2.0
#include "plane/replica_hints.hpp"

#include <algorithm>

#include <ecp/core/json.hpp>

namespace ecp::inline v0::plane {

namespace {

constexpr Milliseconds announce_interval{2'000};
constexpr Milliseconds patience{7'000};     // Three announcements, and one that is late.
constexpr std::size_t most_scopes = 500;    // Beyond that a replica hears everything.
constexpr std::size_t most_replicas = 100;  // Of which we remember what they listen to.
constexpr std::size_t largest_hint = 256 * kibibyte;

json::Writer begin_hint(const std::string& replica) {
  json::Writer writer;
  writer.begin_object().field("v", std::int64_t{1}).field("from", replica);
  return writer;
}

std::string text_of(access::OrganizationId id) { return id.is_nil() ? "" : id.to_string(); }
std::string text_of(access::ProjectId id) { return id.is_nil() ? "" : id.to_string(); }

Result<access::Scope> read_scope(json::Reader& reader) {
  access::Scope scope;
  ECP_TRY(const auto organization, reader.text("organization", {0, 64}));
  ECP_TRY(const auto project, reader.text("project", {0, 64}));
  if (!organization.empty()) {
    ECP_TRY(scope.organization, access::OrganizationId::parse(organization));
  }
  if (!project.empty()) {
    ECP_TRY(scope.project, access::ProjectId::parse(project));
  }
  return scope;
}

Result<std::vector<access::Scope>> read_scopes(const json::Value& list) {
  std::vector<access::Scope> scopes;
  for (std::size_t i = 0; i < std::min(list.size(), most_scopes); ++i) {
    ECP_TRY(auto reader, json::Reader::open(list.at(i)));
    ECP_TRY(scopes.emplace_back(), read_scope(reader));
  }
  return scopes;
}

}  // namespace

ReplicaHints::ReplicaHints(platform::LiveEvents& live, transport::AgentGateway& gateway, Env env)
    : live_(live),
      gateway_(gateway),
      env_(env),
      announcing_(
          announce_interval, [this] { announce(); }, env) {}

ReplicaHints::~ReplicaHints() { stop(); }

void ReplicaHints::start() {
  live_.relay_by(this);
  announcing_.start();
}

void ReplicaHints::stop() noexcept {
  live_.relay_by(nullptr);
  announcing_.stop();
}

/// Say what is listened to here; once more when that is nothing any longer.
void ReplicaHints::announce() {
  auto scopes = live_.listened();
  {
    const std::lock_guard lock(mutex_);
    if (scopes.empty() && !announced_) return;
    announced_ = !scopes.empty();
  }
  if (scopes.size() > most_scopes) scopes = {access::Scope::platform()};
  auto writer = begin_hint(gateway_.replica());
  writer.key("listens").begin_array();
  for (const auto& scope : scopes) {
    writer.begin_object()
        .field("organization", text_of(scope.organization))
        .field("project", text_of(scope.project))
        .end_object();
  }
  gateway_.tell(writer.end_array().end_object().take());
}

void ReplicaHints::pass(const platform::LiveEvent& event) {
  auto writer = begin_hint(gateway_.replica());
  writer.key("event")
      .begin_object()
      .field("organization", text_of(event.scope.organization))
      .field("project", text_of(event.scope.project))
      .field("name", event.name)
      .field("data", event.data_json)
      .end_object();
  gateway_.tell(writer.end_object().take());
}

/// Only replicas may speak here, so what makes no sense is a newer one's.
void ReplicaHints::take(BytesView told) {
  auto document = json::Document::parse(told, largest_hint);
  if (!document) return;
  const auto root = document->root();
  const auto from = root.find("from");
  if (!from || from->get_string().empty() || from->get_string() == gateway_.replica()) return;
  if (const auto event = root.find("event")) {
    auto reader = json::Reader::open(*event);
    if (!reader) return;
    const auto scope = read_scope(*reader);
    const auto name = reader->text("name");
    auto data = reader->raw_text("data", largest_hint);
    if (scope && name && data) live_.deliver({*scope, *name, std::move(*data)});
  }
  if (const auto listens = root.find("listens")) {
    auto scopes = read_scopes(*listens);
    if (!scopes) return;
    const auto now = env_.clock.steady();
    const std::lock_guard lock(mutex_);
    std::erase_if(others_, [now](const auto& other) { return other.second.until < now; });
    if (others_.size() >= most_replicas) return;
    others_[std::string(from->get_string())] = {std::move(*scopes), now + patience};
  }
}

bool ReplicaHints::has_listener(const access::Scope& scope) const {
  const auto now = env_.clock.steady();
  const std::lock_guard lock(mutex_);
  return std::any_of(others_.begin(), others_.end(), [&](const auto& other) {
    const auto& scopes = other.second.scopes;
    return other.second.until >= now &&
           std::any_of(scopes.begin(), scopes.end(),
                       [&](const access::Scope& listened) { return listened.contains(scope); });
  });
}

}  // namespace ecp::inline v0::plane
