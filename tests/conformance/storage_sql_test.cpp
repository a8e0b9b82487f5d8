// SPDX-License-Identifier: Apache-2.0
// What one SQL text may rely on, on every database.
#include <limits>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/storage/reasons.hpp>

#include "support/backends.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using storage::Store;
using storage::sql::Blob;
using storage::sql::Null;

/// A fresh store with the probe's tables, or null where the backend is not there.
template <class Backend>
struct Probe {
  ManualEnv world;
  std::unique_ptr<Store> store =
      Backend::is_available() ? must(Backend::open(probe_modules, world.env())) : nullptr;

  template <class Unit>
  auto write(Unit unit) {
    return store->write(std::move(unit));
  }
};

TEST_SUITE("conformance.sql") {
  TEST_CASE_TEMPLATE("Parameters are bound by number, not by first appearance", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    must(probe.write([](Transaction& t) -> Result<void> {
      auto put = t.connection().run("INSERT INTO probe (number, name) VALUES ($2, $1)", "a", 7);
      if (!put) return put.error();
      auto row = t.connection().bound(
          "SELECT number, name FROM probe WHERE number = $2 AND name = $1 AND number = $2", "a", 7);
      if (!row) return row.error();
      REQUIRE(must((*row)->step()));
      CHECK((*row)->integer(0) == 7);
      CHECK((*row)->text(1) == "a");
      CHECK_FALSE(must((*row)->step()));
      CHECK_FALSE(must((*row)->step()));
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("NULL goes in, is found and comes out", Backend, ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    must(probe.write([](Transaction& t) -> Result<void> {
      const std::optional<std::int64_t> none;
      for (const auto& number : {none, std::optional<std::int64_t>(3), none}) {
        const std::string name = "n" + std::to_string(number.value_or(0));
        auto put = t.connection().run(
            "INSERT INTO probe (name, number, octets) VALUES ($1, CAST($2 AS BIGINT), $3)"
            " ON CONFLICT DO NOTHING",
            name, number, Null{});
        if (!put) return put.error();
        // The same text, now with NULL and now with a value.
        auto row = t.connection().bound(
            "SELECT number, octets FROM probe"
            " WHERE (CAST($1 AS BIGINT) IS NULL AND number IS NULL) OR number = $1",
            number);
        if (!row) return row.error();
        REQUIRE(must((*row)->step()));
        CHECK((*row)->is_null(0) == !number.has_value());
        CHECK((*row)->integer(0) == number.value_or(0));
        CHECK((*row)->is_null(1));
      }
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("Numbers keep all 64 bits and reals every digit", Backend, ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    using Limits64 = std::numeric_limits<std::int64_t>;
    for (const std::int64_t number : {Limits64::min(), std::int64_t{-1}, Limits64::max()}) {
      for (const double real : {0.1, -1.7976931348623157e308, 5e-324, 1.0 / 3.0}) {
        must(probe.write([=](Transaction& t) -> Result<void> {
          auto gone = t.connection().run("DELETE FROM probe");
          if (!gone) return gone.error();
          auto put = t.connection().run(
              "INSERT INTO probe (name, number, real) VALUES ('x', $1, $2)", number, real);
          if (!put) return put.error();
          auto row =
              t.connection().bound("SELECT number, real FROM probe WHERE number = $1", number);
          if (!row) return row.error();
          REQUIRE(must((*row)->step()));
          CHECK((*row)->integer(0) == number);
          CHECK((*row)->real(1) == real);
          return {};
        }));
      }
    }
  }

  TEST_CASE_TEMPLATE("Octets of any value and length are kept, none is not NULL", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    std::string all;
    for (int octet = 0; octet < 256; ++octet) all.push_back(static_cast<char>(octet));
    for (const auto& octets : {std::string(), std::string(1, '\0'), all}) {
      must(probe.write([&](Transaction& t) -> Result<void> {
        auto gone = t.connection().run("DELETE FROM probe");
        if (!gone) return gone.error();
        auto put =
            t.connection().run("INSERT INTO probe (name, octets) VALUES ('x', $1)", Blob{octets});
        if (!put) return put.error();
        auto row = t.connection().bound("SELECT octets FROM probe WHERE octets = $1", Blob{octets});
        if (!row) return row.error();
        REQUIRE(must((*row)->step()));
        CHECK_FALSE((*row)->is_null(0));
        CHECK((*row)->blob(0) == octets);
        return {};
      }));
    }
  }

  TEST_CASE_TEMPLATE("Text is kept as it is, empty included; one with a NUL is refused", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    for (const std::string text : {"", "M\xC3\xBCller \xE2\x82\xAC 'x' \\ \n $1 ?"}) {
      must(probe.write([&](Transaction& t) -> Result<void> {
        auto put = t.connection().run("INSERT INTO probe (name) VALUES ($1)", text);
        if (!put) return put.error();
        auto row = t.connection().bound("SELECT name FROM probe WHERE name = $1", text);
        if (!row) return row.error();
        REQUIRE(must((*row)->step()));
        CHECK((*row)->text(0) == text);
        return {};
      }));
    }
    const auto refused = probe.write([](Transaction& t) -> Result<void> {
      auto put =
          t.connection().run("INSERT INTO probe (name) VALUES ($1)", std::string_view("a\0b", 3));
      CHECK(failure(put) == "storage.bad_text");
      return {};
    });
    CHECK(failure(refused) == "storage.bad_text");
    CHECK(count(*probe.store) == 2);
  }

  TEST_CASE_TEMPLATE("Booleans are numbers compared to one", Backend, ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    must(probe.write([](Transaction& t) -> Result<void> {
      for (const bool flag : {true, false}) {
        auto put = t.connection().run("INSERT INTO probe (name, flag) VALUES ($1, $2)",
                                      flag ? "on" : "off", flag);
        if (!put) return put.error();
      }
      CHECK(must(ask(t, "SELECT COUNT(*) FROM probe WHERE flag = 1")) == 1);
      CHECK(must(ask(t, "SELECT number IS NULL FROM probe WHERE flag = 1")) == 1);
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("Names sort by their octets and LIKE minds the case", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    must(probe.write([](Transaction& t) -> Result<void> {
      for (const char* name : {"b", "a", "B", "_", "\xC3\xA4", "ab"}) {
        auto put = t.connection().run("INSERT INTO probe (name) VALUES ($1)", name);
        if (!put) return put.error();
      }
      auto row = t.connection().bound("SELECT name FROM probe ORDER BY name");
      if (!row) return row.error();
      std::string order;
      while (must((*row)->step())) order += std::string((*row)->text(0)) + " ";
      CHECK(order == "B _ a ab b \xC3\xA4 ");
      CHECK(must(ask(t, "SELECT COUNT(*) FROM probe WHERE name LIKE 'a%' ESCAPE '!'")) == 2);
      CHECK(must(ask(t, "SELECT COUNT(*) FROM probe WHERE name LIKE 'A%' ESCAPE '!'")) == 0);
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("ON CONFLICT DO NOTHING tells by its row count who was first", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    must(probe.write([](Transaction& t) -> Result<void> {
      const auto insert = [&] {
        return must(
            t.connection().run("INSERT INTO probe (name) VALUES ('x') ON CONFLICT DO NOTHING"));
      };
      CHECK(insert() == 1);
      CHECK(insert() == 0);
      CHECK(must(t.connection().run("UPDATE probe SET number = 1 WHERE name = 'x'")) == 1);
      CHECK(must(t.connection().run("UPDATE probe SET number = 1 WHERE name = 'y'")) == 0);
      CHECK(must(t.connection().run("SELECT name FROM probe")) == 0);
      CHECK(must(t.connection().run("DELETE FROM probe")) == 1);
      return {};
    }));
  }

  TEST_CASE_TEMPLATE("A violated constraint undoes its unit, even when the unit hides it", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    const auto wrong = {"INSERT INTO probe (name) VALUES ('x')",
                        "INSERT INTO probe (name, flag) VALUES ('y', NULL)",
                        "INSERT INTO probe_part (owner) VALUES ('nobody')"};
    must(probe.write([](Transaction& t) { return put(t, "x", 1); }));
    for (const char* text : wrong) {
      const auto outcome = probe.write([&](Transaction& t) -> Result<void> {
        must(put(t, "z", 1));
        CHECK(failure(t.connection().run(text)) == "storage.constraint");
        CHECK(failure(ask(t, "SELECT 1")) == "storage.constraint");
        return {};
      });
      CHECK(failure(outcome) == "storage.constraint");
      CHECK(outcome.error().code() == ErrorCode::already_exists);
    }
    CHECK(count(*probe.store) == 1);
  }

  TEST_CASE_TEMPLATE("Wrong SQL is an internal error, also two statements in one", Backend,
                     ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    for (const char* text : {"SELEC 1", "SELECT 1; SELECT 2", "SELECT name FROM nowhere",
                             "SELECT \"text\" FROM probe"}) {
      const auto outcome =
          probe.store->read([&](Transaction& t) -> Result<std::int64_t> { return ask(t, text); });
      CHECK(failure(outcome) == "storage.bad_statement");
    }
    CHECK(count(*probe.store) == 0);
  }

  TEST_CASE_TEMPLATE("Two statements can be stepped side by side", Backend, ECP_TEST_BACKENDS) {
    Probe<Backend> probe;
    if (!probe.store) return;
    must(probe.write([](Transaction& t) -> Result<void> {
      for (int number = 0; number < 5; ++number) {
        must(put(t, "n" + std::to_string(number), number));
      }
      auto* outer = must(t.connection().bound("SELECT number FROM probe ORDER BY number"));
      std::int64_t sum = 0;
      while (must(outer->step())) {
        auto* inner = must(
            t.connection().bound("SELECT number FROM probe WHERE number <= $1", outer->integer(0)));
        while (must(inner->step())) sum += inner->integer(0);
        must(t.connection().run("UPDATE probe SET flag = 1 WHERE number = $1", outer->integer(0)));
      }
      CHECK(sum == 0 + 1 + 3 + 6 + 10);
      return {};
    }));
  }
}

}  // namespace
}  // namespace ecp_test
