// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <ecp/fleet/command.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/restore.hpp>
#include <ecp/storage/sql/fleet.hpp>

#include "storage/sql/fleet/stores.hpp"

namespace ecp::inline v0::fleet::sql_stores {

std::string contains_pattern(std::string_view part) {
  std::string pattern = "%";
  for (const char letter : name_key(part)) {
    if (letter == '%' || letter == '_' || letter == '!') pattern += '!';
    pattern += letter;
  }
  return pattern + "%";
}

}  // namespace ecp::inline v0::fleet::sql_stores

namespace ecp::inline v0::storage {
namespace {

constexpr std::string_view first_schema = R"sql(
CREATE TABLE fleet_nodes (
  id TEXT PRIMARY KEY, organization TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
  name_key TEXT NOT NULL, description TEXT NOT NULL, revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL, revoked BIGINT NOT NULL, wanted_epoch BIGINT NOT NULL,
  wanted_generation BIGINT NOT NULL, UNIQUE (project, name_key));
CREATE TABLE fleet_node_status (
  node TEXT PRIMARY KEY, state TEXT NOT NULL, absent BIGINT NOT NULL, connection BIGINT NOT NULL,
  changed_at BIGINT NOT NULL, last_seen BIGINT NOT NULL, version TEXT NOT NULL,
  applied_epoch BIGINT NOT NULL, applied_generation BIGINT NOT NULL, manifest_sha256 TEXT NOT NULL,
  buffered BIGINT NOT NULL, dropped BIGINT NOT NULL, load_1m DOUBLE PRECISION NOT NULL,
  memory_total BIGINT NOT NULL, memory_available BIGINT NOT NULL, disk_free BIGINT NOT NULL);
CREATE TABLE fleet_denied (
  node TEXT PRIMARY KEY);
CREATE TABLE fleet_buffers (
  node TEXT NOT NULL, buffer TEXT NOT NULL, stream TEXT NOT NULL, upto BIGINT NOT NULL,
  refused BIGINT NOT NULL, PRIMARY KEY (node, buffer, stream));
CREATE TABLE fleet_services (
  id TEXT PRIMARY KEY, organization TEXT NOT NULL, project TEXT NOT NULL, node TEXT NOT NULL,
  name TEXT NOT NULL, name_key TEXT NOT NULL, kind TEXT NOT NULL, runtime TEXT NOT NULL,
  running BIGINT NOT NULL, config TEXT NOT NULL, revision BIGINT NOT NULL,
  created_at BIGINT NOT NULL, UNIQUE (project, name_key));
CREATE INDEX fleet_services_of_node ON fleet_services (node);
CREATE TABLE fleet_service_status (
  service TEXT PRIMARY KEY, state TEXT NOT NULL, reason TEXT NOT NULL, changed_at BIGINT NOT NULL,
  wanted_sha256 TEXT NOT NULL, applied_sha256 TEXT NOT NULL, resource BIGINT NOT NULL,
  resource_reason TEXT NOT NULL);
CREATE TABLE fleet_tokens (
  id TEXT PRIMARY KEY, organization TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE, uses BIGINT NOT NULL, used BIGINT NOT NULL,
  created_at BIGINT NOT NULL, expires_at BIGINT NOT NULL);
CREATE INDEX fleet_tokens_of_project ON fleet_tokens (project);
CREATE TABLE fleet_token_uses (
  token TEXT NOT NULL, key_sha256 TEXT NOT NULL, node TEXT NOT NULL,
  PRIMARY KEY (token, key_sha256));
CREATE TABLE fleet_certificates (
  serial TEXT PRIMARY KEY, node TEXT NOT NULL, key_sha256 TEXT NOT NULL,
  issued_at BIGINT NOT NULL, not_after BIGINT NOT NULL, used_at BIGINT);
CREATE INDEX fleet_certificates_of_node ON fleet_certificates (node);
CREATE TABLE fleet_commands (
  id TEXT PRIMARY KEY, organization TEXT NOT NULL, project TEXT NOT NULL, node TEXT NOT NULL,
  service TEXT NOT NULL, action TEXT NOT NULL, tag TEXT NOT NULL, wanted_value TEXT NOT NULL,
  expires_at BIGINT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL, value TEXT NOT NULL,
  revision BIGINT NOT NULL, created_at BIGINT NOT NULL, sent_at BIGINT, finished_at BIGINT);
CREATE INDEX fleet_commands_of_project ON fleet_commands (project, id);
CREATE INDEX fleet_commands_by_state ON fleet_commands (state, expires_at);
CREATE INDEX fleet_commands_of_node ON fleet_commands (node, state);
CREATE TABLE fleet_touched (
  node TEXT PRIMARY KEY);
CREATE TABLE fleet_manifests (
  node TEXT PRIMARY KEY, manifest BYTEA NOT NULL, key_id TEXT NOT NULL, signature BYTEA NOT NULL);
CREATE TABLE fleet_bodies (
  node TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (node, name));
)sql";

constexpr std::string_view trust_schema = R"sql(
ALTER TABLE fleet_nodes ADD COLUMN wanted_sha256 TEXT NOT NULL DEFAULT '';
ALTER TABLE fleet_node_status ADD COLUMN flips TEXT NOT NULL DEFAULT '';
CREATE TABLE fleet_restores (
  found_at BIGINT NOT NULL PRIMARY KEY);
)sql";

constexpr std::string_view writes_schema = R"sql(
ALTER TABLE fleet_commands ADD COLUMN writes TEXT NOT NULL DEFAULT '';
ALTER TABLE fleet_commands ADD COLUMN results TEXT NOT NULL DEFAULT '';
)sql";

// Whether a will came was not kept before: who was offline is held for ended, as it was then.
constexpr std::string_view ended_schema = R"sql(
ALTER TABLE fleet_node_status ADD COLUMN ended BIGINT NOT NULL DEFAULT 0;
UPDATE fleet_node_status SET ended = connection WHERE state = 'offline';
)sql";

constexpr std::array migrations{Migration{1, first_schema}, Migration{2, trust_schema},
                                Migration{3, writes_schema}, Migration{4, ended_schema}};

const std::array factories{
    StoreFactory{fleet::EdgeNodeStore::store_name, fleet::sql_stores::make_edge_node_store},
    StoreFactory{fleet::BufferStore::store_name, fleet::sql_stores::make_buffer_store},
    StoreFactory{fleet::EdgeServiceStore::store_name, fleet::sql_stores::make_edge_service_store},
    StoreFactory{fleet::EnrollmentTokenStore::store_name,
                 fleet::sql_stores::make_enrollment_token_store},
    StoreFactory{fleet::AgentCertificateStore::store_name,
                 fleet::sql_stores::make_agent_certificate_store},
    StoreFactory{fleet::CommandStore::store_name, fleet::sql_stores::make_command_store},
    StoreFactory{fleet::DesiredStore::store_name, fleet::sql_stores::make_desired_store},
    StoreFactory{fleet::RestoreStore::store_name, fleet::sql_stores::make_restore_store}};

const StoreModule module{"fleet", migrations, factories};

}  // namespace

const StoreModule& fleet_module() { return module; }

}  // namespace ecp::inline v0::storage
