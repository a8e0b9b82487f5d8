// SPDX-License-Identifier: Apache-2.0
// The audit log on every database: records, chains and proof.
#include <atomic>
#include <thread>

#include <ecp/audit/audit_store.hpp>
#include <ecp/audit/sequencer.hpp>
#include <ecp/audit/verify.hpp>
#include <ecp/pki/signature.hpp>

#include "support/people.hpp"

using ecp::access::Scope;
using ecp::storage::Transaction;
using ecp_test::must;

namespace {

template <class Backend>
struct Opened {
  ecp::ManualEnv world;
  std::unique_ptr<ecp::storage::Store> store =
      Backend::is_available() ? must(Backend::open(ecp_test::people_modules(), world.env()))
                              : nullptr;
  explicit operator bool() const noexcept { return store != nullptr; }
};

std::string verified(ecp::storage::Store& store, const ecp::pki::SigningKey& key) {
  ecp::audit::VerifyInputs inputs;
  inputs.public_keys.push_back(key.public_key());
  return must(ecp::audit::verify(store, inputs)).summary();
}

}  // namespace

TEST_SUITE("conformance.audit") {
  TEST_CASE_TEMPLATE("AuditStore: an entry is read back as it was written", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    ecp_test::People people(*opened.store, opened.world.env());
    const auto scope = people.organization("One \xe2\x9c\x93");
    const auto project = people.project(scope, "p");

    const auto entries = people.entries();

    REQUIRE(entries.size() == 2);
    CHECK(entries[0].entry.operation == "project.create");
    CHECK(entries[0].entry.scope == scope);
    CHECK(entries[0].hash == ecp::audit::hash_of(entries[0].entry));
    CHECK(entries[1].entry.subject_name == "One \xe2\x9c\x93");
    CHECK_FALSE(entries[0].seal);
    CHECK(entries[0].entry.subject_id == project.project.to_string());
  }

  TEST_CASE_TEMPLATE("AuditStore: the heads are those of all chains that have one", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    ecp_test::People people(*opened.store, opened.world.env());
    const auto one = people.organization("One");
    people.organization("Two");  // Has entries, but no head yet.
    const ecp::audit::ChainHead head{7, ecp::sha256("seven")};

    const auto heads = must(opened.store->write(
        [&](Transaction& transaction)
            -> ecp::Result<
                std::vector<std::pair<ecp::access::OrganizationId, ecp::audit::ChainHead>>> {
          auto& audit = transaction.get<ecp::audit::AuditStore>();
          ECP_TRY_VOID(audit.set_head(one.organization, head));
          ECP_TRY_VOID(audit.set_head({}, {3, {}}));
          return audit.heads();
        }));

    REQUIRE(heads.size() == 2);
    const auto& of_one = heads[0].first.is_nil() ? heads[1] : heads[0];
    CHECK(of_one.first == one.organization);
    CHECK(of_one.second.sequence == 7);
    CHECK(of_one.second.hash == head.hash);
  }

  TEST_CASE_TEMPLATE("AuditStore: a query finds what matches in its scope and nothing else",
                     Backend, ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    ecp_test::People people(*opened.store, opened.world.env());
    const auto one = people.organization("one");
    const auto two = people.organization("two");
    people.project(one, "p");
    opened.world.clock.advance(std::chrono::seconds(1));
    const auto project = people.project(two, "q");
    const auto count = [&](const ecp::audit::EntryQuery& query) {
      return must(people.audit.list(people.system(), query, {1, 0})).total;
    };

    CHECK(count({}) == 4);
    CHECK(count({one, {}, {}, {}, {}, {}}) == 1);
    CHECK(count({{}, "organization.create", {}, {}, {}, {}}) == 2);
    CHECK(count({{}, {}, {}, project.project.to_string(), {}, {}}) == 1);
    CHECK(count({{}, {}, {}, {}, opened.world.clock.now(), {}}) == 1);
    CHECK(count({{}, {}, {}, {}, {}, opened.world.clock.now()}) == 3);
    CHECK(count({project, {}, {}, {}, {}, {}}) == 0);
  }

  TEST_CASE_TEMPLATE("Sequencer: chains of several organizations verify", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    ecp_test::People people(*opened.store, opened.world.env());
    const auto key = must(ecp::pki::SigningKey::generate());
    ecp::audit::SequencerOptions options;
    options.batch = 4;
    ecp::audit::Sequencer sequencer(*opened.store, key, opened.world.env(), options);
    for (const char* const name : {"a", "b", "c"}) {
      const auto scope = people.organization(name);
      for (int i = 0; i < 3; ++i) people.project(scope, std::to_string(i));
    }

    while (must(sequencer.run_once()) > 0) {
    }

    CHECK(verified(*opened.store, key) == "audit verified: 12 entries in 4 chains, 0 unsealed");
  }

  TEST_CASE_TEMPLATE("Sequencer: entries that commit while it runs are sealed without a hole",
                     Backend, ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened || !Backend::keeps_content) return;
    ecp_test::People people(*opened.store, opened.world.env());
    const auto key = must(ecp::pki::SigningKey::generate());
    ecp::audit::Sequencer sequencer(*opened.store, key, opened.world.env());
    std::atomic<int> made = 0;
    std::vector<std::thread> writers;
    for (int writer = 0; writer < 3; ++writer) {
      writers.emplace_back([&, writer] {
        for (int i = 0; i < 15; ++i) {
          const auto name = std::to_string(writer) + "-" + std::to_string(i);
          if (people.organizations.create(people.system(), {name, ""})) ++made;
        }
      });
    }
    std::thread sealer([&] {
      for (int i = 0; i < 20; ++i) (void)sequencer.run_once();  // A lost race is made up for below.
    });
    for (auto& writer : writers) writer.join();
    sealer.join();
    while (must(sequencer.run_once()) > 0) {
    }

    CHECK(verified(*opened.store, key) ==
          "audit verified: " + std::to_string(made.load()) + " entries in 1 chains, 0 unsealed");
  }
}
