// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/http/client.hpp>
#include <ecp/http/reasons.hpp>

using namespace ecp;

TEST_SUITE("http.Url") {
  TEST_CASE("a URL is taken apart with the port of its scheme") {
    const auto url = http::parse_url("HTTPS://Example.com/a/b?c=d#e").value();
    CHECK(url.scheme == "https");
    CHECK(url.host == "Example.com");
    CHECK(url.port == 443);
    CHECK(url.path == "/a/b?c=d");
    CHECK(http::parse_url("http://h").value().path == "/");
    CHECK(http::parse_url("http://h?x=1").value().path == "/?x=1");
    CHECK(http::parse_url("http://[::1]:8080/").value().host == "::1");
    CHECK(http::parse_url("http://[::1]:8080/").value().port == 8080);
  }

  TEST_CASE("[R27] what two parsers could read differently is refused") {
    for (const char* text : {"",
                             "h",
                             "ftp://h/",
                             "file:///etc/passwd",
                             "http://",
                             "http:///x",
                             "http://u@h/",
                             "http://u:p@h/",
                             "http://h\\@g/",
                             "http://h:/",
                             "http://h:0/",
                             "http://h:65536/",
                             "http://h:8x/",
                             "http://[::1/",
                             "http://[zz]/",
                             "http://[::1]x/",
                             "http://a b/",
                             "http://h/\n",
                             "http://h%2fg/",
                             "gopher://h/",
                             "//h/",
                             "http://h\tg/"}) {
      CAPTURE(text);
      const auto url = http::parse_url(text);
      REQUIRE_FALSE(url.has_value());
      CHECK(url.error().is(http::reasons::bad_url));
    }
  }
}

TEST_SUITE("http.AddressPolicy") {
  TEST_CASE("[R27] addresses that are not of the public internet are refused") {
    const http::AddressPolicy policy;
    for (const char* address : {"127.0.0.1",
                                "127.8.8.8",
                                "10.1.2.3",
                                "172.16.0.1",
                                "172.31.255.255",
                                "192.168.1.1",
                                "169.254.169.254",
                                "100.64.0.1",
                                "0.0.0.0",
                                "0.1.2.3",
                                "224.0.0.1",
                                "255.255.255.255",
                                "192.0.2.1",
                                "198.18.0.1",
                                "240.0.0.1",
                                "::",
                                "::1",
                                "::ffff:127.0.0.1",
                                "::ffff:10.0.0.1",
                                "::127.0.0.1",
                                "fe80::1",
                                "fe80::1%eth0",
                                "fc00::1",
                                "fd12::1",
                                "fec0::1",
                                "ff02::1",
                                "64:ff9b::7f00:1",
                                "64:ff9b:1::1",
                                "2002:7f00:1::",
                                "2001::1",
                                "2001:db8::1",
                                "100::1",
                                "nonsense",
                                "",
                                "1.2.3",
                                "0x7f.1",
                                "2130706433"}) {
      CAPTURE(address);
      CHECK_FALSE(http::is_address_allowed(policy, address, 443));
    }
    for (const char* address : {"8.8.8.8", "172.32.0.1", "11.0.0.1", "192.167.1.1", "100.128.0.1",
                                "2606:4700::1", "::ffff:8.8.8.8", "2a00:1450:4001::1"}) {
      CAPTURE(address);
      CHECK(http::is_address_allowed(policy, address, 443));
    }
  }

  TEST_CASE("an allowed place is one address and one port, in any spelling") {
    http::AddressPolicy policy;
    policy.allowed = {"127.0.0.1:9000", "[::1]:9001"};
    CHECK(http::is_address_allowed(policy, "127.0.0.1", 9000));
    CHECK(http::is_address_allowed(policy, "::ffff:127.0.0.1", 9000));
    CHECK(http::is_address_allowed(policy, "::1", 9001));
    CHECK_FALSE(http::is_address_allowed(policy, "127.0.0.1", 9001));
    CHECK_FALSE(http::is_address_allowed(policy, "127.0.0.2", 9000));
  }

  TEST_CASE("private networks can be opened as a whole") {
    http::AddressPolicy policy;
    policy.private_networks = true;
    CHECK(http::is_address_allowed(policy, "10.0.0.1", 80));
    CHECK_FALSE(http::is_address_allowed(policy, "nonsense", 80));
  }
}
