// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/file.hpp>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0 {
namespace {

/// A file descriptor that is closed at the end.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  [[nodiscard]] int number() const noexcept { return number_; }
  [[nodiscard]] bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

Error refused(const std::string& path, const char* action, int problem) {
  return {
      reasons::io,
      {{"path", path}, {"action", action}, {"problem", std::generic_category().message(problem)}}};
}

Error io_error(const std::string& path, const char* action, int problem) {
  if (problem == ENOENT) return {reasons::not_found, {{"noun", "file or folder " + path}}};
  return refused(path, action, problem);
}

Error unsafe(const std::string& path, const char* problem) {
  return {reasons::unsafe_file, {{"path", path}, {"problem", problem}}};
}

Result<Descriptor> open_file(const std::string& path, int flags, const char* action,
                             mode_t mode = 0) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC | O_NOCTTY, mode));
  if (!file.is_open()) return io_error(path, action, errno);
  return file;
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// A buffer is wiped by the caller where it holds a secret; it never grows, so that no copy stays.
Result<void> read_all(const Descriptor& file, const std::string& path, Bytes& buffer) {
  const std::size_t capacity = buffer.size();
  std::size_t size = 0;
  while (size < capacity) {
    const ssize_t count = ::read(file.number(), buffer.data() + size, capacity - size);
    if (count == 0) break;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error(path, "read", errno);
    size += static_cast<std::size_t>(count);
  }
  buffer.resize(size);
  return {};
}

Result<void> check_size(const std::string& path, std::size_t size, std::size_t max_size) {
  if (size <= max_size) return {};
  return Error{
      reasons::bad_field,
      {{"field", path}, {"problem", "is larger than " + std::to_string(max_size) + " octets"}}};
}

Result<void> write_all(const Descriptor& file, const std::string& path, BytesView content) {
  while (!content.empty()) {
    const ssize_t count = ::write(file.number(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error(path, "written", errno);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync(const Descriptor& file, const std::string& path) {
  if (::fsync(file.number()) != 0) return io_error(path, "synchronised to disk", errno);
  return {};
}

Result<void> sync_folder_of(const std::string& path) {
  const std::string folder = folder_of(path);
  ECP_TRY(const auto file, open_file(folder, O_RDONLY | O_DIRECTORY, "opened"));
  return sync(file, folder);
}

Result<void> fill_and_rename(const Descriptor& file, const std::string& temporary,
                             const std::string& path, BytesView content, unsigned mode) {
  ECP_TRY_VOID(write_all(file, path, content));
  if (::fchmod(file.number(), static_cast<mode_t>(mode)) != 0) {
    return io_error(path, "given its mode", errno);
  }
  ECP_TRY_VOID(sync(file, path));
  if (::rename(temporary.c_str(), path.c_str()) != 0) return io_error(path, "replaced", errno);
  return {};
}

Result<void> check_secret(const Descriptor& file, const std::string& path, std::size_t max_size) {
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return io_error(path, "examined", errno);
  if (!S_ISREG(status.st_mode)) return unsafe(path, "is not a regular file");
  if ((status.st_mode & 0077) != 0) {
    return unsafe(path, "is open to group or others: run chmod 600 on it");
  }
  return check_size(path, static_cast<std::size_t>(status.st_size), max_size);
}

}  // namespace

Result<Bytes> read_file(const std::string& path, std::size_t max_size) {
  ECP_TRY(const auto file, open_file(path, O_RDONLY, "read"));
  struct stat status {};
  if (::fstat(file.number(), &status) != 0) return io_error(path, "examined", errno);
  // Files of /proc and pipes say 0, so one octet beyond the limit decides.
  const auto expected = static_cast<std::size_t>(status.st_size);
  ECP_TRY_VOID(check_size(path, expected, max_size));
  Bytes buffer((S_ISREG(status.st_mode) && expected > 0 ? expected : max_size) + 1, '\0');
  ECP_TRY_VOID(read_all(file, path, buffer));
  ECP_TRY_VOID(check_size(path, buffer.size(), max_size));
  return buffer;
}

Result<Secret> read_secret_file(const std::string& path, std::size_t max_size) {
  // Without O_NONBLOCK a pipe put in the file's place would hold us up.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY));
  if (!file.is_open() && errno == ELOOP) return unsafe(path, "is a symbolic link");
  if (!file.is_open()) return io_error(path, "read", errno);
  ECP_TRY_VOID(check_secret(file, path, max_size));
  Bytes buffer(max_size + 1, '\0');
  const auto outcome = read_all(file, path, buffer);
  std::string_view text = buffer;
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  Secret secret(outcome && buffer.size() <= max_size ? text : std::string_view());
  const std::size_t size = buffer.size();
  sodium_memzero(buffer.data(), size);
  ECP_TRY_VOID(outcome);
  ECP_TRY_VOID(check_size(path, size, max_size));
  return secret;
}

Result<void> write_file_durably(const std::string& path, BytesView content, unsigned mode) {
  std::string temporary = path + ".XXXXXX";
  const Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file.is_open()) return io_error(path, "written", errno);
  auto outcome = fill_and_rename(file, temporary, path, content, mode);
  if (!outcome) {
    ::unlink(temporary.c_str());
    return outcome;
  }
  return sync_folder_of(path);
}

Result<void> append_file_durably(const std::string& path, BytesView content) {
  constexpr int flags = O_WRONLY | O_APPEND;
  bool is_new = false;
  auto file = open_file(path, flags, "written");
  if (!file && file.error().is(reasons::not_found)) {
    is_new = true;
    file = open_file(path, flags | O_CREAT, "written", 0600);
  }
  if (!file) return std::move(file).error();
  ECP_TRY_VOID(write_all(*file, path, content));
  ECP_TRY_VOID(sync(*file, path));
  if (is_new) return sync_folder_of(path);
  return {};
}

Result<void> make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return io_error(path, "made", errno);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return io_error(path, "examined", errno);
  if (!S_ISDIR(status.st_mode)) return unsafe(path, "is not a folder");
  if ((status.st_mode & 0022) != 0) {
    return unsafe(path, "may be changed by group or others: run chmod 700 on it");
  }
  // Only a try tells: root passes every check of modes, also on a read-only file system.
  std::string trial = path + "/.trial.XXXXXX";
  const Descriptor file(::mkostemp(trial.data(), O_CLOEXEC));
  if (!file.is_open()) return refused(path, "written in", errno);
  ::unlink(trial.c_str());
  return {};
}

}  // namespace ecp::inline v0
