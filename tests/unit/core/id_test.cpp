// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/reasons.hpp>
#include <unordered_set>

namespace ecp {
namespace {

struct PressTag {
  static constexpr std::string_view prefix = "press";
};
struct OvenTag {
  static constexpr std::string_view prefix = "oven";
};
using PressId = Id<PressTag>;
using OvenId = Id<OvenTag>;

TEST_SUITE("core.Id") {
  TEST_CASE("the text of the least and the greatest id is known and comes back") {
    IdBytes greatest;
    greatest.fill(0xFF);

    CHECK(PressId().to_string() == "press_00000000000000000000000000");
    CHECK(PressId(greatest).to_string() == "press_7zzzzzzzzzzzzzzzzzzzzzzzzz");
    CHECK(PressId::parse(PressId(greatest).to_string()).value() == PressId(greatest));
    CHECK(PressId::parse(PressId().to_string()).value().is_nil());
  }

  TEST_CASE("a thousand ids come back from their text and keep their order in it") {
    ManualEnv world;
    std::string former;
    for (int i = 0; i < 1000; ++i) {
      const auto id = world.ids.next<PressId>();
      const auto text = id.to_string();

      REQUIRE(PressId::parse(text).value() == id);
      REQUIRE(former < text);
      former = text;
    }
  }

  TEST_CASE("[R24] anything but prefix and 26 characters of the alphabet is a bad id") {
    const std::string good = "press_0123456789abcdefghjkmnpqrs";
    REQUIRE(PressId::parse(good).has_value());
    std::vector<std::string> wrong{"",
                                   "press",
                                   "press_",
                                   "null",
                                   good + "0",
                                   good.substr(0, good.size() - 1),
                                   "Press_0123456789abcdefghjkmnpqrs",
                                   "press-0123456789abcdefghjkmnpqrs",
                                   "press_8123456789abcdefghjkmnpqrs",
                                   "oven_0123456789abcdefghjkmnpqrst"};
    for (const char c : {'A', 'i', 'l', 'o', 'u', ' ', '-', '\0', '\xFF'}) {
      std::string text = good;
      text[15] = c;
      wrong.push_back(text);
    }
    for (const auto& text : wrong) {
      CAPTURE(text);
      CHECK(PressId::parse(text).error().is(reasons::bad_id));
    }
    CHECK(OvenId::parse(good).error().message() == "the text is not an id of the form oven_...");
  }

  TEST_CASE("ids are keys of hashed sets") {
    ManualEnv world;
    std::unordered_set<PressId> ids;
    for (int i = 0; i < 100; ++i) ids.insert(world.ids.next<PressId>());

    CHECK(ids.size() == 100);
  }
}

TEST_SUITE("core.IdSource") {
  TEST_CASE("an id is a UUID of version 7 that begins with the time in milliseconds") {
    ManualEnv world;
    world.clock.step_wall(from_ms(0x0123456789AB) - world.clock.now());

    const auto bytes = world.ids.next_bytes();

    CHECK(to_hex(BytesView(reinterpret_cast<const char*>(bytes.data()), 6)) == "0123456789ab");
    CHECK((bytes[6] >> 4) == 7);
    CHECK((bytes[8] >> 6) == 2);
  }

  TEST_CASE("ids go up also when the wall clock is set back") {
    ManualEnv world;
    auto former = world.ids.next<PressId>();
    for (int i = 0; i < 1000; ++i) {
      if (i % 10 == 0) world.clock.step_wall(Milliseconds{i % 20 == 0 ? -3600'000 : 1});
      const auto id = world.ids.next<PressId>();
      REQUIRE(former < id);
      former = id;
    }
  }

  TEST_CASE("the same seed makes the same ids and another seed others") {
    ManualEnv one(7);
    ManualEnv same(7);
    ManualEnv other(8);

    const auto id = one.ids.next<PressId>();

    CHECK(id == same.ids.next<PressId>());
    CHECK(id != other.ids.next<PressId>());
  }

  TEST_CASE("a random source that gives only ones never makes the same id twice") {
    class Ones final : public Random {
     public:
      void fill(std::span<std::uint8_t> octets) override {
        for (auto& octet : octets) octet = 0xFF;
      }
    };
    ManualClock clock;
    Ones ones;
    IdSource ids(clock, ones);

    auto former = ids.next<PressId>();
    for (int i = 0; i < 100'000; ++i) {
      const auto id = ids.next<PressId>();
      REQUIRE(former < id);
      former = id;
    }
  }
}

}  // namespace
}  // namespace ecp
