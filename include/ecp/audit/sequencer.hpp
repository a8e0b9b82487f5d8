// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Chains committed audit entries and signs the heads.

#include <atomic>
#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/pki/signature.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::audit {

struct SequencerOptions {
  /// File beside the database that gets each checkpoint as a line; "" for none.
  std::string checkpoint_path;
  std::string holder = "ecpd";   ///< Name of this replica, for the lease.
  Milliseconds interval{1'000};  ///< Between two looks.
  Milliseconds lease{10'000};
  std::int64_t batch = 1'000;  ///< Entries between two checkpoints at most.
};

/// Gives each committed entry its place, one replica at a time, and signs where the chains end.
///
/// Ownership: store, key and the env's parts outlive it.
/// Thread safety: any thread. After `stop` no unit of work of it begins.
class ECP_EXPORT Sequencer {
 public:
  Sequencer(storage::Store& store, const pki::SigningKey& key, const Env& env,
            SequencerOptions options = {});
  ~Sequencer();
  Sequencer(const Sequencer&) = delete;
  Sequencer& operator=(const Sequencer&) = delete;

  /// Look every interval, on the env's workers.
  void start();
  void stop() noexcept;
  /// Seal what waits, at most a batch, and return how many entries that were; 0 also while another
  /// replica holds the lease. Blocks.
  Result<std::int64_t> run_once();

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: this object and its timer's task.
};

}  // namespace ecp::inline v0::audit
