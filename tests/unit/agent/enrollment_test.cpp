// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/agent/enrollment.hpp>
#include <ecp/agent/reasons.hpp>
#include <ecp/core/file.hpp>
#include <ecp/http/reasons.hpp>

#include <sys/stat.h>

#include "support/temporary_folder.hpp"
#include "unit/agent/plane_server.hpp"

using namespace ecp;
using ecp::testing::PlaneServer;
using ecp::testing::TemporaryFolder;
using ecp_test::failure;
using ecp_test::must;

namespace {

struct Gateway {
  TemporaryFolder folder;
  agent::AgentFiles files{folder / "data"};
  ManualEnv world;

  Result<link::LinkDocument> enroll(PlaneServer& plane, const Secret& token) {
    return agent::enroll({plane.url(), "press-7", files.folder}, token, *plane.client, world.env());
  }
  Result<link::LinkDocument> enroll(PlaneServer& plane) { return enroll(plane, plane.token()); }
};

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777 : 0;
}

bool exists(const std::string& path) { return mode_of(path) != 0; }

}  // namespace

TEST_SUITE("agent.Enrollment") {
  TEST_CASE("an enrolled folder holds identity, roots and link document, for its owner alone") {
    PlaneServer plane;
    Gateway gateway;

    const auto document = must(gateway.enroll(plane));

    CHECK(document.agent == plane.agent);
    CHECK(must(agent::load_link_document(gateway.files)).brokers.at(0).host == "first.example");
    CHECK(mode_of(gateway.files.folder) == 0700);
    for (const auto& path :
         {gateway.files.identity(), gateway.files.roots(), gateway.files.link()}) {
      CHECK(mode_of(path) == 0600);
    }
    CHECK_FALSE(exists(gateway.files.new_key()));
    const auto identity = must(read_file(gateway.files.identity(), 100'000));
    CHECK(must(pki::certificate_facts(identity)).common_name == plane.agent.to_string());
  }

  TEST_CASE("[R17] a lost answer costs nothing: the same key is used again") {
    PlaneServer plane;
    Gateway gateway;
    plane.answers_to_lose = 1;

    const auto lost = gateway.enroll(plane);
    const auto again = gateway.enroll(plane);

    CHECK(failure(lost) == "agent.bad_server_answer");
    CHECK(again.has_value());
    REQUIRE(plane.keys.size() == 1);
    CHECK(plane.keys.begin()->second == 2);
  }

  TEST_CASE("[R20] a server without the token's root gets nothing, the token least of all") {
    PlaneServer plane;
    PlaneServer other;
    Gateway gateway;

    const auto outcome = gateway.enroll(plane, other.token());

    CHECK(failure(outcome) == "http.untrusted_server");
    CHECK(outcome.error().describe().find("the token was not sent") != std::string::npos);
    CHECK(plane.running.handled == 0);
  }

  TEST_CASE("[R20] a token that trusts the system's roots does not reach a server of ours") {
    PlaneServer plane;
    Gateway gateway;

    const auto outcome = gateway.enroll(plane, Secret("ecpt_" + std::string(43, 'A') + ".system"));

    CHECK(failure(outcome) == "http.untrusted_server");
    CHECK(plane.running.handled == 0);
  }

  TEST_CASE("a refusal passes on the server's words and leaves no identity") {
    PlaneServer plane;
    Gateway gateway;
    plane.refuses = true;

    const auto outcome = gateway.enroll(plane);

    CHECK(failure(outcome) == "agent.server_refused");
    CHECK(outcome.error().message().find("these are the server's words") != std::string::npos);
    CHECK_FALSE(exists(gateway.files.identity()));
  }

  TEST_CASE("a refusal in very many words is cut between two characters") {
    PlaneServer plane;
    Gateway gateway;
    plane.refuses = true;
    plane.refusal = "a";
    for (int i = 0; i < 400; ++i) plane.refusal += "\u00fc";

    const auto message = gateway.enroll(plane).error().message();

    CHECK(is_clean_utf8(message));
    CHECK(message.find("a\u00fc\u00fc") != std::string::npos);
    CHECK(message.size() < 600);
  }

  TEST_CASE("an enrolled folder is not enrolled twice") {
    PlaneServer plane;
    Gateway gateway;
    must(gateway.enroll(plane));

    CHECK(failure(gateway.enroll(plane)) == "agent.already_enrolled");
    CHECK(plane.running.handled == 1);
  }

  TEST_CASE("what is no token, no HTTPS URL or no name is refused before anything is sent") {
    PlaneServer plane;
    Gateway gateway;
    const auto pin = std::string(64, '0');
    for (const auto& text :
         {std::string(), std::string("ecpt_short.system"), "ecpt_" + std::string(43, 'A'),
          "ecpt_" + std::string(43, 'A') + ".beef", "tok_" + std::string(43, 'A') + "." + pin}) {
      CHECK(failure(gateway.enroll(plane, Secret(text))) == "agent.bad_token");
    }
    const auto enroll = [&](const std::string& url, const std::string& name) {
      return failure(agent::enroll({url, name, gateway.files.folder}, plane.token(), *plane.client,
                                   gateway.world.env()));
    };
    CHECK(enroll("http://127.0.0.1:8443", "press-7") == "core.bad_field");
    CHECK(enroll("https://127.0.0.1:8443/api", "press-7") == "core.bad_field");
    CHECK(enroll("elsewhere", "press-7") == "http.bad_url");
    CHECK(enroll(plane.url(), "") == "core.bad_field");
    CHECK(enroll(plane.url(), "a\nb") == "core.bad_field");
    CHECK(plane.running.handled == 0);
  }

  TEST_CASE("a gateway whose clock shows 1970 enrolls and fetches all the same") {
    const ManualClock build(agent::trusted_time(Time{}, Time{}, Time{}));
    PlaneServer plane(build);
    Gateway gateway;
    const ManualClock stopped(from_ms(0));
    const auto env = plane.running.env();
    const Env early{stopped, env.random, env.ids, env.executor, env.workers, env.log, env.limits};
    const auto client = must(http::open_client(early));

    const auto document = agent::enroll({plane.url(), "press-7", gateway.files.folder},
                                        plane.token(), *client, gateway.world.env());

    REQUIRE(document.has_value());
    CHECK(agent::fetch_link_document(gateway.files, *document, *client).has_value());
  }

  TEST_CASE("certificates are never judged before the build, their own beginning or the server") {
    const auto build = agent::trusted_time(Time{}, Time{}, Time{});
    const auto later = build + std::chrono::hours(1);

    CHECK(build > from_ms(1'700'000'000'000));
    CHECK(agent::trusted_time(later, Time{}, Time{}) == later);
    CHECK(agent::trusted_time(Time{}, later, Time{}) == later);
    CHECK(agent::trusted_time(Time{}, Time{}, later) == later);
  }

  TEST_CASE("the server's time is kept for the next start, once an hour") {
    PlaneServer plane;
    Gateway gateway;
    must(gateway.enroll(plane));
    const auto told = plane.server_time + std::chrono::hours(1);
    const auto text = [&] { return read_file(gateway.files.server_time(), 100).value_or("none"); };

    REQUIRE(agent::note_server_time(gateway.files, told - Milliseconds(1)).has_value());
    CHECK(text() == "none");
    REQUIRE(agent::note_server_time(gateway.files, told).has_value());
    CHECK(text() == to_rfc3339(told) + "\n");
    REQUIRE(agent::note_server_time(gateway.files, told + std::chrono::minutes(59)).has_value());
    CHECK(text() == to_rfc3339(told) + "\n");
  }

  TEST_CASE("damaged files are told apart from a folder that was never enrolled") {
    PlaneServer plane;
    Gateway gateway;
    CHECK(failure(agent::load_link_document(gateway.files)) == "agent.not_enrolled");
    CHECK(failure(agent::needs_renewal(gateway.files, Time{})) == "agent.not_enrolled");
    must(gateway.enroll(plane));
    const auto identity = must(read_file(gateway.files.identity(), 100'000));
    const auto certificate = identity.substr(0, identity.find("-----BEGIN PRIVATE KEY-----"));
    const auto foreign = std::string(must(pki::make_p256_key()).view());

    for (const auto& text : {std::string(), certificate, "x" + foreign, certificate + foreign}) {
      CHECK(write_file_durably(gateway.files.identity(), text).has_value());
      CHECK(failure(agent::needs_renewal(gateway.files, Time{})) == "agent.bad_identity");
    }
    CHECK(write_file_durably(gateway.files.identity(), identity, 0644).has_value());
    CHECK(failure(agent::needs_renewal(gateway.files, Time{})) == "core.unsafe_file");
    CHECK(write_file_durably(gateway.files.link(), "{}").has_value());
    CHECK(failure(agent::load_link_document(gateway.files)) == "agent.bad_identity");
  }
}
