// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/bytes.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp {
namespace {

using namespace std::string_literals;
using namespace std::string_view_literals;

TEST_SUITE("core.bytes") {
  TEST_CASE("SHA-256 gives the published value of abc") {
    CHECK(to_hex(sha256("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  }

  TEST_CASE("hexadecimal comes back and refuses what is none") {
    const Bytes octets = "\x00\x7f\x80\xff"s;

    CHECK(to_hex(octets) == "007f80ff");
    CHECK(from_hex("007F80ff").value() == octets);
    CHECK(from_hex("").value().empty());
    for (const auto* text : {"0", "0g", "g0", " 00", "0x00"}) {
      CHECK(from_hex(text).error().is(reasons::bad_text));
    }
  }

  TEST_CASE("base64 gives the values of RFC 4648 and comes back") {
    CHECK(to_base64("foob") == "Zm9vYg==");
    CHECK(to_base64("") == "");
    CHECK(to_base64url("\xfb\xff\xfe") == "-__-");
    CHECK(to_base64url("foob") == "Zm9vYg");
    CHECK(from_base64("Zm9vYg==").value() == "foob");
    CHECK(from_base64url("Zm9vYg").value() == "foob");
    for (std::size_t size = 0; size < 70; ++size) {
      const Bytes octets(size, static_cast<char>(size * 37));
      CHECK(from_base64(to_base64(octets)).value() == octets);
      CHECK(from_base64url(to_base64url(octets)).value() == octets);
    }
  }

  TEST_CASE("base64 refuses foreign characters, wrong padding and set bits that mean nothing") {
    for (const auto* text : {"Zm9vYg", "Zm9vYg=", "Zm9vYh==", "Zm9v Yg==", "Zm9vYg==x", "-__-"}) {
      CHECK(from_base64(text).error().is(reasons::bad_text));
    }
    for (const auto* text : {"Zm9vYg==", "Zm9vYh", "Z", "+//+"}) {
      CHECK(from_base64url(text).error().is(reasons::bad_text));
    }
  }

  TEST_CASE("octets are compared to their end") {
    CHECK(equal_constant_time("abc", "abc"));
    CHECK(equal_constant_time("", ""));
    CHECK_FALSE(equal_constant_time("abc", "abd"));
    CHECK_FALSE(equal_constant_time("abc", "ab"));
  }

  TEST_CASE("clean text is well-formed UTF-8 without control characters") {
    for (const auto text : {""sv, "press 7"sv, "Öfen"sv, "\xF0\x9F\x94\xA5"sv, "\x7F"sv,
                            "\xEF\xBF\xBF"sv, "\xF4\x8F\xBF\xBF"sv}) {
      CHECK(is_clean_utf8(text));
    }
    for (const auto text :
         {"a\nb"sv, "\0"sv, "\x1F"sv, "\xFF"sv, "\x80"sv, "\xC3"sv, "\xC0\x80"sv, "\xE0\x80\xAF"sv,
          "\xED\xA0\x80"sv, "\xED\xBF\xBF"sv, "\xF4\x90\x80\x80"sv, "\xF0\x80\x80\xAF"sv,
          "\xF8\x88\x80\x80\x80"sv, "\xE2\x82"sv}) {
      CHECK_FALSE(is_clean_utf8(text));
    }
  }
}

}  // namespace
}  // namespace ecp
