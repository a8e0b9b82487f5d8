// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/broker/log_tail.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

#include <ecp/core/limits.hpp>

namespace ecp::inline v0::transport::broker {

namespace {

constexpr std::int64_t largest_file = 8 * static_cast<std::int64_t>(mebibyte);
constexpr std::size_t longest_line = 4 * kibibyte;

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

}  // namespace

LogTail::LogTail(std::string path, LogSink& log) : path_(std::move(path)), log_(log) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0) offset_ = status.st_size;
}

void LogTail::pump() {
  const int file = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  std::array<char, 16 * kibibyte> buffer{};
  while (true) {
    const auto size = ::pread(file, buffer.data(), buffer.size(), offset_);
    if (size <= 0) break;
    offset_ += size;
    rest_.append(buffer.data(), static_cast<std::size_t>(size));
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n')) {
      pass_on(std::string_view(rest_).substr(0, end));
      rest_.erase(0, end + 1);
    }
    if (rest_.size() > longest_line) rest_.clear();
  }
  // The broker appends, so that it goes on at the new end.
  if (offset_ > largest_file && ::ftruncate(file, 0) == 0) offset_ = 0;
  ::close(file);
}

void LogTail::pass_on(std::string_view line) {
  // "1795254000: text"; our own log has the time.
  const auto colon = line.find(": ");
  if (colon != std::string_view::npos && line.find_first_not_of("0123456789") == colon) {
    line.remove_prefix(colon + 2);
  }
  auto level = LogLevel::debug;
  if (begins_with(line, "Error") || begins_with(line, "OpenSSL Error")) level = LogLevel::warning;
  if (begins_with(line, "Warning")) level = LogLevel::warning;
  if (begins_with(line, "ecp:")) level = LogLevel::info;
  if (begins_with(line, "Error")) last_error_ = line;
  log_.write(level, "broker", line, {});
}

}  // namespace ecp::inline v0::transport::broker
