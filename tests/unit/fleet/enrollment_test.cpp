// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>

#include "fleet/enrollment_throttle.hpp"
#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

constexpr Milliseconds day{24LL * 3'600'000};

/// A machine: a key and its request.
struct Machine {
  Secret key = must(pki::make_p256_key());
  std::string csr = must(pki::make_csr(key, "admin"));  // The name is nothing that counts.
};

struct Office {
  World world;
  pki::Authority authority = must(pki::Authority::create("test", world.env()));
  EnrollmentTokenRegistry tokens{*world.store, std::string(64, 'a'), world.recorder, world.env()};
  Enrollment enrollment = make();

  Enrollment make() {
    EnrollmentOptions options;
    options.link = [] {
      link::LinkDocument document;
      document.brokers = {{"broker.example", 8883}};
      document.reconnect_cap = Milliseconds{0};
      return document;
    };
    return {{*world.store, authority, world.key, world.recorder}, std::move(options), world.env()};
  }
  std::string token(std::int64_t uses = 1, Milliseconds life = day) {
    return std::string(must(tokens.create(world.grant(), {"line 1", uses, life})).text.view());
  }
  Result<EnrollmentAnswer> enroll(const std::string& token, const Machine& machine,
                                  const std::string& name = "press") {
    return enrollment.enroll(token, machine.csr, name, {});
  }
  RenewalRequest renewal(const std::string& chain, const Machine& old_one, const Machine& next) {
    RenewalRequest request;
    request.certificate_pem = chain;
    request.csr_pem = next.csr;
    request.nonce = enrollment.nonce();
    request.signature = must(pki::sign_with_key(
        old_one.key, std::string(renewal_signature_context) + request.nonce + request.csr_pem));
    return request;
  }
};

/// DER of the first certificate of a PEM text.
Bytes der_of(const std::string& pem) {
  const auto begin = pem.find('\n') + 1;
  auto text = pem.substr(begin, pem.find("-----END") - begin);
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  return must(from_base64(text));
}

}  // namespace

TEST_SUITE("fleet.Enrollment") {
  TEST_CASE("agents of a small fleet reconnect within seconds, those of a larger one later") {
    Office office;
    const auto answer = must(office.enroll(office.token(), {}));
    CHECK(answer.link.reconnect_cap == Milliseconds{4'000});

    for (int i = 0; i < 1'000; ++i) office.world.add_node("press " + std::to_string(i));

    const auto later = must(office.enrollment.link_document(answer.agent));
    CHECK(later.reconnect_cap == Milliseconds{6'006});
  }

  TEST_CASE("[R17] a machine gets an id that the server chose and a certificate of that name") {
    Office office;
    const auto answer = must(office.enroll(office.token(), {}));
    const auto facts = must(pki::certificate_facts(answer.certificate_chain_pem));
    CHECK(facts.common_name == answer.agent.to_string());
    CHECK(answer.link.agent == answer.agent);
    CHECK(answer.link.server_time == office.world.now());
    CHECK(must(pki::count_certificates(answer.certificate_chain_pem)) == 2);
    CHECK(office.world.node(answer.agent).name == "press");
    const auto audited = office.world.audited();
    CHECK(audited.back() == "edge_node.enroll");
  }

  TEST_CASE(
      "the same token and key enroll twice as the same node, so a lost answer costs nothing") {
    Office office;
    const auto token = office.token();
    const Machine machine;
    const auto first = must(office.enroll(token, machine));
    const auto again = must(office.enroll(token, machine));
    CHECK(again.agent == first.agent);
    CHECK(must(pki::certificate_facts(again.certificate_chain_pem)).serial !=
          must(pki::certificate_facts(first.certificate_chain_pem)).serial);
    CHECK(must(office.world.plane->nodes.list(office.world.grant(), {}, {})).total == 1);
  }

  TEST_CASE("[R17] another key cannot use a single-use token, and the attempt is audited") {
    Office office;
    const auto token = office.token();
    must(office.enroll(token, {}));
    const auto second = office.enroll(token, {}, "thief");
    CHECK(failure(second) == "enrollment.token_used");
    CHECK(second.error().code() == ErrorCode::already_exists);
    CHECK(office.world.recorder.reused.size() == 1);
    CHECK(office.world.audited().back() == "edge_node.enroll:denied");
    CHECK(must(office.world.plane->nodes.list(office.world.grant(), {}, {})).total == 1);
  }

  TEST_CASE("a token for two machines takes two and no third") {
    Office office;
    const auto token = office.token(2);
    must(office.enroll(token, {}, "a"));
    must(office.enroll(token, {}, "b"));
    CHECK(failure(office.enroll(token, {}, "c")) == "enrollment.token_used");
  }

  TEST_CASE("[R17] a token that is unknown, too old or removed is refused alike") {
    Office office;
    const auto old_one = office.token(1, 60 * second);
    office.world.pass(60 * second);
    CHECK(failure(office.enroll(old_one, {})) == "enrollment.token_refused");
    const auto made = must(office.tokens.create(office.world.grant(), {"x", 1, day}));
    must(office.tokens.remove(office.world.grant(), made.token.id));
    CHECK(failure(office.enroll(std::string(made.text.view()), {})) == "enrollment.token_refused");
    for (const auto* text : {"", "ecpt_", "ecpt_AAAA.system", "x",
                             "ecpt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.system"}) {
      CHECK(failure(office.enroll(text, {})) == "enrollment.token_refused");
    }
  }

  TEST_CASE("[R17] an address that was refused too often waits for the next minute") {
    Office office;
    const auto good = office.token();
    access::Origin attacker;
    attacker.remote = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7};
    auto neighbour = attacker;
    neighbour.remote[15] = 8;
    access::Origin elsewhere;
    elsewhere.remote = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7};
    const auto tries = [&](const std::string& token, const access::Origin& origin) {
      return office.enrollment.enroll(token, Machine().csr, "press", origin);
    };
    for (int i = 0; i < 10; ++i) {
      CHECK(failure(tries("x", attacker)) == "enrollment.token_refused");
    }
    office.world.pass(20 * second);

    const auto blocked = tries(good, neighbour);  // Of the same network.
    CHECK(failure(blocked) == "enrollment.too_many_tries");
    CHECK(blocked.error().code() == ErrorCode::resource_exhausted);
    CHECK(blocked.error().params == Params{{"retry_after_s", "40"}});
    CHECK(failure(tries("x", elsewhere)) == "enrollment.token_refused");
    office.world.pass(40 * second);
    CHECK(tries(good, attacker).has_value());
  }

  TEST_CASE("[R17] addresses beyond those told apart wait together once too many were refused") {
    EnrollmentThrottle throttle;
    const Time now{};
    const auto origin_of = [](unsigned number) {
      access::Origin origin;
      origin.remote = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0};
      for (std::size_t at = 15; at > 12; --at, number >>= 8U) {
        origin.remote[at] = static_cast<std::uint8_t>(number & 0xffU);
      }
      return origin;
    };
    for (unsigned i = 0; i < 10'000; ++i) throttle.count(origin_of(i), now);
    for (unsigned i = 0; i < 10; ++i) {
      CHECK(throttle.admit(origin_of(20'000 + i), now));
      throttle.count(origin_of(20'000 + i), now);
    }

    CHECK(failure(throttle.admit(origin_of(30'000), now)) == "enrollment.too_many_tries");
    CHECK(throttle.admit(origin_of(1), now));  // Known, and refused but once.
    CHECK(throttle.admit(origin_of(30'000), now + 60 * second));
  }

  TEST_CASE("a flood of refused enrollments fills no more than its share of the audit log") {
    Office office;
    const auto refused = [&] {
      const auto names = office.world.audited();
      return std::count(names.begin(), names.end(), "edge_node.enroll:denied");
    };
    const Machine machine;
    for (unsigned i = 0; i < 70; ++i) {
      access::Origin origin;
      origin.remote = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 0};
      origin.remote[15] = static_cast<std::uint8_t>(i);
      (void)failure(office.enrollment.enroll("x", machine.csr, "press", origin));
    }
    CHECK(refused() == 60);
    must(office.enrollment.record_refusals());
    must(office.enrollment.record_refusals());
    CHECK(refused() == 61);
    const auto last = must(office.world.store->read([](storage::Transaction& transaction) {
                        return transaction.get<audit::AuditStore>().list({}, {1, 0});
                      })).items.at(0);
    CHECK(last.entry.details == audit::Details{{"more_refusals", "10"}});
    office.world.pass(60 * second);
    (void)failure(office.enroll("x", machine));
    CHECK(refused() == 62);
  }

  TEST_CASE("a taken name or a bad request uses up nothing") {
    Office office;
    office.world.add_node("press");
    const auto token = office.token();
    const Machine machine;
    CHECK(failure(office.enroll(token, machine)) == "core.name_taken");
    CHECK_FALSE(office.enrollment.enroll(token, "no request", "oven", {}));
    CHECK_FALSE(office.enrollment.enroll(token, machine.csr, "", {}));
    CHECK(office.enroll(token, machine, "oven"));
  }

  TEST_CASE("[R36] the token's text is nowhere in the database") {
    Office office;
    const auto text = office.token();
    const auto listed = must(office.tokens.list(office.world.grant(), {}));
    REQUIRE(listed.items.size() == 1);
    CHECK(text.find(listed.items[0].hash) == std::string::npos);
    CHECK(text.substr(0, 5) == "ecpt_");
    CHECK(text.size() == 5 + 43 + 1 + 64);
    CHECK(must(enrollment_token_hash(text)) == listed.items[0].hash);
  }

  TEST_CASE("a renewal needs the old key and gives a certificate for a new one") {
    Office office;
    const Machine machine;
    const auto answer = must(office.enroll(office.token(), machine));
    office.world.pass(60 * second);
    const Machine next;
    const auto renewed = must(
        office.enrollment.renew(office.renewal(answer.certificate_chain_pem, machine, next), {}));
    CHECK(renewed.agent == answer.agent);
    CHECK(must(pki::certificate_facts(renewed.certificate_chain_pem)).public_key ==
          must(pki::public_key_digest(next.key)));

    CHECK_FALSE(
        office.enrollment.renew(office.renewal(answer.certificate_chain_pem, next, next), {}));
    CHECK(failure(office.enrollment.renew(
              office.renewal(answer.certificate_chain_pem, machine, machine), {})) ==
          "enrollment.renewal_refused");
  }

  TEST_CASE("an overdue certificate is renewed for 180 days and no longer") {
    Office office;
    const Machine machine;
    const auto answer = must(office.enroll(office.token(), machine));
    office.world.env_.clock.advance(200 * day);
    const auto late =
        office.enrollment.renew(office.renewal(answer.certificate_chain_pem, machine, {}), {});
    CHECK(failure(late) == "success");
    office.world.env_.clock.advance(80 * day);
    CHECK(failure(office.enrollment.renew(office.renewal(answer.certificate_chain_pem, machine, {}),
                                          {})) == "enrollment.renewal_refused");
  }

  TEST_CASE("a nonce is ours, whole and fresh, or it is refused") {
    Office office;
    const Machine machine;
    const auto answer = must(office.enroll(office.token(), machine));
    auto request = office.renewal(answer.certificate_chain_pem, machine, {});
    auto forged = request;
    forged.nonce[5] = forged.nonce[5] == 'A' ? 'B' : 'A';
    CHECK(failure(office.enrollment.renew(forged, {})) == "enrollment.renewal_refused");
    office.world.pass(301 * second);
    CHECK(failure(office.enrollment.renew(request, {})) == "enrollment.renewal_refused");
  }

  TEST_CASE("[R15] a revoked node gets no renewal, no link document and no door") {
    Office office;
    const Machine machine;
    const auto answer = must(office.enroll(office.token(), machine));
    const auto der = der_of(answer.certificate_chain_pem);
    CHECK(must(office.enrollment.authenticate(der)) == answer.agent);
    CHECK(office.enrollment.link_document(answer.agent));
    must(office.world.plane->nodes.revoke(office.world.grant(), answer.agent));
    CHECK(failure(office.enrollment.authenticate(der)) == "enrollment.agent_refused");
    CHECK(failure(office.enrollment.link_document(answer.agent)) == "enrollment.agent_refused");
    CHECK(failure(office.enrollment.renew(office.renewal(answer.certificate_chain_pem, machine, {}),
                                          {})) == "enrollment.agent_refused");
    CHECK(office.world.audited().back() == "edge_node.renew_certificate:denied");
  }

  TEST_CASE("an old certificate is good until the new one is first used") {
    Office office;
    const Machine machine;
    const auto answer = must(office.enroll(office.token(), machine));
    office.world.pass(60 * second);
    const auto renewed = must(
        office.enrollment.renew(office.renewal(answer.certificate_chain_pem, machine, {}), {}));
    const auto old_der = der_of(answer.certificate_chain_pem);
    CHECK(office.enrollment.authenticate(old_der));
    CHECK(office.enrollment.authenticate(der_of(renewed.certificate_chain_pem)));
    CHECK(failure(office.enrollment.authenticate(old_der)) == "enrollment.agent_refused");
  }
}
