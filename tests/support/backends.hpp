// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The databases that every store is tested on. A conformance test is a template over them:
///
///     TEST_CASE_TEMPLATE("...", Backend, ECP_TEST_BACKENDS) {
///       if (!Backend::is_available()) return;
///       ManualEnv world;
///       auto store = Backend::open(modules, world.env());
///       REQUIRE(store);
///
/// Each `open` gives a fresh database. PostgreSQL takes part when ECP_TEST_POSTGRES names one
/// (scripts/with-postgres.sh starts one); otherwise one line on stderr says that it does not.
/// Link `test_backends` (ecp_test(... DEPENDS ... test_backends)).

#include <unistd.h>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <system_error>

#include <ecp/storage/sqlite.hpp>
#include <ecp/storage/store.hpp>
#ifdef ECP_TEST_WITH_POSTGRES
#include <ecp/storage/postgres.hpp>
#endif

#include <doctest/doctest.h>

namespace ecp_test {

using Modules = std::span<const ecp::storage::StoreModule* const>;
using OpenedStore = ecp::Result<std::unique_ptr<ecp::storage::Store>>;

/// A folder of this process, removed when it ends.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = std::filesystem::temp_directory_path() / "ecp-test-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) std::abort();
    path_ = path;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A number that no other test of this process has.
inline std::string next_number() {
  static std::atomic<int> count = 0;
  return std::to_string(++count);
}

/// SQLite in memory; units run in their caller, as in the simulation.
struct MemoryBackend {
  static constexpr bool keeps_content = false;  ///< `reopen` finds what was stored before.
  static bool is_available() { return true; }
  static OpenedStore open(Modules modules, const ecp::Env& env) {
    return MemoryBackend().reopen(modules, env);
  }
  OpenedStore reopen(Modules modules, const ecp::Env& env) const {
    ecp::storage::SqliteOptions options;
    options.path = ":memory:";
    options.writer_thread = false;
    return ecp::storage::open_sqlite(options, modules, env);
  }
};

/// SQLite in a file, with its writer thread.
struct SqliteBackend {
  static constexpr bool keeps_content = true;
  static bool is_available() { return true; }
  static OpenedStore open(Modules modules, const ecp::Env& env) {
    return SqliteBackend().reopen(modules, env);
  }
  OpenedStore reopen(Modules modules, const ecp::Env& env) const {
    ecp::storage::SqliteOptions options;
    options.path = path;
    return ecp::storage::open_sqlite(options, modules, env);
  }
  static std::string new_path() {
    static const TemporaryFolder folder;
    return folder.file(next_number() + ".db");
  }
  std::string path = new_path();
};

/// PostgreSQL, each database a schema of its own.
struct PostgresBackend {
  static constexpr bool keeps_content = true;
  static bool is_available() {
    const bool available = !server().empty();
    static std::atomic<bool> told = false;
    if (!available && !told.exchange(true)) {
      std::fputs("SKIPPED on PostgreSQL: ECP_TEST_POSTGRES=postgresql://... is not set\n", stderr);
    }
    return available;
  }
  static std::string server() {
#ifdef ECP_TEST_WITH_POSTGRES
    const char* url = std::getenv("ECP_TEST_POSTGRES");
    return url == nullptr ? "" : url;
#else
    return "";
#endif
  }
  static OpenedStore open(Modules modules, const ecp::Env& env) {
    return PostgresBackend().reopen(modules, env);
  }
#ifdef ECP_TEST_WITH_POSTGRES
  OpenedStore reopen(Modules modules, const ecp::Env& env) const {
    ecp::storage::PostgresOptions options;
    options.url = url;
    return ecp::storage::open_postgres(options, modules, env);
  }
  static std::string new_schema() {
    const auto schema = "ecp_test_" + std::to_string(::getpid()) + "_" + next_number();
    ecp::storage::PostgresOptions options;
    options.url = server();
    auto driver = ecp::storage::postgres_driver(options);
    REQUIRE(driver);
    auto connection = (*driver)->connect();
    REQUIRE(connection);
    REQUIRE((*connection)->execute("DROP SCHEMA IF EXISTS " + schema + " CASCADE"));
    REQUIRE((*connection)->execute("CREATE SCHEMA " + schema));
    const char* const separator = options.url.find('?') == std::string::npos ? "?" : "&";
    return options.url + separator + "options=-csearch_path%3D" + schema;
  }
  std::string url = new_schema();
#else
  OpenedStore reopen(Modules modules, const ecp::Env& env) const {
    return SqliteBackend::open(modules, env);
  }
#endif
};

}  // namespace ecp_test

/// The template arguments of a conformance test.
#define ECP_TEST_BACKENDS \
  ecp_test::MemoryBackend, ecp_test::SqliteBackend, ecp_test::PostgresBackend
