// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/verify.hpp>

#include <ecp/audit/reasons.hpp>

#include "unit/audit/log_book.hpp"

using ecp::audit::VerifyReport;
using ecp_test::LogBook;

namespace {

/// The first fault must name this entry of the organization's chain.
void check_first_bad(const VerifyReport& report, std::int64_t sequence) {
  REQUIRE_FALSE(report.is_whole());
  CHECK(report.faults.front().sequence == sequence);
  CHECK_FALSE(report.faults.front().chain.is_nil());
}

}  // namespace

TEST_SUITE("audit.verify") {
  TEST_CASE("an untouched log verifies, and says how much is not sealed yet") {
    LogBook book;
    book.fill();
    book.all.organization("two");

    const auto report = book.verify();

    CHECK(report.is_whole());
    CHECK(report.summary() == "audit verified: 9 entries in 2 chains, 1 unsealed");
  }

  TEST_CASE("each edited field of a sealed entry is found and the entry named [R35]") {
    for (const char* const change :
         {"operation = 'x'", "subject_name = 'x'", "subject_id = 'x'", "subject_kind = 'x'",
          "principal = 'x'", "principal_kind = 'agent'", "source = 'x'", "request = 'x'",
          "remote = 'x'", "outcome = 'denied'", "details = '[[\"a\",\"b\"]]'", "at = at + 1",
          "project = 'prj_00000000000000000000000001'"}) {
      LogBook book;
      book.fill();
      CAPTURE(change);

      book.tamper(std::string("UPDATE audit_entries SET ") + change +
                  " WHERE sequence = 3 AND chain <> 'platform'");

      check_first_bad(book.verify(), 3);
    }
  }

  TEST_CASE("an edited entry whose own hash was made to fit is found by the chain [R35]") {
    LogBook book;
    book.fill();
    const auto chain = book.chain_of_organization();
    auto entry = ecp_test::must(book.store->read([&](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::audit::AuditStore>().sealed(chain, 4, 1);
    }));
    auto forged = entry.at(0).entry;
    forged.subject_name = "forged";
    const auto hash = ecp::to_hex(ecp::audit::hash_of(forged));

    book.tamper("UPDATE audit_entries SET subject_name = 'forged', hash = x'" + hash +
                "' WHERE sequence = 5 AND chain <> 'platform'");

    check_first_bad(book.verify(), 5);
  }

  TEST_CASE("a removed entry is found [R35]") {
    LogBook book;
    book.fill();

    book.tamper("DELETE FROM audit_entries WHERE sequence = 4 AND chain <> 'platform'");

    check_first_bad(book.verify(), 4);
    CHECK(book.verify().faults.front().problem == "is missing");
  }

  TEST_CASE("two entries that changed places are found [R35]") {
    LogBook book;
    book.fill();

    book.tamper(
        "UPDATE audit_entries SET sequence = -1 WHERE sequence = 2 AND chain <> 'platform';"
        "UPDATE audit_entries SET sequence = 2 WHERE sequence = 3 AND chain <> 'platform';"
        "UPDATE audit_entries SET sequence = 3 WHERE sequence = -1 AND chain <> 'platform'");

    check_first_bad(book.verify(), 2);
  }

  TEST_CASE("an entry put in between is found [R35]") {
    LogBook book;
    book.fill();

    book.tamper(
        "UPDATE audit_entries SET sequence = sequence + 100 WHERE sequence >= 3 AND chain <> "
        "'platform';"
        "INSERT INTO audit_entries SELECT 'aud_00000000000000000000000001', chain, project, at,"
        " principal_kind, principal, source, request, remote, operation, outcome, subject_kind,"
        " subject_id, subject_name, details, hash, 3, chain_hash FROM audit_entries WHERE sequence"
        " = 2 AND chain <> 'platform';"
        "UPDATE audit_entries SET sequence = sequence - 99 WHERE sequence > 100");

    check_first_bad(book.verify(), 3);
  }

  TEST_CASE("a tail cut together with its checkpoints is found by the file beside it [R35]") {
    LogBook book;
    book.fill();
    const auto chain = book.chain_of_organization();
    auto head = ecp_test::must(book.store->read([&](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::audit::AuditStore>().sealed(chain, 3, 1);
    }));
    const auto hash = ecp::to_hex(head.at(0).seal->chain_hash);

    book.tamper(
        "DELETE FROM audit_entries WHERE sequence > 4 AND chain <> 'platform';"
        "DELETE FROM audit_checkpoints WHERE sequence > 4 AND chain <> 'platform';"
        "UPDATE audit_heads SET sequence = 4, hash = x'" +
        hash + "' WHERE chain <> 'platform'");

    CHECK(book.verify(false).is_whole());  // What the database alone can tell.
    check_first_bad(book.verify(true), 5);
  }

  TEST_CASE("a whole chain that was removed is found by the file beside it [R35]") {
    LogBook book;
    book.fill();

    book.tamper(
        "DELETE FROM audit_entries WHERE chain <> 'platform';"
        "DELETE FROM audit_checkpoints WHERE chain <> 'platform';"
        "DELETE FROM audit_heads WHERE chain <> 'platform'");

    check_first_bad(book.verify(true), 1);
  }

  TEST_CASE("checkpoints signed by another key prove nothing [R35]") {
    LogBook book;
    book.fill();
    const auto stranger = ecp_test::must(ecp::pki::SigningKey::generate());
    ecp::audit::VerifyInputs inputs;
    inputs.public_keys.push_back(stranger.public_key());

    const auto report = ecp_test::must(ecp::audit::verify(*book.store, inputs));

    CHECK_FALSE(report.is_whole());
  }

  TEST_CASE("removed checkpoints leave entries that no signature covers [R35]") {
    LogBook book;
    book.fill();

    book.tamper("DELETE FROM audit_checkpoints WHERE chain <> 'platform' AND sequence > 4");

    CHECK(book.verify(false).faults.at(0).sequence == 5);
  }

  TEST_CASE("an edited entry that waits to be sealed is found [R35]") {
    LogBook book;
    book.fill();
    book.all.organization("two");

    book.tamper("UPDATE audit_entries SET subject_name = 'x' WHERE sequence IS NULL");

    const auto report = book.verify();
    REQUIRE_FALSE(report.is_whole());
    CHECK(report.faults.front().sequence == 0);
  }

  TEST_CASE("a checkpoint file that holds something else is refused, a torn last line is not") {
    LogBook book;
    book.fill();
    ecp::audit::VerifyInputs inputs;
    inputs.public_keys.push_back(book.key.public_key());

    inputs.checkpoint_lines = "{\"checkpoint\":";
    CHECK(ecp::audit::verify(*book.store, inputs).value().is_whole());
    inputs.checkpoint_lines += "\n";
    CHECK(ecp::audit::verify(*book.store, inputs)
              .error()
              .is(ecp::audit::reasons::bad_checkpoint_file));
  }
}
