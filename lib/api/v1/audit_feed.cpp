// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/audit_feed.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include <ecp/audit/audit_store.hpp>
#include <ecp/platform/live_events.hpp>

#include "api/v1/audit_json.hpp"
#include "core/guarded_task.hpp"

namespace ecp::inline v0::api {
namespace {

constexpr Milliseconds interval{1'000};

/// Sequence of the last entry told of each chain.
using Cursors = std::map<access::OrganizationId, std::int64_t>;

bool hears(const std::vector<access::Scope>& listened, const access::Scope& scope) {
  return std::any_of(listened.begin(), listened.end(),
                     [&](const access::Scope& place) { return place.contains(scope); });
}
bool hears_within(const std::vector<access::Scope>& listened, const access::Scope& scope) {
  return std::any_of(listened.begin(), listened.end(),
                     [&](const access::Scope& place) { return scope.contains(place); });
}

/// What one look found.
struct News {
  Cursors cursors;
  std::vector<audit::StoredEntry> entries;
  PrincipalNames names;
};

}  // namespace

struct AuditFeed::State {
  State(storage::Store& some_store, platform::LiveEvents& some_live, const Env& some_env)
      : store(some_store), live(some_live), env(some_env) {}

  storage::Store& store;
  platform::LiveEvents& live;
  const Env env;

  std::mutex looking;  ///< Held during a look, so that `stop` can wait for it.
  std::mutex guard;    ///< Of what follows.
  bool is_stopped = true;
  TimerId timer = TimerId::none;
  std::optional<Cursors> told;  ///< Only in looks; none before the first.

  Result<News> find_news(storage::Transaction& transaction,
                         const std::vector<access::Scope>& listened) {
    News news;
    auto& audit = transaction.get<audit::AuditStore>();
    ECP_TRY(const auto heads, audit.heads());
    for (const auto& [chain, head] : heads) {
      news.cursors.emplace(chain, head.sequence);
      // A platform's entry is in no project, so no stream would hear it.
      if (!told || chain.is_nil() || !hears_within(listened, {chain, {}})) continue;
      const auto before = told->find(chain);
      const auto above =
          std::max(before == told->end() ? 0 : before->second, head.sequence - audit_feed_entries);
      if (above >= head.sequence) continue;
      ECP_TRY(auto found, audit.sealed(chain, above, audit_feed_entries));
      std::move(found.begin(), found.end(), std::back_inserter(news.entries));
    }
    ECP_TRY(news.names, principal_names(transaction, news.entries));
    return news;
  }

  void look() {
    const std::scoped_lock lock(looking);
    {
      const std::scoped_lock stop_lock(guard);
      if (is_stopped) return;
    }
    const auto listened = live.listened();
    auto news = store.read(
        [&](storage::Transaction& transaction) { return find_news(transaction, listened); });
    if (!news) {
      env.log.warning("api", "new audit entries could not be read for the event streams",
                      {{"problem", news.error().describe()}});
      return;
    }
    told = std::move(news->cursors);
    for (const auto& stored : news->entries) {
      if (!hears(listened, stored.entry.scope)) continue;
      json::Writer writer;
      write_entry(writer, stored, news->names);
      live.deliver({stored.entry.scope, "audit", writer.take()});
    }
  }

  static void schedule(const std::shared_ptr<State>& state) {
    const std::scoped_lock lock(state->guard);
    if (state->is_stopped) return;
    state->timer = state->env.executor.post_after(interval, [state] {
      state->env.workers.post([state] {
        run_guarded(state->env.log, "audit events", [&] { state->look(); });
        schedule(state);
      });
    });
  }
};

AuditFeed::AuditFeed(storage::Store& store, platform::LiveEvents& live, const Env& env)
    : state_(std::make_shared<State>(store, live, env)) {}

AuditFeed::~AuditFeed() { stop(); }

void AuditFeed::start() {
  {
    const std::scoped_lock lock(state_->guard);
    if (!state_->is_stopped) return;
    state_->is_stopped = false;
  }
  State::schedule(state_);
}

void AuditFeed::stop() noexcept {
  {
    const std::scoped_lock lock(state_->guard);
    state_->is_stopped = true;
    state_->env.executor.cancel(state_->timer);
  }
  const std::scoped_lock wait_for_look(state_->looking);
}

}  // namespace ecp::inline v0::api
