// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/edge_node_store.hpp>

#include <charconv>

#include "storage/sql/fleet/stores.hpp"

namespace ecp::inline v0::fleet::sql_stores {
namespace {

constexpr std::string_view noun = "edge node";

const std::string select_nodes =
    "SELECT n.id, n.organization, n.project, n.name, n.description, n.revision, n.created_at, "
    "n.revoked, n.wanted_epoch, n.wanted_generation, s.state, s.absent, s.connection, "
    "s.changed_at, s.last_seen, s.version, s.applied_epoch, s.applied_generation, "
    "s.manifest_sha256, s.buffered, s.dropped, s.load_1m, s.memory_total, s.memory_available, "
    "s.disk_free, n.wanted_sha256, s.flips, s.ended FROM fleet_nodes n JOIN fleet_node_status s ON "
    "s.node = "
    "n.id ";
const std::string select_node = select_nodes + "WHERE n.id = $1";
const std::string matches =
    "WHERE n.project = $1 AND n.name_key LIKE $2 ESCAPE '!' AND (CAST($3 AS TEXT) IS NULL OR "
    "s.state = CAST($3 AS TEXT)) ";
const std::string select_page =
    select_nodes + matches + "ORDER BY n.name_key, n.id LIMIT $4 OFFSET $5";
const std::string count_page =
    "SELECT count(*) FROM fleet_nodes n JOIN fleet_node_status s ON s.node = n.id " + matches;

/// Times as text, oldest first: milliseconds with a space between them.
std::string times_text(const std::vector<Time>& times) {
  std::string text;
  for (const auto time : times) text += (text.empty() ? "" : " ") + std::to_string(to_ms(time));
  return text;
}

Result<std::vector<Time>> parse_times(std::string_view text) {
  std::vector<Time> times;
  while (!text.empty()) {
    std::int64_t ms = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), ms);
    if (end.ec != std::errc()) return damaged(noun);
    times.push_back(from_ms(ms));
    text.remove_prefix(static_cast<std::size_t>(end.ptr - text.data()));
    if (!text.empty()) text.remove_prefix(1);
  }
  return times;
}

Result<EdgeNodeStatus> read_status(const Statement& row) {
  EdgeNodeStatus status;
  const auto state = parse_connection_state(row.text(10));
  if (!state) return damaged(noun);
  status.state = *state;
  status.absent = row.integer(11) != 0;
  status.connection = row.integer(12);
  status.changed_at = time_at(row, 13);
  status.last_seen = time_at(row, 14);
  status.version = row.text(15);
  status.applied = {row.integer(16), row.integer(17)};
  status.manifest_sha256 = row.text(18);
  status.buffered = row.integer(19);
  status.dropped = row.integer(20);
  status.host = {row.real(21), row.integer(22), row.integer(23), row.integer(24)};
  ECP_TRY(status.flips, parse_times(row.text(26)));
  status.ended = row.integer(27);
  return status;
}

Result<EdgeNode> read_node(const Statement& row) {
  EdgeNode node;
  ECP_TRY(node.id, id_at<EdgeNodeId>(row, 0));
  ECP_TRY(node.organization, id_at<access::OrganizationId>(row, 1));
  ECP_TRY(node.project, id_at<access::ProjectId>(row, 2));
  node.name = row.text(3);
  node.description = row.text(4);
  node.revision = static_cast<Revision>(row.integer(5));
  node.created_at = time_at(row, 6);
  node.revoked = row.integer(7) != 0;
  node.wanted = {row.integer(8), row.integer(9)};
  node.wanted_sha256 = row.text(25);
  auto status = read_status(row);
  if (!status) return std::move(status).error();
  node.status = std::move(status).value();
  return node;
}

Result<EdgeNodeId> read_id(const Statement& row) { return id_at<EdgeNodeId>(row, 0); }

class SqlEdgeNodeStore final : public EdgeNodeStore {
 public:
  explicit SqlEdgeNodeStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const EdgeNode& node) override {
    ECP_TRY(const auto added,
            connection_.run(
                "INSERT INTO fleet_nodes (id, organization, project, name, name_key, description, "
                "revision, created_at, revoked, wanted_epoch, wanted_generation) VALUES ($1, $2, "
                "$3, $4, $5, $6, 1, $7, $8, $9, $10) ON CONFLICT DO NOTHING",
                node.id.to_string(), node.organization.to_string(), node.project.to_string(),
                node.name, name_key(node.name), node.description, node.created_at, node.revoked,
                node.wanted.epoch, node.wanted.generation));
    if (added == 0) return name_taken(noun);
    return insert_status(node.id, node.status);
  }

  Result<EdgeNode> get(access::ProjectId project, EdgeNodeId id) override {
    ECP_TRY(auto node, find(id));
    if (!node || node->project != project) return not_found(noun);
    return std::move(*node);
  }

  Result<std::optional<EdgeNode>> find(EdgeNodeId id) override {
    return first_row<EdgeNode>(connection_.bound(select_node, id.to_string()), read_node);
  }

  Result<Page<EdgeNode>> list(const EdgeNodeQuery& query, PageRequest page) override {
    std::optional<std::string_view> state;
    if (query.state) state = to_string(*query.state);
    const auto project = query.project.to_string();
    const auto pattern = contains_pattern(query.name_contains);
    Page<EdgeNode> found;
    ECP_TRY(found.items, all_rows<EdgeNode>(connection_.bound(select_page, project, pattern, state,
                                                              page.limit, page.offset),
                                            read_node));
    ECP_TRY(found.total, number_of(connection_.bound(count_page, project, pattern, state)));
    return found;
  }

  Result<Revision> update(const EdgeNode& node) override {
    ECP_TRY(const auto taken,
            number_of(connection_.bound("SELECT count(*) FROM fleet_nodes WHERE project = $1 AND "
                                        "name_key = $2 AND id <> $3",
                                        node.project.to_string(), name_key(node.name),
                                        node.id.to_string())));
    if (taken > 0) return name_taken(noun);
    ECP_TRY(const auto changed,
            connection_.run("UPDATE fleet_nodes SET name = $1, name_key = $2, description = $3, "
                            "revoked = $4, revision = revision + 1 WHERE project = $5 AND id = $6 "
                            "AND revision = $7",
                            node.name, name_key(node.name), node.description, node.revoked,
                            node.project.to_string(), node.id.to_string(), node.revision));
    if (changed == 0) return stale(noun);
    if (node.revoked) ECP_TRY_VOID(deny(node.id));
    return next(node.revision);
  }

  Result<void> remove(access::ProjectId project, EdgeNodeId id) override {
    ECP_TRY(const auto gone,
            connection_.run("DELETE FROM fleet_nodes WHERE project = $1 AND id = $2",
                            project.to_string(), id.to_string()));
    if (gone == 0) return not_found(noun);
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_node_status WHERE node = $1", id.to_string()));
    return deny(id);
  }

  Result<std::int64_t> count() override {
    return number_of(connection_.bound("SELECT count(*) FROM fleet_nodes"));
  }

  Result<void> put_status(EdgeNodeId id, const EdgeNodeStatus& status) override {
    ECP_TRY_VOID(connection_.run(
        "UPDATE fleet_node_status SET state = $1, absent = $2, connection = $3, changed_at = $4, "
        "last_seen = CASE WHEN last_seen > $5 THEN last_seen ELSE $5 END, version = $6, "
        "applied_epoch = $7, applied_generation = $8, manifest_sha256 = $9, buffered = $10, "
        "dropped = $11, load_1m = $12, memory_total = $13, memory_available = $14, disk_free = "
        "$15, flips = $16, ended = $17 WHERE node = $18",
        to_string(status.state), status.absent, status.connection, status.changed_at,
        status.last_seen, status.version, status.applied.epoch, status.applied.generation,
        status.manifest_sha256, status.buffered, status.dropped, status.host.load_1m,
        status.host.memory_total, status.host.memory_available, status.host.disk_free,
        times_text(status.flips), status.ended, id.to_string()));
    return {};
  }

  Result<void> touch_seen(EdgeNodeId id, Time seen) override {
    ECP_TRY_VOID(connection_.run(
        "UPDATE fleet_node_status SET last_seen = $1 WHERE node = $2 AND last_seen < $1", seen,
        id.to_string()));
    return {};
  }

  Result<void> put_vitals(EdgeNodeId id, const link::Heartbeat& heartbeat) override {
    const auto& host = heartbeat.host;
    ECP_TRY_VOID(connection_.run(
        "UPDATE fleet_node_status SET buffered = $1, dropped = $2, load_1m = $3, memory_total = "
        "$4, memory_available = $5, disk_free = $6 WHERE node = $7",
        heartbeat.buffered, heartbeat.dropped, host.load_1m, host.memory_total,
        host.memory_available, host.disk_free, id.to_string()));
    return {};
  }

  Result<void> put_wanted(EdgeNodeId id, link::Generation wanted,
                          std::string_view sha256) override {
    ECP_TRY_VOID(connection_.run(
        "UPDATE fleet_nodes SET wanted_epoch = $1, wanted_generation = $2, wanted_sha256 = $3 "
        "WHERE id = $4",
        wanted.epoch, wanted.generation, sha256, id.to_string()));
    return {};
  }

  Result<std::vector<EdgeNodeId>> list_watched(EdgeNodeId after, std::int64_t limit) override {
    return all_rows<EdgeNodeId>(
        connection_.bound("SELECT n.id FROM fleet_nodes n JOIN fleet_node_status s ON s.node = "
                          "n.id WHERE n.id > $1 AND s.state <> 'never' AND s.absent = 0 AND "
                          "n.revoked = 0 ORDER BY n.id LIMIT $2",
                          after.to_string(), limit),
        read_id);
  }

  Result<std::vector<EdgeNodeId>> list_revoked() override {
    return all_rows<EdgeNodeId>(connection_.bound("SELECT node FROM fleet_denied ORDER BY node"),
                                read_id);
  }

  Result<std::int64_t> denied_version() override {
    return number_of(connection_.bound("SELECT count(*) FROM fleet_denied"));
  }

 private:
  Result<void> insert_status(EdgeNodeId id, const EdgeNodeStatus& status) {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_node_status (node, state, absent, connection, changed_at, last_seen, "
        "version, applied_epoch, applied_generation, manifest_sha256, buffered, dropped, load_1m, "
        "memory_total, memory_available, disk_free) VALUES ($1, $2, 0, 0, 0, 0, '', 0, 0, '', 0, "
        "0, 0.0, 0, 0, 0)",
        id.to_string(), to_string(ConnectionState::never)));
    return put_status(id, status);
  }

  /// Remembered also when the node is gone, so that its certificate opens nothing any more.
  Result<void> deny(EdgeNodeId id) {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_denied (node) VALUES ($1) ON CONFLICT DO NOTHING", id.to_string()));
    return {};
  }

  Connection& connection_;
};

class SqlBufferStore final : public BufferStore {
 public:
  explicit SqlBufferStore(Connection& connection) : connection_(connection) {}

  Result<std::int64_t> cursor(EdgeNodeId node, std::string_view stream,
                              std::string_view buffer_id) override {
    return number_of(connection_.bound(
        "SELECT upto FROM fleet_buffers WHERE node = $1 AND buffer = $2 AND stream = $3",
        node.to_string(), buffer_id, stream));
  }

  Result<void> advance(EdgeNodeId node, std::string_view stream, std::string_view buffer_id,
                       std::int64_t upto) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_buffers (node, buffer, stream, upto, refused) VALUES ($1, $2, $3, $4, "
        "0) ON CONFLICT (node, buffer, stream) DO UPDATE SET upto = excluded.upto WHERE "
        "fleet_buffers.upto < excluded.upto",
        node.to_string(), buffer_id, stream, upto));
    return {};
  }

  Result<bool> begin(EdgeNodeId node, std::string_view stream,
                     std::string_view buffer_id) override {
    ECP_TRY(const auto rows, number_of(connection_.bound("SELECT count(*) FROM fleet_buffers"
                                                         " WHERE node = $1 AND buffer = $2",
                                                         node.to_string(), buffer_id)));
    if (rows > 0) return false;
    ECP_TRY(const auto ended,
            connection_.run("UPDATE fleet_buffers SET refused = 1 WHERE node = $1 AND refused = 0",
                            node.to_string()));
    ECP_TRY_VOID(advance(node, stream, buffer_id, 0));
    return ended > 0;
  }

  Result<bool> is_refused(EdgeNodeId node, std::string_view buffer_id) override {
    ECP_TRY(const auto rows,
            number_of(connection_.bound("SELECT count(*) FROM fleet_buffers WHERE node = $1 AND "
                                        "buffer = $2 AND refused = 1",
                                        node.to_string(), buffer_id)));
    return rows > 0;
  }

  Result<void> refuse_all(EdgeNodeId node) override {
    ECP_TRY_VOID(
        connection_.run("UPDATE fleet_buffers SET refused = 1 WHERE node = $1", node.to_string()));
    return {};
  }

  Result<void> remove(EdgeNodeId node) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_buffers WHERE node = $1", node.to_string()));
    return {};
  }

 private:
  Connection& connection_;
};

}  // namespace

storage::ErasedStore make_edge_node_store(Connection& connection) {
  return storage::erase<EdgeNodeStore>(new SqlEdgeNodeStore(connection));
}
storage::ErasedStore make_buffer_store(Connection& connection) {
  return storage::erase<BufferStore>(new SqlBufferStore(connection));
}

}  // namespace ecp::inline v0::fleet::sql_stores
