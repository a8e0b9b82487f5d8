// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/agent_store.hpp>

#include <ecp/storage/sql/agent.hpp>

namespace ecp::inline v0::agent {

AgentStore::~AgentStore() = default;

namespace {

using storage::sql::Blob;
using storage::sql::Connection;
using storage::sql::Statement;

class SqlAgentStore final : public AgentStore {
 public:
  explicit SqlAgentStore(Connection& connection) : connection_(connection) {}

  Result<std::optional<StoredManifest>> manifest() override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT epoch, generation, manifest, key_id, signature"
                              " FROM agent_manifest WHERE id = 1"));
    ECP_TRY(const bool found, row->step());
    if (!found) return std::nullopt;
    StoredManifest stored;
    stored.generation = {row->integer(0), row->integer(1)};
    stored.signed_manifest.manifest = Bytes(row->blob(2));
    stored.signed_manifest.key_id = std::string(row->text(3));
    stored.signed_manifest.signature = Bytes(row->blob(4));
    return std::optional(std::move(stored));
  }

  Result<void> put(const StoredManifest& manifest) override {
    const auto& document = manifest.signed_manifest;
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO agent_manifest (id, epoch, generation, manifest, key_id, signature)"
        " VALUES (1, $1, $2, $3, $4, $5) ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch,"
        " generation = excluded.generation, manifest = excluded.manifest,"
        " key_id = excluded.key_id, signature = excluded.signature",
        manifest.generation.epoch, manifest.generation.generation, Blob{document.manifest},
        document.key_id, Blob{document.signature}));
    return {};
  }

  Result<std::vector<ResourceRow>> resources() override {
    ECP_TRY(auto* const rows,
            connection_.bound("SELECT name, wanted_sha256, applied_sha256, failed_sha256, reason"
                              " FROM agent_resources ORDER BY name"));
    std::vector<ResourceRow> found;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return found;
      found.push_back({std::string(rows->text(0)), std::string(rows->text(1)),
                       std::string(rows->text(2)), std::string(rows->text(3)),
                       std::string(rows->text(4))});
    }
  }

  Result<void> put(const ResourceRow& row) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO agent_resources (name, wanted_sha256, applied_sha256, failed_sha256, reason)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO UPDATE SET"
        " wanted_sha256 = excluded.wanted_sha256, applied_sha256 = excluded.applied_sha256,"
        " failed_sha256 = excluded.failed_sha256, reason = excluded.reason",
        row.name, row.wanted_sha256, row.applied_sha256, row.failed_sha256, row.reason));
    return {};
  }

  Result<void> remove_resource(std::string_view name) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM agent_resources WHERE name = $1", name));
    return {};
  }

  Result<std::optional<std::string>> body(std::string_view sha256) override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT body FROM agent_bodies WHERE sha256 = $1", sha256));
    ECP_TRY(const bool found, row->step());
    if (!found) return std::nullopt;
    return std::optional(std::string(row->blob(0)));
  }

  Result<void> put_body(std::string_view sha256, std::string_view body) override {
    ECP_TRY_VOID(
        connection_.run("INSERT INTO agent_bodies (sha256, body) VALUES ($1, $2)"
                        " ON CONFLICT DO NOTHING",
                        sha256, Blob{body}));
    return {};
  }

  Result<void> remove_unused_bodies() override {
    ECP_TRY_VOID(connection_.run(
        "DELETE FROM agent_bodies WHERE NOT EXISTS (SELECT 1 FROM agent_resources"
        " WHERE wanted_sha256 = agent_bodies.sha256 OR applied_sha256 = agent_bodies.sha256)"));
    return {};
  }

  Result<std::optional<JournaledCommand>> command(link::CommandId id) override {
    ECP_TRY(
        auto* const row,
        connection_.bound("SELECT id, state, reason, value_json, at, results FROM agent_commands"
                          " WHERE id = $1",
                          id.to_string()));
    ECP_TRY(const bool found, row->step());
    if (!found) return std::nullopt;
    ECP_TRY(auto command, read(*row));
    return std::optional(std::move(command));
  }

  Result<void> put(const JournaledCommand& command) override {
    const auto& result = command.result;
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO agent_commands (id, state, reason, value_json, at, results)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
        " reason = excluded.reason, value_json = excluded.value_json, at = excluded.at,"
        " results = excluded.results",
        result.command.to_string(), to_string(result.state), result.reason, result.value_json,
        result.at, result.results.empty() ? std::string() : link::to_json(result.results)));
    return {};
  }

  Result<std::vector<JournaledCommand>> unfinished_commands() override {
    ECP_TRY(
        auto* const rows,
        connection_.bound("SELECT id, state, reason, value_json, at, results FROM agent_commands"
                          " WHERE state = 'pending'"));
    std::vector<JournaledCommand> found;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return found;
      ECP_TRY(auto command, read(*rows));
      found.push_back(std::move(command));
    }
  }

  Result<void> remove_commands(Time before) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM agent_commands WHERE at < $1 AND state <> 'pending'", before));
    return {};
  }

  Result<std::vector<GuardedTag>> guarded_tags() override {
    ECP_TRY(auto* const rows,
            connection_.bound("SELECT service, tag, written_at, has_writer, cloud_loss, fault"
                              " FROM agent_guarded_tags ORDER BY service, tag"));
    std::vector<GuardedTag> found;
    while (true) {
      ECP_TRY(const bool more, rows->step());
      if (!more) return found;
      GuardedTag tag;
      ECP_TRY(tag.service, link::EdgeServiceId::parse(rows->text(0)));
      tag.tag = std::string(rows->text(1));
      tag.written_at = from_ms(rows->integer(2));
      tag.has_writer = rows->integer(3) != 0;
      tag.cloud_loss = from_ms(rows->integer(4));
      tag.fault = std::string(rows->text(5));
      found.push_back(std::move(tag));
    }
  }

  Result<void> put(const GuardedTag& tag) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO agent_guarded_tags (service, tag, written_at, has_writer, cloud_loss, fault)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (service, tag) DO UPDATE SET"
        " written_at = excluded.written_at, has_writer = excluded.has_writer,"
        " cloud_loss = excluded.cloud_loss, fault = excluded.fault",
        tag.service.to_string(), tag.tag, tag.written_at, std::int64_t{tag.has_writer},
        tag.cloud_loss, tag.fault));
    return {};
  }

  Result<void> remove_guarded_tag(link::EdgeServiceId service, std::string_view tag) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM agent_guarded_tags WHERE service = $1 AND tag = $2",
                                 service.to_string(), tag));
    return {};
  }

  Result<std::optional<Time>> cloud_lost_at() override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT value FROM agent_counters WHERE name = 'cloud_lost_at'"));
    ECP_TRY(const bool found, row->step());
    if (!found) return std::nullopt;
    return std::optional(from_ms(row->integer(0)));
  }

  Result<void> put_cloud_lost_at(std::optional<Time> at) override {
    if (!at) {
      ECP_TRY_VOID(connection_.run("DELETE FROM agent_counters WHERE name = 'cloud_lost_at'"));
      return {};
    }
    ECP_TRY_VOID(
        connection_.run("INSERT INTO agent_counters (name, value) VALUES ('cloud_lost_at', $1)"
                        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                        *at));
    return {};
  }

  Result<std::int64_t> next_connection() override {
    ECP_TRY_VOID(
        connection_.run("INSERT INTO agent_counters (name, value) VALUES ('connection', 1)"
                        " ON CONFLICT (name) DO UPDATE SET value = agent_counters.value + 1"));
    ECP_TRY(auto* const row,
            connection_.bound("SELECT value FROM agent_counters WHERE name = 'connection'"));
    ECP_TRY_VOID(row->step());
    return row->integer(0);
  }

 private:
  static Result<JournaledCommand> read(const Statement& row) {
    JournaledCommand command;
    auto& result = command.result;
    ECP_TRY(result.command, link::CommandId::parse(row.text(0)));
    ECP_TRY(result.state, link::parse_command_state(row.text(1)));
    result.reason = std::string(row.text(2));
    result.value_json = std::string(row.text(3));
    result.at = from_ms(row.integer(4));
    if (!row.text(5).empty()) {
      ECP_TRY(result.results, link::parse_tag_results(row.text(5)));
    }
    return command;
  }

  Connection& connection_;
};

}  // namespace
}  // namespace ecp::inline v0::agent

namespace ecp::inline v0::storage {
namespace {

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE agent_manifest (id BIGINT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL,"
     " generation BIGINT NOT NULL, manifest BYTEA NOT NULL, key_id TEXT NOT NULL,"
     " signature BYTEA NOT NULL);"
     "CREATE TABLE agent_resources (name TEXT NOT NULL PRIMARY KEY, wanted_sha256 TEXT NOT NULL,"
     " applied_sha256 TEXT NOT NULL, failed_sha256 TEXT NOT NULL, reason TEXT NOT NULL);"
     "CREATE TABLE agent_bodies (sha256 TEXT NOT NULL PRIMARY KEY, body BYTEA NOT NULL);"
     "CREATE TABLE agent_commands (id TEXT NOT NULL PRIMARY KEY, state TEXT NOT NULL,"
     " reason TEXT NOT NULL, value_json TEXT NOT NULL, at BIGINT NOT NULL);"
     "CREATE TABLE agent_counters (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL)"},
    {2,
     "ALTER TABLE agent_commands ADD COLUMN results TEXT NOT NULL DEFAULT '';"
     "CREATE TABLE agent_guarded_tags (service TEXT NOT NULL, tag TEXT NOT NULL,"
     " written_at BIGINT NOT NULL, has_writer BIGINT NOT NULL, cloud_loss BIGINT NOT NULL,"
     " fault TEXT NOT NULL, PRIMARY KEY (service, tag))"},
};

constexpr StoreFactory factories[] = {
    {agent::AgentStore::store_name,
     [](sql::Connection& connection) {
       return erase<agent::AgentStore>(new agent::SqlAgentStore(connection));
     }},
};

}  // namespace

const StoreModule& agent_module() {
  static constexpr StoreModule module{"agent", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
