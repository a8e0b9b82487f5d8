// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/notifier.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

#include <ecp/alarm/reasons.hpp>
#include <ecp/alarm/webhook_store.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/outbox.hpp>

#include "alarm/notice.hpp"
#include "core/crash_point.hpp"
#include "core/guarded_task.hpp"
#include "core/text.hpp"

namespace ecp::inline v0::alarm {

namespace {

constexpr int claim_size = 5;
constexpr Milliseconds lease{60'000};         // Longer than a whole claim can take.
constexpr Milliseconds call_timeout{10'000};  // Of one notice.
constexpr std::size_t longest_error = 300;    // Octets kept of a failure's text.

}  // namespace

struct Notifier::State : std::enable_shared_from_this<Notifier::State> {
  State(storage::Store& store_in, http::Client& client_in, const platform::Sealing& sealing_in,
        Options options_in, Env env_in)
      : store(store_in),
        client(client_in),
        sealing(sealing_in),
        options(std::move(options_in)),
        env(env_in),
        holder("notifier-" + to_hex(env_in.random.bytes(8))) {}

  storage::Store& store;
  http::Client& client;
  const platform::Sealing& sealing;
  const Options options;
  Env env;
  const std::string holder;

  std::mutex mutex;
  std::condition_variable idle;
  bool started = false;
  bool stopped = false;
  bool queued = false;   ///< A look is posted or running.
  bool again = false;    ///< Something was laid in since it began.
  bool running = false;  ///< A look is running: stop() waits for it.
  TimerId timer = TimerId::none;

  void wake();
  void look();
  void rest();
  Result<std::int64_t> deliver();
  Result<void> send(const Notice& notice, const Webhook& webhook, platform::OutboxId id);
  Result<bool> handle(const platform::ClaimedItem& claimed, std::set<WebhookId>& failing);
  Result<void> settle(const platform::ClaimedItem& claimed, WebhookId webhook,
                      const std::optional<Error>& failure, bool final);
  [[nodiscard]] Milliseconds pause(int attempts) const;
};

void Notifier::State::wake() {
  {
    const std::lock_guard lock(mutex);
    if (!started || stopped) return;
    if (queued) {
      again = true;
      return;
    }
    queued = true;
  }
  env.workers.post([self = shared_from_this()] { self->look(); });
}

void Notifier::State::look() {
  {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    running = true;
    again = false;
  }
  run_guarded(env.log, "notices", [&] {
    if (auto delivered = deliver(); !delivered) {
      env.log.warning("alarm", "notices wait because the outbox cannot be worked on",
                      {{"problem", delivered.error().describe()}});
    }
  });
  rest();
}

/// Sleep until the next notice is due, at most for the patience.
void Notifier::State::rest() {
  auto delay = options.patience;
  const auto due = store.read([&](storage::Transaction& transaction) {
    return transaction.get<platform::OutboxStore>().next_due(webhook_outbox_kind);
  });
  if (due && *due) {
    delay = std::clamp(Milliseconds(**due - env.clock.now()), Milliseconds(100), delay);
  }
  bool now_again = false;
  {
    const std::lock_guard lock(mutex);
    running = false;
    queued = false;
    now_again = again;
    if (!stopped && !now_again) {
      env.executor.cancel(timer);
      timer = env.executor.post_after(delay, [self = shared_from_this()] { self->wake(); });
    }
  }
  idle.notify_all();
  if (now_again) wake();
}

Milliseconds Notifier::State::pause(int attempts) const {
  auto longest = options.retry_min;
  for (int i = 0; i < attempts && longest < options.retry_max; ++i) longest *= 2;
  longest = std::min(longest, options.retry_max);
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  return longest - Milliseconds(static_cast<std::int64_t>(env.random.below(half + 1)));
}

Result<void> Notifier::State::send(const Notice& notice, const Webhook& webhook,
                                   platform::OutboxId id) {
  ECP_TRY(const auto secret, sealing.open(sealing_purpose(webhook.id), webhook.sealed_secret));
  const auto timestamp = std::to_string(to_ms(env.clock.now()) / 1000);
  http::ClientRequest request;
  request.method = http::Method::post;
  request.url = webhook.url;
  request.headers.add("Content-Type", "application/json");
  request.headers.add("X-ECP-Notification-Id", id.to_string());
  request.headers.add("X-ECP-Timestamp", timestamp);
  request.headers.add("X-ECP-Signature", notice_signature(secret.view(), timestamp, notice.body));
  request.body = notice.body;
  request.timeout = call_timeout;
  request.max_response = 64 * kibibyte;
  request.addresses = options.addresses;
  request.trust.ca_pem = options.roots_pem;
  ECP_TRY(const auto response, client.call(request));
  if (response.status >= 200 && response.status < 300) return {};
  return Error(reasons::unexpected_status, {{"status", std::to_string(response.status)}});
}

/// Record how a notice went: done, put off, or given up.
Result<void> Notifier::State::settle(const platform::ClaimedItem& claimed, WebhookId webhook,
                                     const std::optional<Error>& failure, bool final) {
  const auto now = env.clock.now();
  const auto error = failure ? text::clip(failure->describe(), longest_error) : std::string();
  const auto due = now + pause(claimed.item.attempts);
  return store.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& outbox = transaction.get<platform::OutboxStore>();
    if (final) {
      ECP_TRY_VOID(outbox.complete(claimed.item.id, claimed.fence));
    } else {
      ECP_TRY_VOID(outbox.retry(claimed.item.id, claimed.fence, due, error));
    }
    const auto delivered_at = failure ? std::nullopt : std::optional<Time>(now);
    return transaction.get<WebhookStore>().put_outcome(webhook, delivered_at, error);
  });
}

/// Deal with one claimed notice; true when its receiver took it.
Result<bool> Notifier::State::handle(const platform::ClaimedItem& claimed,
                                     std::set<WebhookId>& failing) {
  ECP_TRY(const auto notice, parse_notice(claimed.item.payload_json));
  ECP_TRY(const auto webhook, store.read([&](storage::Transaction& transaction) {
    return transaction.get<WebhookStore>().find(notice.webhook);
  }));
  if (!webhook) {
    ECP_TRY_VOID(store.write([&](storage::Transaction& transaction) {
      return transaction.get<platform::OutboxStore>().complete(claimed.item.id, claimed.fence);
    }));
    return false;
  }
  std::optional<Error> failure;
  if (failing.contains(notice.webhook)) {
    failure = Error(ecp::reasons::unavailable, {{"what", "the receiver"}});
  } else if (auto sent = send(notice, *webhook, claimed.item.id); !sent) {
    failure = std::move(sent).error();
    failing.insert(notice.webhook);
    env.log.warning("alarm", "a webhook did not take a notice",
                    {{"webhook", webhook->name}, {"problem", failure->describe()}});
  }
  crash_at("notice.after_send");
  const bool too_old = env.clock.now() - notice.at > options.give_up_after;
  if (failure && too_old) {
    env.log.error("alarm", "a notice is given up",
                  {{"webhook", webhook->name}, {"notice", claimed.item.id.to_string()}});
  }
  ECP_TRY_VOID(settle(claimed, webhook->id, failure, !failure || too_old));
  return !failure.has_value();
}

Result<std::int64_t> Notifier::State::deliver() {
  std::int64_t delivered = 0;
  std::set<WebhookId> failing;  // Not tried again in this look: others shall not wait for them.
  for (;;) {
    {
      const std::lock_guard lock(mutex);
      if (stopped) return delivered;
    }
    const auto now = env.clock.now();
    ECP_TRY(const auto claims, store.write([&](storage::Transaction& transaction) {
      return transaction.get<platform::OutboxStore>().claim_due(webhook_outbox_kind, holder, now,
                                                                claim_size, lease);
    }));
    if (claims.empty()) return delivered;
    for (const auto& claimed : claims) {
      auto taken = handle(claimed, failing);
      if (!taken) {
        env.log.warning("alarm", "a notice could not be dealt with",
                        {{"problem", taken.error().describe()}});
        continue;  // Its lease ends, then it is claimed again.
      }
      if (*taken) ++delivered;
    }
  }
}

Notifier::Notifier(storage::Store& store, http::Client& client, const platform::Sealing& sealing,
                   Options options, Env env)
    : state_(std::make_shared<State>(store, client, sealing, std::move(options), env)) {}

Notifier::~Notifier() { stop(); }

void Notifier::start() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->started = true;
  }
  state_->wake();
}

void Notifier::stop() noexcept {
  std::unique_lock lock(state_->mutex);
  state_->stopped = true;
  state_->env.executor.cancel(state_->timer);
  state_->idle.wait(lock, [this] { return !state_->running; });
}

void Notifier::wake() { state_->wake(); }

Result<std::int64_t> Notifier::deliver() { return state_->deliver(); }

}  // namespace ecp::inline v0::alarm
