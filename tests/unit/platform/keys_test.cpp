// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>

#include <array>
#include <string>
#include <thread>

#include <ecp/core/file.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/reasons.hpp>
#include <ecp/storage/sql/platform.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using platform::Sealing;

const std::string master(64, 'a');
const std::string other_master(64, 'b');

Sealing sealing(ManualEnv& world, const std::string& key = master) {
  return must(Sealing::make(Secret(key), world.env()));
}

TEST_SUITE("platform.Sealing") {
  TEST_CASE("What was sealed opens again with the same key for the same purpose") {
    ManualEnv world;
    const auto mine = sealing(world);

    const auto sealed = mine.seal("key audit", Secret("open sesame"));

    CHECK(must(mine.open("key audit", sealed)).equals("open sesame"));
    CHECK(must(mine.open("key audit", mine.seal("key audit", Secret()))).empty());
  }

  TEST_CASE("Sealed octets show nothing of the secret and are never the same twice") {
    ManualEnv world;
    const auto mine = sealing(world);

    const auto first = mine.seal("webhook", Secret("open sesame"));
    const auto second = mine.seal("webhook", Secret("open sesame"));

    CHECK(first.find("sesame") == std::string::npos);
    CHECK(first != second);
  }

  TEST_CASE("Nothing opens for another purpose, with another key, or when changed") {
    ManualEnv world;
    const auto mine = sealing(world);
    const auto sealed = mine.seal("key audit", Secret("open sesame"));

    CHECK(failure(mine.open("key token", sealed)) == "platform.wrong_master_key");
    CHECK(failure(sealing(world, other_master).open("key audit", sealed)) ==
          "platform.wrong_master_key");
    for (std::size_t at = 0; at < sealed.size(); ++at) {
      auto changed = sealed;
      changed[at] = static_cast<char>(changed[at] ^ 1);
      CHECK(failure(mine.open("key audit", changed)) == "platform.wrong_master_key");
      CHECK(failure(mine.open("key audit", sealed.substr(0, at))) == "platform.wrong_master_key");
    }
  }

  TEST_CASE("A master key is 64 hexadecimal digits") {
    ManualEnv world;
    for (const auto& text : {std::string(), master.substr(1), master + "a", std::string(64, 'g')}) {
      CHECK(failure(Sealing::make(Secret(text), world.env())) == "platform.bad_master_key");
    }
  }

  TEST_CASE("The key file is made once, for its owner alone, and read afterwards") {
    ManualEnv world;
    const TemporaryFolder folder;
    const auto path = folder.file("master.key");

    const auto first = must(Sealing::load_or_create(path, world.env()));
    const auto second = must(Sealing::load_or_create(path, world.env()));

    CHECK(must(second.open("x", first.seal("x", Secret("y")))).equals("y"));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0600);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.file("")), {}) == 1);
  }

  TEST_CASE("Programs that start at once on an empty folder end up with one key") {
    ManualEnv world;
    const TemporaryFolder folder;
    std::array<Bytes, 4> sealed;
    std::array<std::thread, 4> threads;
    for (std::size_t i = 0; i < threads.size(); ++i) {
      threads[i] = std::thread([&, i] {
        const auto mine = Sealing::load_or_create(folder.file("master.key"), world.env());
        if (mine) sealed[i] = mine->seal("x", Secret("y"));
      });
    }
    for (auto& thread : threads) thread.join();

    const auto mine = must(Sealing::load_or_create(folder.file("master.key"), world.env()));
    for (const auto& octets : sealed) CHECK(must(mine.open("x", octets)).equals("y"));
  }

  TEST_CASE(
      "[R02] [R21] A key file that others may read, or that holds something else, is refused") {
    ManualEnv world;
    const TemporaryFolder folder;
    const auto path = folder.file("master.key");

    must(write_file_durably(path, master, 0644));
    CHECK(failure(Sealing::load_or_create(path, world.env())) == "core.unsafe_file");
    for (const auto& text : {std::string("hello"), std::string(1000, 'a'), std::string()}) {
      must(write_file_durably(path, text));
      CHECK(failure(Sealing::load_or_create(path, world.env())) == "platform.bad_master_key_file");
    }
    CHECK(failure(Sealing::load_or_create(folder.file("none/master.key"), world.env())) !=
          "success");
  }
}

TEST_SUITE("platform.load_or_create_key") {
  TEST_CASE("A key is made when first asked for and is the same ever after") {
    ManualEnv world;
    const std::array modules{&storage::platform_module()};
    auto store = must(MemoryBackend::open(modules, world.env()));
    const auto mine = sealing(world);
    int made = 0;
    const auto load = [&](std::string_view name) {
      return platform::load_or_create_key(*store, mine, world.env(), name, [&]() -> Result<Secret> {
        return Secret("key " + std::to_string(++made));
      });
    };

    CHECK(must(load("audit")).equals("key 1"));
    CHECK(must(load("audit")).equals("key 1"));
    CHECK(must(load("token")).equals("key 2"));
  }

  TEST_CASE("Of two programs that make a key at once, both get the one stored first") {
    ManualEnv world;
    const std::array modules{&storage::platform_module()};
    auto store = must(MemoryBackend::open(modules, world.env()));
    const auto mine = sealing(world);

    const auto late =
        must(platform::load_or_create_key(*store, mine, world.env(), "ca", [&]() -> Result<Secret> {
          must(platform::load_or_create_key(*store, mine, world.env(), "ca",
                                            []() -> Result<Secret> { return Secret("first"); }));
          return Secret("second");
        }));

    CHECK(late.equals("first"));
  }

  TEST_CASE("A failure to make a key leaves nothing behind") {
    ManualEnv world;
    const std::array modules{&storage::platform_module()};
    auto store = must(MemoryBackend::open(modules, world.env()));
    const auto mine = sealing(world);

    CHECK(failure(
              platform::load_or_create_key(*store, mine, world.env(), "ca", []() -> Result<Secret> {
                return platform::reasons::bad_master_key;
              })) == "platform.bad_master_key");
    CHECK(
        must(platform::load_or_create_key(*store, mine, world.env(), "ca", []() -> Result<Secret> {
          return Secret("k");
        })).equals("k"));
  }

  TEST_CASE("Another master key than the one the data was made with is named as the problem") {
    ManualEnv world;
    const std::array modules{&storage::platform_module()};
    auto store = must(MemoryBackend::open(modules, world.env()));
    const auto make = []() -> Result<Secret> { return Secret("k"); };
    must(platform::load_or_create_key(*store, sealing(world), world.env(), "ca", make));

    CHECK(failure(platform::load_or_create_key(*store, sealing(world, other_master), world.env(),
                                               "ca", make)) == "platform.wrong_master_key");
  }
}

}  // namespace
}  // namespace ecp_test
