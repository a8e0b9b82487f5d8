// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Where the library says what it does. It prints nothing by itself.

#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0 {

enum class LogLevel { debug, info, warning, error };

[[nodiscard]] ECP_EXPORT std::string_view to_string(LogLevel level) noexcept;

/// One named value of a log line. Never a secret.
struct LogField {
  std::string_view name;
  std::string value;
};

/// Receives log lines.
///
/// Thread safety: any thread; must not call back into the library.
class ECP_EXPORT LogSink {
 public:
  virtual ~LogSink();
  /// `component` is the module, such as "fleet"; `message` a fixed sentence, values go in fields.
  virtual void write(LogLevel level, std::string_view component, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;

  void debug(std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(LogLevel::debug, component, message, fields);
  }
  void info(std::string_view component, std::string_view message,
            std::initializer_list<LogField> fields = {}) {
    write(LogLevel::info, component, message, fields);
  }
  void warning(std::string_view component, std::string_view message,
               std::initializer_list<LogField> fields = {}) {
    write(LogLevel::warning, component, message, fields);
  }
  void error(std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields = {}) {
    write(LogLevel::error, component, message, fields);
  }
};

/// Writes one line per entry to a file descriptor it does not own: time, level, component, message,
/// name=value. Values are escaped, so that one entry is always one line.
class ECP_EXPORT StreamLog final : public LogSink {
 public:
  StreamLog(int descriptor, LogLevel least, const Clock& clock);
  ~StreamLog() override;
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields) override;

 private:
  int descriptor_;
  LogLevel least_;
  const Clock& clock_;
  std::mutex mutex_;
};

/// Keeps entries in memory, for tests.
class ECP_EXPORT MemoryLog final : public LogSink {
 public:
  struct Entry {
    LogLevel level;
    std::string component;
    std::string text;  ///< Message and fields as StreamLog would write them.
  };
  MemoryLog();
  ~MemoryLog() override;
  void write(LogLevel level, std::string_view component, std::string_view message,
             std::initializer_list<LogField> fields) override;
  [[nodiscard]] std::vector<Entry> entries() const;
  [[nodiscard]] bool contains(std::string_view part) const;

 private:
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace ecp::inline v0
