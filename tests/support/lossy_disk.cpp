// SPDX-License-Identifier: Apache-2.0
#include "support/lossy_disk.hpp"

#include <sqlite3.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace ecp_test {
namespace {

constexpr std::size_t sector = 512;

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A write, or a new size.
struct Change {
  std::size_t offset = 0;
  std::optional<std::string> octets;  ///< None: the file ends at `offset`.
};

void apply(std::string& image, const Change& change) {
  if (!change.octets) return image.resize(change.offset);
  image.resize(std::max(image.size(), change.offset + change.octets->size()));
  std::copy(change.octets->begin(), change.octets->end(),
            image.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

/// The same write in pieces that a disk writes wholly or not at all.
std::vector<Change> in_sectors(const Change& change) {
  if (!change.octets) return {change};
  std::vector<Change> pieces;
  for (std::size_t at = 0; at < change.octets->size();) {
    const auto size = std::min(sector - (change.offset + at) % sector, change.octets->size() - at);
    pieces.push_back({change.offset + at, change.octets->substr(at, size)});
    at += size;
  }
  return pieces;
}

/// What the disk really holds of a file, and what waits for a sync.
struct Content {
  std::string durable;
  std::vector<Change> waiting;
  bool is_off = false;   ///< Its power is gone.
  bool is_full = false;  ///< It cannot grow.
};

bool is_below(const std::string& path, const std::string& folder) {
  return path.compare(0, folder.size(), folder) == 0;
}

enum class Access : std::uint8_t { read, write, other };

}  // namespace

struct LossyDisk::State {
  std::mutex mutex;
  std::map<std::string, Content> contents;
  std::optional<Fault> fault;
  std::int64_t left = 0;
  bool is_met = false;
  std::set<std::string> off;   ///< Folders without power.
  std::set<std::string> full;  ///< Folders on full disks.
  sqlite3_vfs* real = nullptr;
  sqlite3_vfs vfs{};
  sqlite3_io_methods methods{};

  /// The files of some folders are as those say.
  void mark() {
    const auto is_in = [](const auto& folders, const std::string& path) {
      return std::any_of(folders.begin(), folders.end(),
                         [&](const auto& folder) { return is_below(path, folder); });
    };
    for (auto& [path, content] : contents) {
      content.is_off = is_in(off, path);
      content.is_full = is_in(full, path);
    }
  }

  /// The code with which an access fails; SQLITE_OK when it does not.
  int judge(const Content* content, Access access, int io_error) {
    const bool is_off = content == nullptr ? off.count("") > 0 : content->is_off;
    if (is_off) return access == Access::read ? SQLITE_OK : io_error;
    if (!fault || is_met) return SQLITE_OK;
    const bool counts = *fault == Fault::io_error ||
                        (*fault == Fault::cut && access != Access::read) ||
                        (*fault == Fault::full && access == Access::write);
    if (!counts || --left > 0) return SQLITE_OK;
    is_met = true;
    if (*fault == Fault::cut) {
      off.insert("");
      mark();
    }
    return *fault == Fault::full ? SQLITE_FULL : io_error;
  }
};

namespace {

/// What SQLite holds of an open file; the system's own file lies behind it.
struct OpenFile {
  sqlite3_file base;
  LossyDisk::State* disk;
  Content* content;  ///< Null for temporary files.
};

OpenFile& opened(sqlite3_file* file) { return *reinterpret_cast<OpenFile*>(file); }
sqlite3_file* behind(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<OpenFile*>(file) + 1);
}
const sqlite3_io_methods& real_methods(sqlite3_file* file) { return *behind(file)->pMethods; }

int close(sqlite3_file* file) { return real_methods(file).xClose(behind(file)); }

int read(sqlite3_file* file, void* octets, int size, sqlite3_int64 offset) {
  auto& own = opened(file);
  const std::lock_guard lock(own.disk->mutex);
  const int code = own.disk->judge(own.content, Access::read, SQLITE_IOERR_READ);
  if (code != SQLITE_OK) return code;
  return real_methods(file).xRead(behind(file), octets, size, offset);
}

int write(sqlite3_file* file, const void* octets, int size, sqlite3_int64 offset) {
  auto& own = opened(file);
  const std::lock_guard lock(own.disk->mutex);
  const int code = own.disk->judge(own.content, Access::write, SQLITE_IOERR_WRITE);
  if (code != SQLITE_OK) return code;
  if (own.content != nullptr && own.content->is_full) {
    sqlite3_int64 now = 0;
    real_methods(file).xFileSize(behind(file), &now);
    if (offset + size > now) return SQLITE_FULL;
  }
  if (own.content != nullptr) {
    own.content->waiting.push_back(
        {static_cast<std::size_t>(offset),
         std::string(static_cast<const char*>(octets), static_cast<std::size_t>(size))});
  }
  return real_methods(file).xWrite(behind(file), octets, size, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  auto& own = opened(file);
  const std::lock_guard lock(own.disk->mutex);
  const int code = own.disk->judge(own.content, Access::other, SQLITE_IOERR_TRUNCATE);
  if (code != SQLITE_OK) return code;
  if (own.content != nullptr) {
    own.content->waiting.push_back({static_cast<std::size_t>(size), std::nullopt});
  }
  return real_methods(file).xTruncate(behind(file), size);
}

/// The system's own sync is left out: the disk of a test need not stay.
int sync(sqlite3_file* file, int /*flags*/) {
  auto& own = opened(file);
  const std::lock_guard lock(own.disk->mutex);
  const int code = own.disk->judge(own.content, Access::other, SQLITE_IOERR_FSYNC);
  if (code != SQLITE_OK || own.content == nullptr) return code;
  for (const auto& change : own.content->waiting) apply(own.content->durable, change);
  own.content->waiting.clear();
  return SQLITE_OK;
}

void fill_methods(sqlite3_io_methods& methods) {
  using File = sqlite3_file*;
  methods.iVersion = 2;  // Without memory-mapped reading.
  methods.xClose = close;
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = [](File f, sqlite3_int64* size) {
    return real_methods(f).xFileSize(behind(f), size);
  };
  methods.xLock = [](File f, int level) { return real_methods(f).xLock(behind(f), level); };
  methods.xUnlock = [](File f, int level) { return real_methods(f).xUnlock(behind(f), level); };
  methods.xCheckReservedLock = [](File f, int* held) {
    return real_methods(f).xCheckReservedLock(behind(f), held);
  };
  methods.xFileControl = [](File f, int what, void* more) {
    return real_methods(f).xFileControl(behind(f), what, more);
  };
  methods.xSectorSize = [](File f) { return real_methods(f).xSectorSize(behind(f)); };
  methods.xDeviceCharacteristics = [](File f) {
    return real_methods(f).xDeviceCharacteristics(behind(f));
  };
  methods.xShmMap = [](File f, int region, int size, int extend, void volatile** memory) {
    return real_methods(f).xShmMap(behind(f), region, size, extend, memory);
  };
  methods.xShmLock = [](File f, int offset, int count, int flags) {
    return real_methods(f).xShmLock(behind(f), offset, count, flags);
  };
  methods.xShmBarrier = [](File f) { real_methods(f).xShmBarrier(behind(f)); };
  methods.xShmUnmap = [](File f, int remove) {
    return real_methods(f).xShmUnmap(behind(f), remove);
  };
}

LossyDisk::State& disk_of(sqlite3_vfs* vfs) {
  return *static_cast<LossyDisk::State*>(vfs->pAppData);
}

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* granted) {
  auto& disk = disk_of(vfs);
  file->pMethods = nullptr;
  const std::string path = name == nullptr ? "" : name;
  bool is_known = path.empty();
  {
    const std::lock_guard lock(disk.mutex);
    is_known = is_known || disk.contents.count(path) > 0;
  }
  const auto before = is_known ? std::string() : read_whole(path);
  behind(file)->pMethods = nullptr;
  const int code = disk.real->xOpen(disk.real, name, behind(file), flags, granted);
  if (code != SQLITE_OK) return code;
  const std::lock_guard lock(disk.mutex);
  auto& own = opened(file);
  own.disk = &disk;
  own.content = nullptr;
  if (!path.empty()) {
    const auto made = disk.contents.emplace(path, Content{before, {}});
    own.content = &made.first->second;
    if (made.second) disk.mark();
  }
  own.base.pMethods = &disk.methods;
  return SQLITE_OK;
}

int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
  auto& disk = disk_of(vfs);
  const std::lock_guard lock(disk.mutex);
  const auto found = disk.contents.find(name);
  auto* const content = found == disk.contents.end() ? nullptr : &found->second;
  const int code = disk.judge(content, Access::other, SQLITE_IOERR_DELETE);
  if (code != SQLITE_OK) return code;
  if (content != nullptr) {
    content->durable.clear();
    content->waiting.clear();
  }
  return disk.real->xDelete(disk.real, name, sync_folder);
}

}  // namespace

LossyDisk::LossyDisk() : state_(std::make_unique<State>()) {
  auto& state = *state_;
  state.real = sqlite3_vfs_find(nullptr);
  state.vfs = *state.real;  // What is not replaced below runs on the system's own.
  state.vfs.zName = "lossy";
  state.vfs.pAppData = &state;
  state.vfs.szOsFile = static_cast<int>(sizeof(OpenFile)) + state.real->szOsFile;
  state.vfs.xOpen = open;
  state.vfs.xDelete = remove;
  state.vfs.xAccess = [](sqlite3_vfs* vfs, const char* name, int flags, int* answer) {
    return disk_of(vfs).real->xAccess(disk_of(vfs).real, name, flags, answer);
  };
  state.vfs.xFullPathname = [](sqlite3_vfs* vfs, const char* name, int size, char* whole) {
    return disk_of(vfs).real->xFullPathname(disk_of(vfs).real, name, size, whole);
  };
  fill_methods(state.methods);
  sqlite3_vfs_register(&state.vfs, 1);
}

LossyDisk::~LossyDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
}

void LossyDisk::fail_at(std::int64_t number, Fault fault) {
  const std::lock_guard lock(state_->mutex);
  state_->fault = fault;
  state_->left = number;
  state_->is_met = false;
}

bool LossyDisk::end_fault() {
  const std::lock_guard lock(state_->mutex);
  state_->fault.reset();
  return state_->is_met;
}

void LossyDisk::power_cut(const std::string& folder) {
  const std::lock_guard lock(state_->mutex);
  state_->off.insert(folder);
  state_->mark();
}

void LossyDisk::set_full(const std::string& folder, bool is_full) {
  const std::lock_guard lock(state_->mutex);
  if (is_full) {
    state_->full.insert(folder);
  } else {
    state_->full.erase(folder);
  }
  state_->mark();
}

void LossyDisk::forget(const std::string& path) {
  const std::lock_guard lock(state_->mutex);
  state_->contents.erase(path);
}

void LossyDisk::restore(Unsynced unsynced, ecp::Random& chance, const std::string& folder) {
  const std::lock_guard lock(state_->mutex);
  for (auto& [path, content] : state_->contents) {
    if (!is_below(path, folder)) continue;
    for (const auto& change : content.waiting) {
      for (const auto& piece : in_sectors(change)) {
        const bool is_there = unsynced == Unsynced::everything ||
                              (unsynced == Unsynced::some_sectors && chance.below(2) == 0);
        if (is_there) apply(content.durable, piece);
      }
    }
    content.waiting.clear();
    ::unlink((path + "-shm").c_str());  // Memory that programs share.
    if (!std::filesystem::exists(path)) continue;
    std::ofstream(path, std::ios::binary | std::ios::trunc) << content.durable;
  }
  state_->off.erase(folder);
  state_->mark();
  state_->fault.reset();
}

namespace {

using Rows = std::vector<std::string>;

/// Each row of a query as one line.
Rows rows_of(sqlite3* database, const std::string& query) {
  sqlite3_stmt* statement = nullptr;
  Rows rows;
  if (sqlite3_prepare_v2(database, query.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    return {sqlite3_errmsg(database)};
  }
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& line = rows.emplace_back();
    for (int i = 0; i < sqlite3_column_count(statement); ++i) {
      const auto* octets = static_cast<const char*>(sqlite3_column_blob(statement, i));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, i));
      line += (i == 0 ? "" : "|") + (octets == nullptr ? "" : std::string(octets, size));
    }
  }
  sqlite3_finalize(statement);
  return rows;
}

Rows tables_of(sqlite3* database) {
  return rows_of(database, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name");
}

template <class Look>
auto with_database(const std::string& path, Look look) {
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) std::abort();
  auto seen = look(database);
  sqlite3_close(database);
  return seen;
}

}  // namespace

std::string content_of(const std::string& path) {
  return with_database(path, [](sqlite3* database) {
    std::string text;
    for (const auto& table : tables_of(database)) {
      auto rows = rows_of(database, "SELECT * FROM \"" + table + "\"");
      std::sort(rows.begin(), rows.end());
      text += table + ":\n";
      for (const auto& row : rows) text += "  " + row + "\n";
    }
    return text;
  });
}

std::map<std::string, std::int64_t> rows_of_tables(const std::string& path) {
  return with_database(path, [](sqlite3* database) {
    std::map<std::string, std::int64_t> counts;
    for (const auto& table : tables_of(database)) {
      const auto count = rows_of(database, "SELECT count(*) FROM \"" + table + "\"").at(0);
      counts[table] = std::stoll(count);
    }
    return counts;
  });
}

std::string integrity_of(const std::string& path) {
  return with_database(
      path, [](sqlite3* database) { return rows_of(database, "PRAGMA integrity_check").at(0); });
}

}  // namespace ecp_test
