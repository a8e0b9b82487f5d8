// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/password.hpp>

#include <atomic>
#include <set>
#include <thread>

#include <ecp/core/file.hpp>
#include <ecp/identity/reasons.hpp>

#include "support/people.hpp"

using ecp::Secret;
using ecp::identity::check_password;
using ecp::identity::PasswordHasher;

namespace {

bool accepts(std::string_view password, std::vector<std::string> forbidden = {}) {
  return check_password(Secret(password), forbidden).has_value();
}

}  // namespace

TEST_SUITE("identity.password") {
  TEST_CASE("length is counted in characters: 15 to 128 [R03]") {
    const std::string key = "\xf0\x9f\x94\x91";  // One emoji, four octets.
    std::string emoji = "x";
    for (int i = 0; i < 127; ++i) emoji += key;

    CHECK_FALSE(accepts("abcdefghijklmn"));
    CHECK(accepts("abcdefghijklmnq"));
    CHECK(accepts(emoji));
    CHECK_FALSE(accepts(emoji + key));
  }

  TEST_CASE("no rule about kinds of characters [R03]") {
    CHECK(accepts("thequietlittleharbor"));
    CHECK(accepts("  spaces are  kept  "));
  }

  TEST_CASE("common passwords are refused, also when repeated or written large [R03]") {
    CHECK(ecp::identity::is_common_password("password"));
    CHECK(ecp::identity::is_common_password("123456"));
    CHECK(ecp::identity::is_common_password("zzzzzz"));
    CHECK_FALSE(ecp::identity::is_common_password("thequietlittleharbor"));
    CHECK_FALSE(ecp::identity::is_common_password(""));
    CHECK_FALSE(accepts("passwordpassword"));
    CHECK_FALSE(accepts("PassWordPassword"));
    CHECK_FALSE(accepts("1q2w3e4r5t1q2w3e4r5t"));
  }

  TEST_CASE("each word of the list is found, and nothing between them [R03]") {
    const auto list = ecp_test::must(
        ecp::read_file(ECP_SOURCE_DIR "/lib/identity/data/common_passwords.txt", 1 << 20));
    std::string_view rest = list;
    int count = 0;
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      const auto word = rest.substr(0, end);
      rest.remove_prefix(end + 1);
      ++count;
      if (!ecp::identity::is_common_password(word)) FAIL(word);
      if (ecp::identity::is_common_password(std::string(word) + "\x01")) FAIL(word);
    }
    CHECK(count >= 10'000);
  }

  TEST_CASE("names that others know are refused [R03]") {
    const std::vector<std::string> names{"Northern Steel Works", "ann.archer@example.com", ""};

    CHECK_FALSE(accepts("northern steel works", names));
    CHECK_FALSE(accepts("Ann.Archer@example.com", names));
    CHECK(accepts("northern steel works 7", names));
  }
}

TEST_SUITE("identity.PasswordHasher") {
  TEST_CASE("every hash is argon2id with a salt of its own [R04]") {
    PasswordHasher hasher(ecp_test::cheap_hashes());
    const Secret password(ecp_test::good_password);
    const auto first = ecp_test::must(hasher.hash(password));
    const auto second = ecp_test::must(hasher.hash(password));
    const auto turn = ecp_test::must(hasher.wait_for_turn());

    CHECK(first.substr(0, 10) == "$argon2id$");
    CHECK(first != second);
    CHECK(hasher.verify(turn, first, password));
    CHECK(hasher.verify(turn, second, password));
    CHECK_FALSE(hasher.verify(turn, first, Secret("another long password")));
    CHECK_FALSE(hasher.verify(turn, "", password));
    CHECK_FALSE(hasher.verify(turn, "no hash", password));
  }

  TEST_CASE("as shipped a hash costs 64 MiB and two passes [R04]") {
    const ecp::identity::HasherOptions options;

    CHECK(options.memory == std::size_t{64} * 1024 * 1024);
    CHECK(options.operations == 2);
    CHECK(options.parallel == 2);
  }

  TEST_CASE(
      "of 200 callers at once two hash, some wait, and the others are told to come again "
      "[R04]") {
    auto options = ecp_test::cheap_hashes();
    options.operations = 60;
    PasswordHasher hasher(options);
    std::atomic<int> hashed = 0;
    std::atomic<int> refused = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 200; ++i) {
      callers.emplace_back([&] {
        const auto hash = hasher.hash(Secret(ecp_test::good_password));
        if (hash) {
          ++hashed;
        } else if (hash.error().is(ecp::identity::reasons::busy)) {
          ++refused;
        }
      });
    }
    for (auto& caller : callers) caller.join();

    CHECK(hashed + refused == 200);
    CHECK(hashed > 0);
    CHECK(hasher.most_parallel() <= 2);
  }
}
