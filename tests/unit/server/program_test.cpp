// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <vector>

#include "program.hpp"

namespace {

ecp::Result<ecpd::Command> parse(std::vector<const char*> words) {
  return ecpd::parse_command(words);
}

}  // namespace

TEST_SUITE("ecpd.Command") {
  TEST_CASE("each command is known by its words") {
    using Verb = ecpd::Command::Verb;
    CHECK(parse({"serve"})->verb == Verb::serve);
    CHECK(parse({"check-config", "--config", "f"})->config_path == "f");
    CHECK(parse({"--version"})->verb == Verb::version);
    CHECK(parse({"audit", "verify"})->verb == Verb::audit_verify);
    CHECK(parse({"user", "login-link", "a@b.c"})->email == "a@b.c");
    CHECK(parse({"broker-config", "--out", "d"})->folder == "d");
    CHECK(parse({"broker-config", "--out", "d"})->plugin_path.starts_with("/"));
    CHECK(parse({"broker-config", "--plugin", "p", "--out", "d"})->plugin_path == "p");
    CHECK(parse({"user", "reset-password", "--config", "f", "a@b.c"})->email == "a@b.c");
  }

  TEST_CASE("wrong words are refused instead of guessed at") {
    CHECK_FALSE(parse({}));
    CHECK_FALSE(parse({"serv"}));
    CHECK_FALSE(parse({"serve", "now"}));
    CHECK_FALSE(parse({"audit"}));
    CHECK_FALSE(parse({"audit", "delete"}));
    CHECK_FALSE(parse({"user", "login-link"}));
    CHECK_FALSE(parse({"serve", "--config"}));
    CHECK_FALSE(parse({"broker-config"}));
    CHECK_FALSE(parse({"broker-config", "--out"}));
    CHECK_FALSE(parse({"serve", "--out", "d"}));
    CHECK_FALSE(parse({"serve", "--plugin", "p"}));
    CHECK_FALSE(parse({"user", "login-link", "a@b.c", "extra"}));
  }
}
