// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/log.hpp>

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <ecp/core/bytes.hpp>

#include "core/text.hpp"

namespace ecp::inline v0 {
namespace {

/// Append text as it is but for what could end the line, forge another one or steer a terminal.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const auto point = text::next_code_point(text, position);
    if (!point) {
      out += "\\x" + to_hex(text.substr(begin, 1));
      position = begin + 1;
    } else if (*point == '\n') {
      out += "\\n";
    } else if (*point < 0x20 || *point == 0x7F) {
      out += "\\x" + to_hex(text.substr(begin, 1));
    } else if (*point >= 0x80 && *point < 0xA0) {
      out += "\\u00" + to_hex(text.substr(begin + 1, 1));
    } else {
      if (*point == '\\' || (quoted && *point == '"')) out += '\\';
      out += text.substr(begin, position - begin);
    }
  }
}

void append_fields(std::string& out, std::string_view message,
                   std::initializer_list<LogField> fields) {
  append_escaped(out, message, false);
  for (const auto& field : fields) {
    out += ' ';
    append_escaped(out, field.name, false);
    out += '=';
    const bool quoted =
        field.value.empty() || field.value.find_first_of(" \"=") != std::string::npos;
    if (quoted) out += '"';
    append_escaped(out, field.value, quoted);
    if (quoted) out += '"';
  }
}

}  // namespace

std::string_view to_string(LogLevel level) noexcept {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "error";
}

LogSink::~LogSink() = default;

StreamLog::StreamLog(int descriptor, LogLevel least, const Clock& clock)
    : descriptor_(descriptor), least_(least), clock_(clock) {}

StreamLog::~StreamLog() = default;

void StreamLog::write(LogLevel level, std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields) {
  if (level < least_) return;
  std::string line = to_rfc3339(clock_.now());
  line += ' ';
  line += to_string(level);
  line += ' ';
  line += component;
  line += ": ";
  append_fields(line, message, fields);
  line += '\n';
  const std::lock_guard lock(mutex_);
  // One write, so that lines of several processes on one pipe stay whole. A line that the
  // descriptor refuses is lost: there is nobody left to tell.
  while (::write(descriptor_, line.data(), line.size()) < 0 && errno == EINTR) {
  }
}

MemoryLog::MemoryLog() = default;

MemoryLog::~MemoryLog() = default;

void MemoryLog::write(LogLevel level, std::string_view component, std::string_view message,
                      std::initializer_list<LogField> fields) {
  Entry entry{level, std::string(component), {}};
  append_fields(entry.text, message, fields);
  const std::lock_guard lock(mutex_);
  entries_.push_back(std::move(entry));
}

std::vector<MemoryLog::Entry> MemoryLog::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

bool MemoryLog::contains(std::string_view part) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.text.find(part) != std::string::npos;
  });
}

}  // namespace ecp::inline v0
