// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// An audit log in a file, with a sequencer, a key and a file of checkpoints.

#include <ecp/audit/audit_store.hpp>
#include <ecp/audit/sequencer.hpp>
#include <ecp/audit/verify.hpp>
#include <ecp/core/file.hpp>
#include <ecp/pki/signature.hpp>

#include "support/people.hpp"

namespace ecp_test {

class LogBook : public Town {
 public:
  LogBook()
      : key(must(ecp::pki::SigningKey::generate())),
        sequencer(*store, key, world.env(), options()) {}

  [[nodiscard]] ecp::audit::SequencerOptions options() const {
    ecp::audit::SequencerOptions chosen;
    chosen.checkpoint_path = folder.file("audit-checkpoints");
    return chosen;
  }
  /// Write some entries in two chains and seal them, in two rounds.
  void fill() {
    const auto first = all.organization("one");
    for (int i = 0; i < 4; ++i) all.project(first, "project " + std::to_string(i));
    (void)must(sequencer.run_once());
    for (int i = 4; i < 8; ++i) all.project(first, "project " + std::to_string(i));
    (void)must(sequencer.run_once());
  }
  [[nodiscard]] ecp::audit::VerifyReport verify(bool with_file = true) {
    ecp::audit::VerifyInputs inputs;
    inputs.public_keys.push_back(key.public_key());
    if (with_file) {
      auto lines = ecp::read_file(options().checkpoint_path, 1 << 20);
      if (lines) inputs.checkpoint_lines = *lines;
    }
    return must(ecp::audit::verify(*store, inputs));
  }
  /// Change the database as somebody with a shell would.
  void tamper(const std::string& statement) {
    REQUIRE(store->write([&](ecp::storage::Transaction& transaction) {
      return transaction.connection().execute(statement);
    }));
  }
  /// The one organization's.
  [[nodiscard]] ecp::access::OrganizationId chain_of_organization() {
    return must(all.organizations.list(all.system(), {})).items.at(0).id;
  }

  TemporaryFolder folder;  // Before the sequencer, which writes into it.
  ecp::pki::SigningKey key;
  ecp::audit::Sequencer sequencer;
};

}  // namespace ecp_test
