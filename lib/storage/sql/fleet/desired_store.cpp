// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/restore.hpp>

#include "storage/sql/fleet/stores.hpp"

namespace ecp::inline v0::fleet::sql_stores {
namespace {

class SqlDesiredStore final : public DesiredStore {
 public:
  explicit SqlDesiredStore(Connection& connection) : connection_(connection) {}

  Result<void> touch(EdgeNodeId node) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_touched (node) VALUES ($1) ON CONFLICT DO NOTHING", node.to_string()));
    return {};
  }

  Result<void> touch_project(access::ProjectId project) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_touched (node) SELECT id FROM fleet_nodes WHERE project = $1 AND "
        "revoked = 0 ON CONFLICT DO NOTHING",
        project.to_string()));
    return {};
  }

  Result<std::vector<EdgeNodeId>> touched(std::int64_t limit) override {
    return all_rows<EdgeNodeId>(
        connection_.bound("SELECT node FROM fleet_touched ORDER BY node LIMIT $1", limit),
        [](const Statement& row) -> Result<EdgeNodeId> { return id_at<EdgeNodeId>(row, 0); });
  }

  Result<void> settle(EdgeNodeId node) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_touched WHERE node = $1", node.to_string()));
    return {};
  }

  Result<std::optional<link::SignedManifest>> find(EdgeNodeId node) override {
    ECP_TRY(auto found,
            first_row<link::SignedManifest>(
                connection_.bound(
                    "SELECT manifest, key_id, signature FROM fleet_manifests WHERE node = $1",
                    node.to_string()),
                [](const Statement& row) -> Result<link::SignedManifest> {
                  link::SignedManifest manifest;
                  manifest.manifest = row.blob(0);
                  manifest.key_id = row.text(1);
                  manifest.signature = row.blob(2);
                  return manifest;
                }));
    if (!found) return std::nullopt;
    ECP_TRY(
        auto bodies,
        all_rows<NamedBody>(connection_.bound("SELECT name, body FROM fleet_bodies WHERE node = $1",
                                              node.to_string()),
                            [](const Statement& row) -> Result<NamedBody> {
                              return NamedBody{std::string(row.text(0)), std::string(row.text(1))};
                            }));
    for (auto& entry : bodies) found->bodies.insert(std::move(entry));
    return found;
  }

  Result<void> put(EdgeNodeId node, const link::SignedManifest& manifest) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_manifests (node, manifest, key_id, signature) VALUES ($1, $2, $3, $4) "
        "ON "
        "CONFLICT (node) DO UPDATE SET manifest = excluded.manifest, key_id = excluded.key_id, "
        "signature = excluded.signature",
        node.to_string(), storage::sql::Blob{manifest.manifest}, manifest.key_id,
        storage::sql::Blob{manifest.signature}));
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_bodies WHERE node = $1", node.to_string()));
    for (const auto& entry : manifest.bodies) {
      ECP_TRY_VOID(connection_.run(
          "INSERT INTO fleet_bodies (node, name, sha256, body) VALUES ($1, $2, $3, $4)",
          node.to_string(), entry.first, to_hex(sha256(entry.second)), entry.second));
    }
    return {};
  }

  Result<std::string> body(EdgeNodeId node, std::string_view sha256_hex) override {
    ECP_TRY(
        auto found,
        first_row<std::string>(
            connection_.bound("SELECT body FROM fleet_bodies WHERE node = $1 AND sha256 = $2 "
                              "ORDER BY name LIMIT 1",
                              node.to_string(), sha256_hex),
            [](const Statement& row) -> Result<std::string> { return std::string(row.text(0)); }));
    if (!found) return not_found("resource");
    return std::move(*found);
  }

  Result<void> remove(EdgeNodeId node) override {
    for (const char* sql : {"DELETE FROM fleet_touched WHERE node = $1",
                            "DELETE FROM fleet_manifests WHERE node = $1",
                            "DELETE FROM fleet_bodies WHERE node = $1"}) {
      ECP_TRY_VOID(connection_.run(sql, node.to_string()));
    }
    return {};
  }

 private:
  using NamedBody = std::pair<std::string, std::string>;
  Connection& connection_;
};

class SqlRestoreStore final : public RestoreStore {
 public:
  explicit SqlRestoreStore(Connection& connection) : connection_(connection) {}

  Result<std::optional<Time>> latest() override {
    return first_row<Time>(
        connection_.bound("SELECT found_at FROM fleet_restores ORDER BY found_at DESC LIMIT 1"),
        [](const Statement& row) -> Result<Time> { return time_at(row, 0); });
  }

  Result<void> insert(Time found_at) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_restores (found_at) VALUES ($1) ON CONFLICT DO NOTHING", found_at));
    return {};
  }

 private:
  Connection& connection_;
};

}  // namespace

storage::ErasedStore make_restore_store(Connection& connection) {
  return storage::erase<RestoreStore>(new SqlRestoreStore(connection));
}
storage::ErasedStore make_desired_store(Connection& connection) {
  return storage::erase<DesiredStore>(new SqlDesiredStore(connection));
}

}  // namespace ecp::inline v0::fleet::sql_stores
