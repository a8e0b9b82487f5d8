// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/restore.hpp>
#include <ecp/storage/sql/fleet.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;         // NOLINT: a test reads better without prefixes.
using namespace ecp::fleet;  // NOLINT
using storage::Store;
using storage::Transaction;

const std::array modules{&storage::fleet_module()};

template <class Port, class Call>
auto in(Store& store, Call call) {
  return store.write([&](Transaction& transaction) { return call(transaction.get<Port>()); });
}

/// One project, and makers of what belongs to it.
struct Project {
  explicit Project(ManualEnv& world_in)
      : world(world_in),
        organization(world.ids.next<access::OrganizationId>()),
        id(world.ids.next<access::ProjectId>()) {}

  EdgeNode node(const std::string& name) const {
    EdgeNode made;
    made.id = world.ids.next<EdgeNodeId>();
    made.organization = organization;
    made.project = id;
    made.name = name;
    made.created_at = world.clock.now();
    return made;
  }
  EdgeService service(EdgeNodeId node, const std::string& name) const {
    EdgeService made;
    made.id = world.ids.next<EdgeServiceId>();
    made.organization = organization;
    made.project = id;
    made.node = node;
    made.name = name;
    made.kind = "pipeline";
    made.runtime = "builtin";
    made.config_json = R"({"drivers":[]})";
    made.created_at = world.clock.now();
    return made;
  }
  EnrollmentToken token(std::int64_t uses) const {
    EnrollmentToken made;
    made.id = world.ids.next<EnrollmentTokenId>();
    made.organization = organization;
    made.project = id;
    made.name = "line 1";
    made.hash = made.id.to_string();
    made.uses = uses;
    made.expires_at = world.clock.now() + Milliseconds(1'000);
    return made;
  }
  Command command(EdgeNodeId node) const {
    Command made;
    made.what.id = world.ids.next<CommandId>();
    made.what.service = world.ids.next<EdgeServiceId>();
    made.what.action = "write";
    made.what.tag = "a/b/c";
    made.what.value_json = "4.5";
    made.what.expires_at = world.clock.now() + Milliseconds(1'000);
    made.organization = organization;
    made.project = id;
    made.node = node;
    made.created_at = world.clock.now();
    return made;
  }

  ManualEnv& world;
  access::OrganizationId organization;
  access::ProjectId id;
};

}  // namespace

TEST_SUITE("conformance.fleet_stores") {
  TEST_CASE_TEMPLATE("a node is found with everything that was stored", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    auto node = project.node("Press 7");
    node.status.state = ConnectionState::online;
    node.status.connection = 3;
    node.status.ended = 2;
    node.status.last_seen = world.clock.now();
    node.status.version = "0.1.0";
    node.status.applied = {2, 9};
    node.status.host.load_1m = 0.25;
    node.status.flips = {world.clock.now() - Milliseconds(1'000), world.clock.now()};
    must(in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.insert(node); }));
    const auto found = must(
        in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.get(project.id, node.id); }));
    CHECK(found.name == "Press 7");
    CHECK(found.status.state == ConnectionState::online);
    CHECK(found.status.connection == 3);
    CHECK(found.status.ended == 2);
    CHECK(found.status.last_seen == world.clock.now());
    CHECK(found.status.applied == link::Generation{2, 9});
    CHECK(found.status.host.load_1m == 0.25);
    CHECK(found.status.flips == node.status.flips);
    CHECK(found.wanted_sha256.empty());
    const auto wanted = must(in<EdgeNodeStore>(*store, [&](auto& nodes) -> Result<EdgeNode> {
      ECP_TRY_VOID(nodes.put_wanted(node.id, {2, 10}, "abcd"));
      return nodes.get(project.id, node.id);
    }));
    CHECK(wanted.wanted == link::Generation{2, 10});
    CHECK(wanted.wanted_sha256 == "abcd");
  }

  TEST_CASE_TEMPLATE("[R12] a node of another project is not found", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project mine(world);
    const Project other(world);
    const auto node = mine.node("a");
    must(in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.insert(node); }));
    const auto get = [&](access::ProjectId project, EdgeNodeId id) {
      return in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.get(project, id); });
    };
    CHECK(failure(get(other.id, node.id)) == "core.not_found");
    CHECK(failure(get(mine.id, world.ids.next<EdgeNodeId>())) == "core.not_found");
    CHECK(failure(in<EdgeNodeStore>(*store, [&](auto& nodes) {
            return nodes.remove(other.id, node.id);
          })) == "core.not_found");
    CHECK(get(mine.id, node.id));
  }

  TEST_CASE_TEMPLATE("names are unique within a project whatever their case", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    const Project other(world);
    const auto insert = [&](const EdgeNode& node) {
      return in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.insert(node); });
    };
    must(insert(project.node("Press")));
    CHECK(failure(insert(project.node("press"))) == "core.name_taken");
    CHECK(insert(other.node("Press")));
    auto renamed = project.node("Oven");
    must(insert(renamed));
    renamed.name = "PRESS";
    CHECK(failure(in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.update(renamed); })) ==
          "core.name_taken");
  }

  TEST_CASE_TEMPLATE("an update needs the current revision and raises it", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    auto node = project.node("a");
    must(in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.insert(node); }));
    const auto update = [&](const EdgeNode& what) {
      return in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.update(what); });
    };
    node.description = "new";
    CHECK(must(update(node)) == Revision{2});
    CHECK(failure(update(node)) == "core.stale_revision");
  }

  TEST_CASE_TEMPLATE("[R26] a list filters literally, sorts by name and counts all", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    for (const auto* name : {"b 100%", "A 1000", "c_x", "cyx", "'; DROP TABLE fleet_nodes; --"}) {
      must(
          in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.insert(project.node(name)); }));
    }
    const auto names = [&](const std::string& part, PageRequest page) {
      EdgeNodeQuery query;
      query.project = project.id;
      query.name_contains = part;
      std::vector<std::string> found;
      const auto list =
          must(in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.list(query, page); }));
      for (const auto& node : list.items) found.push_back(node.name);
      found.push_back(std::to_string(list.total));
      return found;
    };
    CHECK(names("100%", {}) == std::vector<std::string>{"b 100%", "1"});
    CHECK(names("C_X", {}) == std::vector<std::string>{"c_x", "1"});
    CHECK(names("", {2, 1}) == std::vector<std::string>{"A 1000", "b 100%", "5"});
    CHECK(names("'; DROP", {}).size() == 2);
  }

  TEST_CASE_TEMPLATE("last-seen is never lowered", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    const auto node = project.node("a");
    must(in<EdgeNodeStore>(*store, [&](auto& nodes) -> Result<void> {
      ECP_TRY_VOID(nodes.insert(node));
      ECP_TRY_VOID(nodes.touch_seen(node.id, from_ms(500)));
      return nodes.touch_seen(node.id, from_ms(400));
    }));
    const auto found =
        must(in<EdgeNodeStore>(*store, [&](auto& nodes) { return nodes.find(node.id); }));
    CHECK(found->status.last_seen == from_ms(500));
  }

  TEST_CASE_TEMPLATE("revoked and removed nodes are denied for good", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    auto revoked = project.node("a");
    const auto removed = project.node("b");
    const auto denied =
        must(in<EdgeNodeStore>(*store, [&](auto& nodes) -> Result<std::vector<EdgeNodeId>> {
          ECP_TRY_VOID(nodes.insert(revoked));
          ECP_TRY_VOID(nodes.insert(removed));
          ECP_TRY(const auto before, nodes.denied_version());
          CHECK(before == 0);
          revoked.revoked = true;
          ECP_TRY_VOID(nodes.update(revoked));
          ECP_TRY_VOID(nodes.remove(project.id, removed.id));
          ECP_TRY(const auto after, nodes.denied_version());
          CHECK(after != before);
          return nodes.list_revoked();
        }));
    CHECK(denied == std::vector<EdgeNodeId>{revoked.id, removed.id});
  }

  TEST_CASE_TEMPLATE("only nodes whose silence means something are watched", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    auto online = project.node("online");
    online.status.state = ConnectionState::online;
    auto absent = project.node("absent");
    absent.status.state = ConnectionState::offline;
    absent.status.absent = true;
    auto offline = project.node("offline");
    offline.status.state = ConnectionState::offline;
    const auto watched =
        must(in<EdgeNodeStore>(*store, [&](auto& nodes) -> Result<std::vector<EdgeNodeId>> {
          for (const auto& node : {online, absent, offline, project.node("never")}) {
            ECP_TRY_VOID(nodes.insert(node));
          }
          return nodes.list_watched({}, 10);
        }));
    CHECK(watched == std::vector<EdgeNodeId>{online.id, offline.id});
  }

  TEST_CASE_TEMPLATE("a cursor only rises, and refused buffers stay refused", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto node = world.ids.next<EdgeNodeId>();
    must(in<BufferStore>(*store, [&](auto& buffers) -> Result<void> {
      ECP_TRY(const auto unknown, buffers.cursor(node, "alarm", "b1"));
      CHECK(unknown == 0);
      ECP_TRY_VOID(buffers.advance(node, "alarm", "b1", 7));
      ECP_TRY_VOID(buffers.advance(node, "alarm", "b1", 5));
      ECP_TRY(const auto cursor, buffers.cursor(node, "alarm", "b1"));
      CHECK(cursor == 7);
      ECP_TRY_VOID(buffers.refuse_all(node));
      ECP_TRY_VOID(buffers.advance(node, "event", "b2", 1));
      ECP_TRY(const bool old_one, buffers.is_refused(node, "b1"));
      ECP_TRY(const bool new_one, buffers.is_refused(node, "b2"));
      CHECK(old_one);
      CHECK_FALSE(new_one);

      ECP_TRY(const bool ends_known, buffers.begin(node, "alarm", "b2"));
      CHECK_FALSE(ends_known);
      ECP_TRY(const bool still_taken, buffers.is_refused(node, "b2"));
      CHECK_FALSE(still_taken);
      const auto other = world.ids.next<EdgeNodeId>();
      ECP_TRY_VOID(buffers.advance(other, "event", "b2", 1));
      ECP_TRY(const bool ends_trusted, buffers.begin(node, "event", "b3"));
      CHECK(ends_trusted);
      ECP_TRY(const bool replaced, buffers.is_refused(node, "b2"));
      ECP_TRY(const bool of_other, buffers.is_refused(other, "b2"));
      CHECK(replaced);
      CHECK_FALSE(of_other);
      ECP_TRY_VOID(buffers.refuse_all(node));
      ECP_TRY(const bool ends_refused, buffers.begin(node, "event", "b4"));
      CHECK_FALSE(ends_refused);
      ECP_TRY_VOID(buffers.begin(node, "event", "b5"));  // Though nothing was taken from b4.
      ECP_TRY(const bool never_used, buffers.is_refused(node, "b4"));
      CHECK(never_used);
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("a service keeps its status apart from its revision", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    const auto node = world.ids.next<EdgeNodeId>();
    auto service = project.service(node, "furnace");
    must(in<EdgeServiceStore>(*store, [&](auto& services) -> Result<void> {
      ECP_TRY_VOID(services.insert(service));
      auto status = service.status;
      status.state = link::ServiceState::failed;
      status.reason = "x";
      status.resource = link::ResourceState::applied;
      ECP_TRY_VOID(services.put_status(service.id, status));
      service.running = false;
      service.config_json = "{}";
      ECP_TRY(const auto revision, services.update(service));
      CHECK(revision == Revision{2});
      return {};
    }));
    const auto found = must(
        in<EdgeServiceStore>(*store, [&](auto& services) { return services.list_of_node(node); }));
    REQUIRE(found.size() == 1);
    CHECK(found[0].status.state == link::ServiceState::failed);
    CHECK(found[0].status.resource == link::ResourceState::applied);
    CHECK_FALSE(found[0].running);
    CHECK(found[0].config_json == "{}");
    CHECK(failure(in<EdgeServiceStore>(*store, [&](auto& services) {
            return services.insert(project.service(node, "FURNACE"));
          })) == "core.name_taken");
  }

  TEST_CASE_TEMPLATE("[R17] a token counts its uses per key and refuses one too many", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    const auto token = project.token(2);
    const auto node = world.ids.next<EdgeNodeId>();
    const auto use = [&](const std::string& key) {
      return in<EnrollmentTokenStore>(
          *store, [&](auto& tokens) { return tokens.add_use(token.id, key, node); });
    };
    must(in<EnrollmentTokenStore>(*store, [&](auto& tokens) { return tokens.insert(token); }));
    must(use("k1"));
    must(use("k2"));
    CHECK(failure(use("k3")) == "enrollment.token_used");
    const auto found = must(in<EnrollmentTokenStore>(
        *store, [&](auto& tokens) { return tokens.find_use(token.id, "k1"); }));
    CHECK(found == node);
    CHECK(must(in<EnrollmentTokenStore>(*store, [&](auto& tokens) {
            return tokens.find(token.hash);
          }))->used == 2);
  }

  TEST_CASE_TEMPLATE("[R38] a restore is remembered and ends the life of every token", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    auto dead = project.token(1);
    dead.expires_at = world.clock.now() - Milliseconds(1);
    must(in<EnrollmentTokenStore>(*store, [&](auto& tokens) -> Result<void> {
      ECP_TRY_VOID(tokens.insert(dead));
      ECP_TRY_VOID(tokens.insert(project.token(1)));
      return tokens.insert(Project(world).token(1));  // Of another project.
    }));
    const auto latest = [&] {
      return must(in<RestoreStore>(*store, [](auto& restores) { return restores.latest(); }));
    };
    const auto now = world.clock.now();

    CHECK_FALSE(latest().has_value());
    CHECK(must(in<EnrollmentTokenStore>(
              *store, [&](auto& tokens) { return tokens.expire_all(now); })) == 2);
    for (const auto time : {now, now, now - Milliseconds(5)}) {
      must(in<RestoreStore>(*store, [&](auto& restores) { return restores.insert(time); }));
    }

    CHECK(latest() == now);
    const auto page = must(in<EnrollmentTokenStore>(
        *store, [&](auto& tokens) { return tokens.list(project.id, {}); }));
    for (const auto& token : page.items) CHECK(token.expires_at <= now);
  }

  TEST_CASE_TEMPLATE("a certificate is superseded once a newer one was used", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto node = world.ids.next<EdgeNodeId>();
    const AgentCertificate old_one{"0a", node, "k1", from_ms(1'000), from_ms(9'000), {}};
    const AgentCertificate new_one{"0b", node, "k2", from_ms(2'000), from_ms(9'000), {}};
    must(in<AgentCertificateStore>(*store, [&](auto& certificates) -> Result<void> {
      ECP_TRY_VOID(certificates.insert(old_one));
      ECP_TRY_VOID(certificates.insert(new_one));
      ECP_TRY(const bool before, certificates.is_superseded(old_one));
      CHECK_FALSE(before);
      ECP_TRY_VOID(certificates.mark_used("0b", from_ms(3'000)));
      ECP_TRY(const bool after, certificates.is_superseded(old_one));
      CHECK(after);
      ECP_TRY(const auto found, certificates.find("0b"));
      CHECK(found->used_at == from_ms(3'000));
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("commands are pending until they are finished", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    const auto node = world.ids.next<EdgeNodeId>();
    auto first = project.command(node);
    const auto second = project.command(node);
    must(in<CommandStore>(*store, [&](auto& commands) -> Result<void> {
      ECP_TRY_VOID(commands.insert(first));
      ECP_TRY_VOID(commands.insert(second));
      first.state = link::CommandState::done;
      first.value_json = "4.5";
      first.sent_at = from_ms(7);
      first.finished_at = from_ms(8);
      ECP_TRY_VOID(commands.update(first));
      ECP_TRY(const auto pending, commands.list_pending(node));
      REQUIRE(pending.size() == 1);
      CHECK(pending[0].what.id == second.what.id);
      CHECK_FALSE(pending[0].sent_at);
      auto overdue = project.command(node);
      overdue.state = link::CommandState::expired;
      ECP_TRY_VOID(commands.insert(overdue));
      ECP_TRY_VOID(commands.insert(project.command(world.ids.next<EdgeNodeId>())));
      ECP_TRY(const auto unsent, commands.list_unsent(node, 10));
      REQUIRE(unsent.size() == 2);
      CHECK(unsent[0].what.id == overdue.what.id);
      ECP_TRY(const auto newest, commands.list_unsent(node, 1));
      CHECK(newest.size() == 1);
      overdue.state = link::CommandState::unknown;
      ECP_TRY_VOID(commands.update(overdue));
      const auto expiry = overdue.what.expires_at;
      ECP_TRY(const auto unknown, commands.list_unknown(node, expiry - Milliseconds(1), 10));
      REQUIRE(unknown.size() == 1);
      CHECK(unknown[0].what.id == overdue.what.id);
      ECP_TRY(const auto too_old, commands.list_unknown(node, expiry, 10));
      CHECK(too_old.empty());
      ECP_TRY(const auto count, commands.count_pending(node));
      CHECK(count == 1);
      ECP_TRY(const auto list, commands.list(project.id, {}));
      CHECK(list.total == 4);
      CHECK(list.items[2].what.id == second.what.id);
      CHECK(list.items[3].sent_at == from_ms(7));
      ECP_TRY_VOID(commands.remove_finished(from_ms(9)));
      ECP_TRY(const auto gone, commands.find(first.what.id));
      CHECK_FALSE(gone);
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("a command keeps its writes and their results", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    auto command = project.command(world.ids.next<EdgeNodeId>());
    command.what.writes = {{"plc/fast/a", "1.5"}, {"plc/fast/b", "\"x\""}};
    must(in<CommandStore>(*store, [&](auto& commands) -> Result<void> {
      ECP_TRY_VOID(commands.insert(command));
      command.results = {{"plc/fast/a", link::CommandState::done, "", "1.5"},
                         {"plc/fast/b", link::CommandState::failed, "why", ""}};
      ECP_TRY_VOID(commands.update(command));
      ECP_TRY(const auto found, commands.find(command.what.id));
      CHECK(found->what.writes == command.what.writes);
      CHECK(found->results == command.results);
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("a manifest keeps its exact octets and its bodies", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const auto node = world.ids.next<EdgeNodeId>();
    link::SignedManifest manifest;
    manifest.manifest = std::string("{\"v\":1,\xff\0}", 10);
    manifest.key_id = "0123";
    manifest.signature = std::string(64, '\xee');
    manifest.bodies = {{"alarm-rules", "{}"}, {"service/x", "{\"a\":1}"}};
    must(in<DesiredStore>(*store, [&](auto& desired) -> Result<void> {
      ECP_TRY_VOID(desired.put(node, manifest));
      manifest.bodies.erase("alarm-rules");
      ECP_TRY_VOID(desired.put(node, manifest));
      ECP_TRY(const auto found, desired.find(node));
      CHECK(found->manifest == manifest.manifest);
      CHECK(found->signature == manifest.signature);
      CHECK(found->bodies == manifest.bodies);
      ECP_TRY(const auto body, desired.body(node, to_hex(sha256("{\"a\":1}"))));
      CHECK(body == "{\"a\":1}");
      CHECK(failure(desired.body(node, to_hex(sha256("{}")))) == "core.not_found");
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("touching a project marks its nodes once each", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open(modules, world.env()));
    const Project project(world);
    const Project other(world);
    const auto a = project.node("a");
    const auto b = project.node("b");
    must(store->write([&](Transaction& transaction) -> Result<void> {
      auto& nodes = transaction.get<EdgeNodeStore>();
      for (const auto& node : {a, b, other.node("c")}) ECP_TRY_VOID(nodes.insert(node));
      auto& desired = transaction.get<DesiredStore>();
      ECP_TRY_VOID(desired.touch(a.id));
      ECP_TRY_VOID(desired.touch_project(project.id));
      ECP_TRY(const auto touched, desired.touched(10));
      CHECK(touched == std::vector<EdgeNodeId>{a.id, b.id});
      ECP_TRY_VOID(desired.settle(a.id));
      ECP_TRY(const auto left, desired.touched(10));
      CHECK(left == std::vector<EdgeNodeId>{b.id});
      return {};
    }));
  }
}

}  // namespace ecp_test
