// SPDX-License-Identifier: Apache-2.0
#include <sqlite3.h>
#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <ecp/agent/agent_store.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>

#include "support/backends.hpp"
#include "support/lossy_disk.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using Fault = LossyDisk::Fault;
using Unsynced = LossyDisk::Unsynced;

constexpr std::int64_t most_accesses = 2'000;  // More than any of these changes needs.

/// An agent's database with some samples and a journal item in it; equal in every world.
class AgentDisk {
 public:
  explicit AgentDisk(const TemporaryFolder& folder) : path_(folder.file(next_number() + ".db")) {
    open();
    flush(50);
    must(append(1));
  }

  void open() {
    static const std::array modules{&storage::pipeline_module(), &storage::agent_module()};
    storage::SqliteOptions options;
    options.path = path_;
    options.writer_thread = false;
    store_ = must(storage::open_sqlite(options, modules, world_.env()));
    buffer_ = must(pipeline::Buffer::open(*store_, {1 << 20}, world_.env()));
  }
  void close() {
    buffer_.reset();
    store_.reset();
  }
  [[nodiscard]] std::string content() const { return content_of(path_); }
  [[nodiscard]] std::string integrity() const { return integrity_of(path_); }

  void add(int count) {
    std::vector<pipeline::Observation> samples;
    for (int i = 0; i < count; ++i) {
      pipeline::Observation seen;
      seen.sample.tag = "furnace/fast/counter";
      seen.sample.value = std::int64_t{i};
      samples.push_back(std::move(seen));
    }
    buffer_->add(service_, std::move(samples));
  }
  void flush(int count) {
    add(count);
    must(buffer_->flush());
  }
  Result<void> append(std::uint8_t number) {
    link::ReportedItem item;
    item.command = result_of(number, link::CommandState::done);
    return buffer_->append(item);
  }
  static link::CommandResult result_of(std::uint8_t number, link::CommandState state) {
    link::CommandResult result;
    result.command = link::CommandId(IdBytes{number});
    result.state = state;
    return result;
  }

  pipeline::Buffer& buffer() { return *buffer_; }
  storage::Store& store() { return *store_; }
  [[nodiscard]] std::string stream() const { return service_.to_string(); }

 private:
  std::string path_;
  ManualEnv world_{7};
  link::EdgeServiceId service_{IdBytes{7}};
  std::unique_ptr<storage::Store> store_;
  std::unique_ptr<pipeline::Buffer> buffer_;
};

/// A change of durable state that must happen wholly or not at all. May be tried again.
using Act = std::function<Result<void>(AgentDisk&)>;

Result<void> flush_samples(AgentDisk& disk) {
  ECP_TRY_VOID(disk.buffer().flush());
  return {};
}

Result<void> forget_samples(AgentDisk& disk) {
  link::Ack ack;
  ack.stream = disk.stream();
  ack.buffer_id = disk.buffer().id();
  ack.upto = 50;
  ECP_TRY_VOID(disk.buffer().acknowledge(ack));
  return {};
}

Result<void> end_command(AgentDisk& disk) {
  return disk.store().write([&](storage::Transaction& transaction) -> Result<void> {
    const auto result = AgentDisk::result_of(2, link::CommandState::done);
    ECP_TRY_VOID(transaction.get<agent::AgentStore>().put(agent::JournaledCommand{result}));
    link::ReportedItem item;
    item.command = result;
    return disk.buffer().append(transaction, item);
  });
}

Result<void> keep_manifest(AgentDisk& disk) {
  return disk.store().write([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<agent::AgentStore>();
    agent::StoredManifest manifest;
    manifest.generation = {1, 2};
    manifest.signed_manifest.manifest = std::string(20'000, 'm');  // Several pages.
    ECP_TRY_VOID(store.put(manifest));
    ECP_TRY_VOID(store.put(agent::ResourceRow{"service/a", "11", {}, {}, {}}));
    return store.put_body("11", std::string(50'000, 'b'));
  });
}

const std::map<std::string, Act>& acts() {
  static const std::map<std::string, Act> all{{"a flush of samples", flush_samples},
                                              {"an acknowledgement", forget_samples},
                                              {"a command's result", end_command},
                                              {"a manifest", keep_manifest}};
  return all;
}

/// The database before and after an act that nothing disturbs.
std::pair<std::string, std::string> undisturbed(const TemporaryFolder& folder, const Act& act) {
  AgentDisk disk(folder);
  auto before = disk.content();
  disk.add(30);
  must(act(disk));
  return {before, disk.content()};
}

/// Let the power go at one access of an act; false when the act has not so many.
bool cut_at(LossyDisk& lossy, const TemporaryFolder& folder, const Act& act, std::int64_t number,
            Unsynced unsynced, const std::pair<std::string, std::string>& states) {
  AgentDisk disk(folder);
  disk.add(30);
  SeededRandom chance(static_cast<std::uint64_t>(number));
  lossy.fail_at(number, Fault::cut);
  const bool is_answered = act(disk).has_value();
  const bool was_cut = lossy.end_fault();
  lossy.power_cut();  // At the latest now, right after the answer.
  disk.close();
  lossy.restore(unsynced, chance);
  CHECK(disk.integrity() == "ok");
  const auto found = disk.content();
  const bool is_old = found == states.first;
  const bool is_new = found == states.second;
  CHECK_MESSAGE((is_new || (is_old && !is_answered)), "cut at access " << number);
  disk.open();
  CHECK_MESSAGE(disk.append(3), "it works on after a cut at access " << number);
  return was_cut;
}

/// Let one access of an act fail; false when the act has not so many.
bool fail_at(LossyDisk& lossy, const TemporaryFolder& folder, const Act& act, std::int64_t number,
             Fault fault, const std::pair<std::string, std::string>& states) {
  AgentDisk disk(folder);
  disk.add(30);
  lossy.fail_at(number, fault);
  const bool is_done = act(disk).has_value();
  const bool was_met = lossy.end_fault();
  CHECK_MESSAGE((disk.content() == (is_done ? states.second : states.first)),
                "failed at access " << number);
  if (!is_done) CHECK_MESSAGE(act(disk), "again after a failure at access " << number);
  CHECK((disk.content() == states.second));
  disk.close();
  CHECK((disk.content() == states.second));
  CHECK(disk.integrity() == "ok");
  return was_met;
}

TEST_SUITE("durability.agent") {
  TEST_CASE("a power cut at any moment leaves a whole state, and never takes back an answer") {
    LossyDisk lossy;
    const TemporaryFolder folder;
    for (const auto& [name, act] : acts()) {
      CAPTURE(name);
      const auto states = undisturbed(folder, act);
      REQUIRE((states.first != states.second));
      for (const auto unsynced :
           {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors}) {
        at_every_access(most_accesses, 2, [&](std::int64_t number) {
          return cut_at(lossy, folder, act, number, unsynced, states);
        });
      }
    }
  }

  TEST_CASE("a power cut while the write-ahead log goes into the database loses nothing") {
    LossyDisk lossy;
    const TemporaryFolder folder;
    const auto content = undisturbed(folder, flush_samples).second;
    for (const auto unsynced : {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors}) {
      at_every_access(most_accesses, 4, [&](std::int64_t number) {
        AgentDisk disk(folder);
        disk.flush(30);
        SeededRandom chance(static_cast<std::uint64_t>(number));
        lossy.fail_at(number, Fault::cut);
        disk.close();  // The last one to close moves it.
        const bool was_cut = lossy.end_fault();
        lossy.restore(unsynced, chance);
        CHECK(disk.integrity() == "ok");
        CHECK_MESSAGE((disk.content() == content), "cut at access " << number);
        return was_cut;
      });
    }
  }

  TEST_CASE("a failing or full disk is told, changes nothing, and the same succeeds afterwards") {
    LossyDisk lossy;
    const TemporaryFolder folder;
    for (const auto& [name, act] : acts()) {
      CAPTURE(name);
      const auto states = undisturbed(folder, act);
      for (const auto fault : {Fault::io_error, Fault::full}) {
        at_every_access(most_accesses, 2, [&](std::int64_t number) {
          return fail_at(lossy, folder, act, number, fault, states);
        });
      }
    }
  }

  TEST_CASE("what is not synced is lost here, so the tests above would tell") {
    for (const std::string level : {"OFF", "FULL"}) {
      LossyDisk lossy;
      const TemporaryFolder folder;
      SeededRandom chance(1);
      const auto path = folder.file("plain.db");
      sqlite3* database = nullptr;
      REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
      const auto made =
          "PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL; CREATE TABLE t (a);"
          "PRAGMA synchronous = " +
          level + "; INSERT INTO t VALUES (1)";
      REQUIRE(sqlite3_exec(database, made.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
      lossy.power_cut();
      sqlite3_close(database);
      lossy.restore(Unsynced::nothing, chance);
      CHECK(rows_of_tables(path).at("t") == (level == "FULL" ? 1 : 0));
    }
  }
}

}  // namespace
}  // namespace ecp_test
