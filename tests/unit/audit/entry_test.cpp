// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/entry.hpp>

#include <ecp/core/file.hpp>

#include "support/results.hpp"

using ecp::audit::Checkpoint;
using ecp::audit::Entry;

namespace {

Entry sample() {
  Entry entry;
  entry.id = ecp::audit::EntryId::parse("aud_00000000000000000000000001").value();
  entry.scope.organization =
      ecp::access::OrganizationId::parse("org_00000000000000000000000002").value();
  entry.at = ecp::from_ms(1'700'000'000'000);
  entry.principal_kind = "user";
  entry.principal = "user_00000000000000000000000003";
  entry.source = "session";
  entry.request = "0000000000000007";
  entry.remote = "127.0.0.1";
  entry.operation = "project.create";
  entry.subject_kind = "project";
  entry.subject_id = "prj_00000000000000000000000004";
  entry.subject_name = "Hall \"7\"";
  entry.details = {{"b", "1"}, {"a", "2"}};
  return entry;
}

}  // namespace

TEST_SUITE("audit.Entry") {
  TEST_CASE("the octets that are hashed are those of the format's document") {
    const auto golden = ecp_test::must(ecp::read_file(ECP_GOLDEN_FOLDER "/entry_1.json", 4096));

    CHECK(ecp::audit::canonical_octets(sample()) + "\n" == golden);
  }

  TEST_CASE("details keep their order") {
    const auto details = sample().details;
    const auto json = ecp::audit::details_to_json(details);

    CHECK(ecp::audit::details_from_json(json).value() == details);
    CHECK(ecp::audit::details_from_json("[1]").error().code() == ecp::ErrorCode::data_loss);
  }

  TEST_CASE("a checkpoint reads back from its line") {
    Checkpoint checkpoint;
    checkpoint.chain = sample().scope.organization;
    checkpoint.head = {12, ecp::audit::hash_of(sample())};
    checkpoint.at = ecp::from_ms(5);
    checkpoint.previous = "cHJldmlvdXM=";
    checkpoint.key_id = "0123456789abcdef";
    checkpoint.signature = "c2lnbmF0dXJl";

    const auto read = ecp::audit::checkpoint_from_line(ecp::audit::to_line(checkpoint));

    REQUIRE(read);
    CHECK(read->chain == checkpoint.chain);
    CHECK(read->head.sequence == 12);
    CHECK(read->head.hash == checkpoint.head.hash);
    CHECK(ecp::audit::signed_octets(*read) == ecp::audit::signed_octets(checkpoint));
    CHECK(read->signature == checkpoint.signature);
  }

  TEST_CASE("the place of an entry is part of its chain hash") {
    const auto hash = ecp::audit::hash_of(sample());

    CHECK(ecp::audit::chain_hash_of({}, 1, hash) != ecp::audit::chain_hash_of({}, 2, hash));
    CHECK(ecp::audit::chain_hash_of({}, 1, hash) != ecp::audit::chain_hash_of(hash, 1, hash));
  }
}
