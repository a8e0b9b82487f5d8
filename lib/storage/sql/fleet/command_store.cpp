// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/command.hpp>

#include "storage/sql/fleet/stores.hpp"

namespace ecp::inline v0::fleet::sql_stores {
namespace {

constexpr std::string_view noun = "command";

const std::string select_commands =
    "SELECT id, organization, project, node, service, action, tag, wanted_value, expires_at, "
    "state, reason, value, revision, created_at, sent_at, finished_at, writes, results FROM "
    "fleet_commands ";
const std::string select_command = select_commands + "WHERE id = $1";
const std::string select_page =
    select_commands + "WHERE project = $1 ORDER BY id DESC LIMIT $2 OFFSET $3";
const std::string select_pending_of_node =
    select_commands + "WHERE node = $1 AND state = 'pending' ORDER BY id";
const std::string select_pending =
    select_commands + "WHERE state = 'pending' ORDER BY expires_at, id LIMIT $1";
const std::string select_unsent =
    select_commands +
    "WHERE node = $1 AND state IN ('pending', 'expired') AND sent_at IS NULL"
    " ORDER BY id DESC LIMIT $2";
const std::string select_unknown =
    select_commands +
    "WHERE node = $1 AND state = 'unknown' AND expires_at > $2 ORDER BY id DESC LIMIT $3";

/// The items as JSON; empty when there are none.
template <class Item>
std::string list_text(const std::vector<Item>& items) {
  return items.empty() ? std::string() : link::to_json(items);
}

Result<Command> read_command(const Statement& row) {
  Command command;
  ECP_TRY(command.what.id, id_at<CommandId>(row, 0));
  ECP_TRY(command.organization, id_at<access::OrganizationId>(row, 1));
  ECP_TRY(command.project, id_at<access::ProjectId>(row, 2));
  ECP_TRY(command.node, id_at<EdgeNodeId>(row, 3));
  ECP_TRY(command.what.service, id_at<EdgeServiceId>(row, 4));
  const auto state = link::parse_command_state(row.text(9));
  if (!state) return damaged(noun);
  command.what.action = row.text(5);
  command.what.tag = row.text(6);
  command.what.value_json = row.text(7);
  command.what.expires_at = time_at(row, 8);
  command.state = *state;
  command.reason = row.text(10);
  command.value_json = row.text(11);
  command.revision = static_cast<Revision>(row.integer(12));
  command.created_at = time_at(row, 13);
  command.sent_at = optional_time_at(row, 14);
  command.finished_at = optional_time_at(row, 15);
  if (!row.text(16).empty()) {
    auto writes = link::parse_tag_writes(row.text(16));
    if (!writes) return damaged(noun);
    command.what.writes = std::move(*writes);
  }
  if (!row.text(17).empty()) {
    auto results = link::parse_tag_results(row.text(17));
    if (!results) return damaged(noun);
    command.results = std::move(*results);
  }
  return command;
}

class SqlCommandStore final : public CommandStore {
 public:
  explicit SqlCommandStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const Command& command) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO fleet_commands (id, organization, project, node, service, action, tag, "
        "wanted_value, expires_at, state, reason, value, revision, created_at, sent_at, "
        "finished_at, writes, results) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, "
        "1, "
        "$13, CAST($14 AS BIGINT), CAST($15 AS BIGINT), $16, $17)",
        command.what.id.to_string(), command.organization.to_string(), command.project.to_string(),
        command.node.to_string(), command.what.service.to_string(), command.what.action,
        command.what.tag, command.what.value_json, command.what.expires_at,
        link::to_string(command.state), command.reason, command.value_json, command.created_at,
        command.sent_at, command.finished_at, list_text(command.what.writes),
        list_text(command.results)));
    return {};
  }

  Result<Command> get(access::ProjectId project, CommandId id) override {
    ECP_TRY(auto command, find(id));
    if (!command || command->project != project) return not_found(noun);
    return std::move(*command);
  }

  Result<std::optional<Command>> find(CommandId id) override {
    return first_row<Command>(connection_.bound(select_command, id.to_string()), read_command);
  }

  Result<Page<Command>> list(access::ProjectId project, PageRequest page) override {
    Page<Command> found;
    ECP_TRY(found.items, all_rows<Command>(connection_.bound(select_page, project.to_string(),
                                                             page.limit, page.offset),
                                           read_command));
    ECP_TRY(found.total,
            number_of(connection_.bound("SELECT count(*) FROM fleet_commands WHERE project = $1",
                                        project.to_string())));
    return found;
  }

  Result<std::vector<Command>> list_pending(EdgeNodeId node) override {
    return all_rows<Command>(connection_.bound(select_pending_of_node, node.to_string()),
                             read_command);
  }

  Result<std::vector<Command>> list_pending(std::int64_t limit) override {
    return all_rows<Command>(connection_.bound(select_pending, limit), read_command);
  }

  Result<std::vector<Command>> list_unsent(EdgeNodeId node, std::int64_t limit) override {
    return all_rows<Command>(connection_.bound(select_unsent, node.to_string(), limit),
                             read_command);
  }

  Result<std::vector<Command>> list_unknown(EdgeNodeId node, Time since,
                                            std::int64_t limit) override {
    return all_rows<Command>(connection_.bound(select_unknown, node.to_string(), since, limit),
                             read_command);
  }

  Result<std::int64_t> count_pending(EdgeNodeId node) override {
    return number_of(connection_.bound(
        "SELECT count(*) FROM fleet_commands WHERE node = $1 AND state = 'pending'",
        node.to_string()));
  }

  Result<void> update(const Command& command) override {
    ECP_TRY(const auto changed,
            connection_.run(
                "UPDATE fleet_commands SET state = $1, reason = $2, value = $3, sent_at "
                "= CAST($4 AS BIGINT), finished_at = CAST($5 AS BIGINT), results = $6, "
                "revision = revision + 1 WHERE id = $7",
                link::to_string(command.state), command.reason, command.value_json, command.sent_at,
                command.finished_at, list_text(command.results), command.what.id.to_string()));
    if (changed == 0) return not_found(noun);
    return {};
  }

  Result<void> remove_finished(Time before) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_commands WHERE finished_at < $1", before));
    return {};
  }

  Result<void> remove_of_node(EdgeNodeId node) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM fleet_commands WHERE node = $1", node.to_string()));
    return {};
  }

 private:
  Connection& connection_;
};

}  // namespace

storage::ErasedStore make_command_store(Connection& connection) {
  return storage::erase<CommandStore>(new SqlCommandStore(connection));
}

}  // namespace ecp::inline v0::fleet::sql_stores
