// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/sequencer.hpp>

#include <map>
#include <mutex>
#include <vector>

#include <ecp/audit/audit_store.hpp>
#include <ecp/core/file.hpp>
#include <ecp/storage/lease.hpp>

#include "core/crash_point.hpp"
#include "core/guarded_task.hpp"

namespace ecp::inline v0::audit {
namespace {

constexpr std::string_view lease_name = "audit.sequencer";

/// What one look did.
struct Round {
  std::int64_t sealed = 0;
  std::vector<Checkpoint> checkpoints;
};

Result<Checkpoint> sign_head(AuditStore& audit, const pki::SigningKey& key, Time now,
                             access::OrganizationId chain, const ChainHead& head) {
  Checkpoint checkpoint;
  checkpoint.chain = chain;
  checkpoint.head = head;
  checkpoint.at = now;
  ECP_TRY(const auto before, audit.last_checkpoint(chain));
  if (before) checkpoint.previous = before->signature;
  checkpoint.key_id = key.key_id();
  checkpoint.signature = to_base64(key.sign(signed_octets(checkpoint)));
  ECP_TRY_VOID(audit.insert_checkpoint(checkpoint));
  return checkpoint;
}

Result<std::map<access::OrganizationId, ChainHead>> chain_up(
    AuditStore& audit, const std::vector<StoredEntry>& entries) {
  std::map<access::OrganizationId, ChainHead> heads;
  for (const auto& stored : entries) {
    const auto chain = stored.entry.scope.organization;
    auto place = heads.find(chain);
    if (place == heads.end()) {
      ECP_TRY(const auto head, audit.head(chain));
      place = heads.emplace(chain, head).first;
    }
    ChainHead& head = place->second;
    ++head.sequence;
    head.hash = chain_hash_of(head.hash, head.sequence, stored.hash);
    ECP_TRY_VOID(audit.seal(stored.entry.id, {head.sequence, head.hash}));
  }
  return heads;
}

}  // namespace

struct Sequencer::State {
  State(storage::Store& some_store, const pki::SigningKey& some_key, const Env& some_env,
        SequencerOptions some_options)
      : store(some_store), key(some_key), env(some_env), options(std::move(some_options)) {}

  storage::Store& store;
  const pki::SigningKey& key;
  const Env env;
  const SequencerOptions options;

  std::mutex running;  ///< Held during a look, so that `stop` can wait for it.
  std::mutex guard;    ///< Of what follows.
  bool is_stopped = true;
  TimerId timer = TimerId::none;
  bool has_repeated = false;  ///< Only in looks.

  Result<Round> seal_batch(storage::Transaction& transaction) {
    Round round;
    ECP_TRY(const auto fence, transaction.get<storage::LeaseStore>().acquire(
                                  lease_name, options.holder, options.lease));
    if (!fence) return round;
    auto& audit = transaction.get<AuditStore>();
    ECP_TRY(const auto entries, audit.unsealed(options.batch));
    ECP_TRY(const auto heads, chain_up(audit, entries));
    for (const auto& [chain, head] : heads) {
      ECP_TRY_VOID(audit.set_head(chain, head));
      ECP_TRY(auto checkpoint, sign_head(audit, key, env.clock.now(), chain, head));
      round.checkpoints.push_back(std::move(checkpoint));
    }
    round.sealed = static_cast<std::int64_t>(entries.size());
    return round;
  }

  /// Heads whose line may be missing from the file, because the program ended in between.
  Result<std::vector<Checkpoint>> last_checkpoints() {
    return store.read([&](storage::Transaction& transaction) -> Result<std::vector<Checkpoint>> {
      auto& audit = transaction.get<AuditStore>();
      ECP_TRY(const auto chains, audit.chains());
      std::vector<Checkpoint> last;
      for (const auto& summary : chains) {
        ECP_TRY(auto checkpoint, audit.last_checkpoint(summary.chain));
        if (checkpoint) last.push_back(std::move(*checkpoint));
      }
      return last;
    });
  }

  Result<void> note_down(const std::vector<Checkpoint>& checkpoints) {
    if (options.checkpoint_path.empty() || checkpoints.empty()) return {};
    crash_at("audit.before_note");
    Bytes lines;
    for (const auto& checkpoint : checkpoints) lines += to_line(checkpoint) + "\n";
    return append_file_durably(options.checkpoint_path, lines);
  }

  static void schedule(const std::shared_ptr<State>& state, Milliseconds delay) {
    const std::scoped_lock lock(state->guard);
    if (state->is_stopped) return;
    state->timer = state->env.executor.post_after(delay, [state] {
      state->env.workers.post([state] {
        run_guarded(state->env.log, "sealing", [&] { state->work_off(); });
        schedule(state, state->options.interval);
      });
    });
  }

  /// Look until nothing waits.
  void work_off() {
    const std::scoped_lock lock(running);
    for (bool is_full = true; is_full;) {
      {
        const std::scoped_lock stop_lock(guard);
        if (is_stopped) return;
      }
      const auto sealed = look();
      is_full = sealed && *sealed >= options.batch;
      if (!sealed) {
        env.log.warning("audit", "entries could not be sealed; they will be in a while",
                        {{"problem", sealed.error().describe()}});
      }
    }
  }

  Result<std::int64_t> look() {
    if (!has_repeated) {
      ECP_TRY(const auto last, last_checkpoints());
      ECP_TRY_VOID(note_down(last));
      has_repeated = true;
    }
    ECP_TRY(const auto round, store.write([&](storage::Transaction& transaction) {
      return seal_batch(transaction);
    }));
    auto noted = note_down(round.checkpoints);
    if (!noted) {
      has_repeated = false;  // Write the heads again as soon as the file can be written.
      return std::move(noted).error();
    }
    return round.sealed;
  }
};

Sequencer::Sequencer(storage::Store& store, const pki::SigningKey& key, const Env& env,
                     SequencerOptions options)
    : state_(std::make_shared<State>(store, key, env, std::move(options))) {}

Sequencer::~Sequencer() { stop(); }

void Sequencer::start() {
  {
    const std::scoped_lock lock(state_->guard);
    if (!state_->is_stopped) return;
    state_->is_stopped = false;
  }
  State::schedule(state_, state_->options.interval);
}

void Sequencer::stop() noexcept {
  {
    const std::scoped_lock lock(state_->guard);
    state_->is_stopped = true;
    state_->env.executor.cancel(state_->timer);
  }
  const std::scoped_lock wait_for_look(state_->running);
}

Result<std::int64_t> Sequencer::run_once() {
  const std::scoped_lock lock(state_->running);
  return state_->look();
}

}  // namespace ecp::inline v0::audit
