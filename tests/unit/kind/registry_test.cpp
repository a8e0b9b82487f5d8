// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/kind/reasons.hpp>
#include <ecp/kind/registry.hpp>

namespace kind = ecp::kind;

TEST_SUITE("kind.KindRegistry") {
  TEST_CASE("the pair pipeline and builtin is there from the start") {
    kind::KindRegistry kinds;
    kind::RuntimeRegistry runtimes;

    kind::add_builtin(kinds, runtimes);

    CHECK(kind::check_service(kinds, runtimes, "pipeline", "builtin", R"({"drivers":[]})"));
  }

  TEST_CASE("an unknown name, a pair that does not fit and a bad configuration are told apart") {
    kind::KindRegistry kinds;
    kind::RuntimeRegistry runtimes;
    kind::add_builtin(kinds, runtimes);
    runtimes.add("acme.vm");

    const auto no_kind = kind::check_service(kinds, runtimes, "acme.x", "builtin", "{}");
    const auto no_runtime = kind::check_service(kinds, runtimes, "pipeline", "process", "{}");
    const auto no_pair = kind::check_service(kinds, runtimes, "pipeline", "acme.vm", "{}");
    const auto bad = kind::check_service(kinds, runtimes, "pipeline", "builtin", "{}");

    CHECK(no_kind.error().is(kind::reasons::unknown_kind));
    CHECK(no_runtime.error().is(kind::reasons::unknown_runtime));
    CHECK(no_pair.error().is(kind::reasons::bad_pair));
    CHECK(bad.error().code() == ecp::ErrorCode::invalid_argument);
  }

  TEST_CASE("an OEM adds a kind with its own check") {
    kind::KindRegistry kinds;
    kind::RuntimeRegistry runtimes;
    kind::add_builtin(kinds, runtimes);
    kinds.add({"acme.gateway", {"builtin"}, [](std::string_view) { return ecp::Result<void>(); }});

    CHECK(kind::check_service(kinds, runtimes, "acme.gateway", "builtin", "anything"));
    CHECK(kinds.names().size() == 2);
  }
}
