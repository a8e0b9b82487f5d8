// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>
#include <filesystem>

#include "support/temporary_folder.hpp"

namespace ecp {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;

unsigned mode_of(const std::string& path) {
  return static_cast<unsigned>(fs::status(path).permissions()) & 07777U;
}

std::size_t count_files(const TemporaryFolder& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST_SUITE("core.file") {
  TEST_CASE("a file written durably is read back, with its mode and nothing beside it") {
    const TemporaryFolder folder;
    const auto path = folder / "state";
    const Bytes content("a\0b\n", 4);

    REQUIRE(write_file_durably(path, content).has_value());
    CHECK(read_file(path, 4).value() == content);
    CHECK(mode_of(path) == 0600);
    REQUIRE(write_file_durably(path, "new", 0644).has_value());
    CHECK(read_file(path, 100).value() == "new");
    CHECK(mode_of(path) == 0644);
    CHECK(count_files(folder) == 1);
  }

  TEST_CASE("a reader of the old file keeps the old content") {
    const TemporaryFolder folder;
    const auto path = folder / "state";
    REQUIRE(write_file_durably(path, "old").has_value());
    REQUIRE(::link(path.c_str(), (folder / "held").c_str()) == 0);

    REQUIRE(write_file_durably(path, "new").has_value());

    CHECK(read_file(folder / "held", 9).value() == "old");
    CHECK(read_file(path, 9).value() == "new");
  }

  TEST_CASE("a failed replacement leaves nothing behind and says which path failed") {
    const TemporaryFolder folder;
    fs::create_directories(folder / "taken/inner");

    const auto onto_folder = write_file_durably(folder / "taken", "x");
    const auto no_folder = write_file_durably(folder / "none/file", "x");

    CHECK(onto_folder.error().is(reasons::io));
    CHECK(onto_folder.error().message().find("taken") != std::string::npos);
    CHECK(no_folder.error().code() == ErrorCode::not_found);
    CHECK(count_files(folder) == 1);
  }

  TEST_CASE("[R23] a file over the bound is refused, one of exactly the bound is read") {
    const TemporaryFolder folder;
    REQUIRE(write_file_durably(folder / "f", "12345").has_value());

    CHECK(read_file(folder / "f", 5).has_value());
    CHECK(read_file(folder / "f", 4).error().code() == ErrorCode::invalid_argument);
    CHECK(read_file("/dev/zero", 1000).error().code() == ErrorCode::invalid_argument);
    CHECK(read_file(folder / "none", 5).error().code() == ErrorCode::not_found);
    CHECK(read_file(folder.path(), 100'000).error().is(reasons::io));
  }

  TEST_CASE("a file that says it is empty is read to its end") {
    CHECK_FALSE(read_file("/proc/self/status", 100'000).value().empty());
  }

  TEST_CASE("a secret is read without its line end when the file is ours alone") {
    const TemporaryFolder folder;
    const auto path = folder / "key";
    REQUIRE(write_file_durably(path, "pass word\r\n\n").has_value());

    CHECK(read_secret_file(path, 100).value().view() == "pass word");
    CHECK(read_secret_file(path, 12).has_value());
    CHECK(read_secret_file(path, 11).error().code() == ErrorCode::invalid_argument);
  }

  TEST_CASE("[R21] a secret open to others, behind a link or no regular file is refused") {
    const TemporaryFolder folder;
    const auto path = folder / "key";
    REQUIRE(write_file_durably(path, "x").has_value());
    REQUIRE(::symlink(path.c_str(), (folder / "link").c_str()) == 0);
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);

    for (const mode_t mode : {0640U, 0604U, 0660U, 0602U, 0644U}) {
      REQUIRE(::chmod(path.c_str(), mode) == 0);
      const auto outcome = read_secret_file(path, 9);
      CHECK(outcome.error().is(reasons::unsafe_file));
      CHECK(outcome.error().code() == ErrorCode::failed_precondition);
    }
    REQUIRE(::chmod(path.c_str(), 0400) == 0);
    CHECK(read_secret_file(path, 9).has_value());
    CHECK(read_secret_file(folder / "link", 9).error().is(reasons::unsafe_file));
    CHECK(read_secret_file(folder / "pipe", 9).error().is(reasons::unsafe_file));
    CHECK(read_secret_file(folder.path(), 9).error().is(reasons::unsafe_file));
    CHECK(read_secret_file(folder / "none", 9).error().code() == ErrorCode::not_found);
  }

  TEST_CASE("lines are appended to a private file") {
    const TemporaryFolder folder;
    const auto path = folder / "log";

    REQUIRE(append_file_durably(path, "one\n").has_value());
    REQUIRE(append_file_durably(path, "two\n").has_value());

    CHECK(read_file(path, 100).value() == "one\ntwo\n");
    CHECK(mode_of(path) == 0600);
    CHECK(append_file_durably(folder / "none/log", "x").error().code() == ErrorCode::not_found);
    CHECK(append_file_durably(folder.path(), "x").error().is(reasons::io));
    CHECK(append_file_durably("/dev/full", "x").error().is(reasons::io));
  }

  TEST_CASE("a private folder is made, found again, and refused when others may change it") {
    const TemporaryFolder folder;
    const auto path = folder / "data";

    REQUIRE(make_private_folder(path).has_value());
    CHECK(mode_of(path) == 0700);
    CHECK(make_private_folder(path).has_value());
    CHECK(fs::is_empty(path));
    REQUIRE(::chmod(path.c_str(), 0770) == 0);
    CHECK(make_private_folder(path).error().is(reasons::unsafe_file));
  }

  TEST_CASE("a folder that cannot be written in is refused and says so") {
    const TemporaryFolder folder;
    REQUIRE(write_file_durably(folder / "file", "x").has_value());

    CHECK(make_private_folder(folder / "file").error().is(reasons::unsafe_file));
    CHECK(make_private_folder(folder / "none/data").error().code() == ErrorCode::not_found);
    CHECK(make_private_folder("/proc/self").error().message().find("cannot be written in") !=
          std::string::npos);
  }
}

}  // namespace
}  // namespace ecp
