// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/sequencer.hpp>

#include <sys/stat.h>

#include <ecp/storage/lease.hpp>

#include "support/faulty_store.hpp"
#include "unit/audit/log_book.hpp"

using ecp_test::LogBook;
using ecp_test::must;

TEST_SUITE("audit.Sequencer") {
  TEST_CASE("it seals what waits once a second and stops when told") {
    LogBook book;
    book.all.organization("one");
    book.sequencer.start();

    book.world.executor.advance(std::chrono::milliseconds(1'100));
    CHECK(book.verify().summary() == "audit verified: 1 entries in 1 chains, 0 unsealed");

    book.sequencer.stop();
    book.all.organization("two");
    book.world.executor.advance(std::chrono::seconds(5));
    CHECK(book.verify().chains.at(0).unsealed == 1);
  }

  TEST_CASE("a round seals at most a batch, and the rounds follow each other at once") {
    LogBook book;
    auto options = book.options();
    options.batch = 3;
    ecp::audit::Sequencer sequencer(*book.store, book.key, book.world.env(), options);
    for (int i = 0; i < 7; ++i) book.all.organization("organization " + std::to_string(i));

    CHECK(must(sequencer.run_once()) == 3);
    sequencer.start();
    book.world.executor.advance(std::chrono::milliseconds(1'100));

    const auto report = book.verify();
    CHECK(report.chains.at(0).entries == 7);
    CHECK(report.is_whole());
  }

  TEST_CASE("while another replica holds the lease nothing is sealed here") {
    LogBook book;
    book.all.organization("one");
    REQUIRE(book.store->write([&](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::storage::LeaseStore>().acquire("audit.sequencer", "other",
                                                                 std::chrono::seconds(10));
    }));

    CHECK(must(book.sequencer.run_once()) == 0);
    book.world.clock.advance(std::chrono::seconds(11));
    CHECK(must(book.sequencer.run_once()) == 1);
  }

  TEST_CASE("a round that could not commit leaves nothing behind and is made again") {
    LogBook book;
    ecp_test::FaultyStore faulty(*book.store);
    ecp::audit::Sequencer sequencer(faulty, book.key, book.world.env(), book.options());
    book.all.organization("one");

    faulty.fail_next_commit();
    CHECK_FALSE(sequencer.run_once());
    CHECK(book.verify().chains.at(0).unsealed == 1);
    CHECK(must(sequencer.run_once()) == 1);
    CHECK(book.verify().is_whole());
  }

  TEST_CASE("heads missing from the file are written again at the next start") {
    LogBook book;
    book.fill();
    REQUIRE(ecp::write_file_durably(book.options().checkpoint_path, ""));

    ecp::audit::Sequencer next(*book.store, book.key, book.world.env(), book.options());
    CHECK(must(next.run_once()) == 0);

    const auto lines = must(ecp::read_file(book.options().checkpoint_path, 1 << 20));
    CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
    struct stat facts {};
    REQUIRE(::stat(book.options().checkpoint_path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
  }
}
