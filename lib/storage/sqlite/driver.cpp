// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <cstring>

#include <ecp/core/reasons.hpp>
#include <ecp/storage/reasons.hpp>
#include <ecp/storage/sqlite.hpp>

#include "storage/sqlite/connection.hpp"
#include "storage/sqlite/error.hpp"

namespace ecp::inline v0::storage {
namespace sqlite {
namespace {

/// PostgreSQL's ways where SQLite lets one choose: foreign keys hold, LIKE minds the case, and
/// double quotes are no text.
constexpr const char* settings =
    "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA case_sensitive_like = ON;"
    "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -512;"
    "PRAGMA journal_size_limit = 16777216";

class SqliteDriver final : public sql::Driver {
 public:
  explicit SqliteDriver(SqliteOptions options)
      : options_(std::move(options)),
        in_memory_(options_.path == ":memory:"),
        name_(in_memory_ ? new_memory_name() : options_.path) {}

  /// Make the file, or the memory that lives as long as this driver.
  Result<void> prepare() {
    if (!in_memory_) return make_private_file();
    ECP_TRY(anchor_, open());
    return {};
  }

  Result<std::unique_ptr<sql::Connection>> connect() override {
    ECP_TRY(auto database, open());
    if (!in_memory_) ECP_TRY_VOID(use_wal(database.get()));
    const int code = sqlite3_exec(database.get(), settings, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return to_error(database.get(), code, options_.path, false);
    const auto& clock = options_.clock != nullptr ? *options_.clock : system_clock();
    return std::make_unique<SqliteConnection>(std::move(database), clock);
  }

  [[nodiscard]] sql::WriteModel write_model() const noexcept override {
    return options_.writer_thread ? sql::WriteModel::single_writer : sql::WriteModel::in_caller;
  }
  [[nodiscard]] unsigned pool_size() const noexcept override { return options_.readers; }
  [[nodiscard]] std::string_view name() const noexcept override { return "sqlite"; }

 private:
  /// SQLite gives its other files the mode of this one. An existing file is not touched: closing it
  /// here would drop the locks that this process has on it.
  Result<void> make_private_file() const {
    if (!options_.vfs.empty()) return {};
    const int file = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0) {
      ::close(file);
      return {};
    }
    if (errno == EEXIST) return {};
    return Error(
        ecp::reasons::io,
        {{"path", options_.path}, {"action", "created"}, {"problem", std::strerror(errno)}});
  }

  /// A database in memory that this driver's connections share, and nobody else's in the process.
  [[nodiscard]] static std::string new_memory_name() {
    static std::atomic<std::uint64_t> count = 0;
    const auto copy = reinterpret_cast<std::uintptr_t>(&count);  // Of this library.
    return "file:/ecp-" + std::to_string(copy) + "-" + std::to_string(++count) + "?vfs=memdb";
  }

  Result<Database> open() const {
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                      SQLITE_OPEN_EXRESCODE | (in_memory_ ? SQLITE_OPEN_URI : 0);
    const char* vfs = options_.vfs.empty() ? nullptr : options_.vfs.c_str();
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(name_.c_str(), &opened, flags, vfs);
    Database database(opened);
    if (code != SQLITE_OK) return to_error(opened, code, options_.path, false);
    sqlite3_busy_timeout(opened, static_cast<int>(options_.patience.count()));
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(opened, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    return database;
  }

  /// Two programs that open a new file at once see each other here, where SQLite does not wait.
  Result<void> use_wal(sqlite3* database) const {
    constexpr auto pause = Milliseconds(20);
    int code = SQLITE_BUSY;
    for (Milliseconds waited{0}; waited <= options_.patience; waited += pause) {
      sqlite3_stmt* made = nullptr;
      code = sqlite3_prepare_v2(database, "PRAGMA journal_mode = WAL", -1, &made, nullptr);
      const Handle statement(made);
      if (code == SQLITE_OK) code = sqlite3_step(made);
      if (code == SQLITE_ROW) {
        const auto* mode = reinterpret_cast<const char*>(sqlite3_column_text(made, 0));
        if (std::string_view(mode) == "wal") return {};
        return Error(reasons::unsuitable,
                     {{"problem", "its file system does not allow SQLite's WAL"}}, options_.path);
      }
      if ((code & 0xff) != SQLITE_BUSY) break;
      sqlite3_sleep(static_cast<int>(pause.count()));
    }
    return to_error(database, code, options_.path, false);
  }

  SqliteOptions options_;
  bool in_memory_;
  std::string name_;
  Database anchor_;
};

}  // namespace
}  // namespace sqlite

Result<std::unique_ptr<sql::Driver>> sqlite_driver(const SqliteOptions& options) {
  auto driver = std::make_unique<sqlite::SqliteDriver>(options);
  ECP_TRY_VOID(driver->prepare());
  return driver;
}

Result<std::unique_ptr<Store>> open_sqlite(const SqliteOptions& options,
                                           std::span<const StoreModule* const> modules,
                                           const Env& env) {
  auto with_clock = options;
  if (with_clock.clock == nullptr) with_clock.clock = &env.clock;
  ECP_TRY(auto driver, sqlite_driver(with_clock));
  return open_store(std::move(driver), modules, env);
}

}  // namespace ecp::inline v0::storage
