// SPDX-License-Identifier: Apache-2.0
#include "series/day_files.hpp"

#include <dirent.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <optional>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::series {
namespace {

constexpr std::size_t max_open_files = 40;  // A chart of the usual retention opens none.

std::optional<Day> day_from_name(std::string_view name) {
  if (name.size() != 13 || name.substr(10) != ".db") return std::nullopt;
  const auto time = parse_rfc3339(std::string(name.substr(0, 10)) + "T00:00:00Z");
  if (!time) return std::nullopt;
  return day_of(*time);
}

Error io_error(const std::string& path, const char* action) {
  return {ecp::reasons::io,
          {{"path", path}, {"action", action}, {"problem", std::strerror(errno)}}};
}

}  // namespace

Day day_of(Time time) {
  const auto ms = to_ms(time);
  return ms >= 0 ? ms / day_ms : -((-ms + day_ms - 1) / day_ms);
}

Result<void> DayFiles::load() {
  auto* const folder = ::opendir(folder_.c_str());
  if (folder == nullptr) return io_error(folder_, "read");
  while (const auto* entry = ::readdir(folder)) {
    if (const auto day = day_from_name(entry->d_name)) days_.insert(*day);
  }
  ::closedir(folder);
  return {};
}

Result<std::shared_ptr<DayFile>> DayFiles::open(Day day) {
  const std::lock_guard lock(mutex_);
  for (auto entry = open_.begin(); entry != open_.end(); ++entry) {
    if (entry->first != day) continue;
    open_.splice(open_.begin(), open_, entry);
    return entry->second;
  }
  ECP_TRY(auto file, DayFile::open(path_of(day), clock_));
  days_.insert(day);
  open_.emplace_front(day, std::move(file));
  if (open_.size() > max_open_files) open_.pop_back();
  return open_.front().second;
}

std::vector<Day> DayFiles::days(Time from, Time to) const {
  const std::lock_guard lock(mutex_);
  const auto first = from == Time::min() ? days_.begin() : days_.lower_bound(day_of(from));
  const auto last = to == Time::max() ? days_.end() : days_.upper_bound(day_of(to));
  std::vector<Day> found;
  for (auto day = first; day != days_.end() && day != last; ++day) found.push_back(*day);
  return found;
}

Result<void> DayFiles::remove(Day day) {
  const std::lock_guard lock(mutex_);
  open_.remove_if([day](const auto& entry) { return entry.first == day; });
  const auto path = path_of(day);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_error(path, "removed");
  ::unlink((path + "-wal").c_str());
  ::unlink((path + "-shm").c_str());
  days_.erase(day);
  return {};
}

std::string DayFiles::path_of(Day day) const {
  return folder_ + "/" + to_rfc3339(from_ms(day * day_ms)).substr(0, 10) + ".db";
}

}  // namespace ecp::inline v0::series
