// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/live_events.hpp>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace ecp::inline v0::platform {
namespace {

/// One subscription's handler. Its lock is held while the handler runs, so that ending the
/// subscription waits for it; no other lock is.
struct Listener {
  Listener(const access::Scope& where, std::function<void(const LiveEvent&)> what)
      : scope(where), handler(std::move(what)) {}

  const access::Scope scope;
  std::mutex mutex;
  std::function<void(const LiveEvent&)> handler;  ///< Empty once the subscription has ended.
};

}  // namespace

Subscription::~Subscription() = default;
LiveRelay::~LiveRelay() = default;

struct LiveEvents::Listeners {
  using Shared = std::shared_ptr<Listener>;  // Shared: the list and publishers that are at it.

  mutable std::mutex mutex;
  std::vector<Shared> all;
  mutable std::shared_mutex relay_mutex;  ///< Held, shared, while the relay is called.
  LiveRelay* relay = nullptr;

  void hand_out(const LiveEvent& event) const {
    for (const auto& listener : hearing(event.scope)) {
      const std::lock_guard lock(listener->mutex);
      if (listener->handler) listener->handler(event);
    }
  }
  /// What `ask` says of the relay; `otherwise` without one.
  template <class Answer, class Ask>
  Answer of_relay(Answer otherwise, Ask&& ask) const {
    const std::shared_lock lock(relay_mutex);
    return relay == nullptr ? otherwise : ask(*relay);
  }

  [[nodiscard]] std::vector<Shared> hearing(const access::Scope& scope) const {
    const std::lock_guard lock(mutex);
    std::vector<Shared> found;
    std::copy_if(all.begin(), all.end(), std::back_inserter(found),
                 [&](const Shared& listener) { return listener->scope.contains(scope); });
    return found;
  }

  /// Takes its listener off the list when it ends.
  struct Place final : Subscription {
    Place(std::shared_ptr<Listeners> where, Shared what)
        : listeners(std::move(where)), listener(std::move(what)) {}
    ~Place() override {
      {
        const std::lock_guard lock(listeners->mutex);
        auto& list = listeners->all;
        list.erase(std::remove(list.begin(), list.end(), listener), list.end());
      }
      const std::lock_guard lock(listener->mutex);
      listener->handler = nullptr;
    }
    std::shared_ptr<Listeners> listeners;
    Shared listener;
  };
};

LiveEvents::LiveEvents() : listeners_(std::make_shared<Listeners>()) {}
LiveEvents::~LiveEvents() = default;

void LiveEvents::publish(const access::Scope& scope, std::string_view name, std::string data_json) {
  const LiveEvent event{scope, std::string(name), std::move(data_json)};
  listeners_->hand_out(event);
  listeners_->of_relay(false, [&](LiveRelay& relay) {
    if (relay.has_listener(scope)) relay.pass(event);
    return true;
  });
}

void LiveEvents::deliver(const LiveEvent& event) { listeners_->hand_out(event); }

void LiveEvents::relay_by(LiveRelay* relay) {
  const std::lock_guard lock(listeners_->relay_mutex);
  listeners_->relay = relay;
}

std::vector<access::Scope> LiveEvents::listened() const {
  const std::lock_guard lock(listeners_->mutex);
  std::vector<access::Scope> scopes;
  for (const auto& listener : listeners_->all) {
    if (std::find(scopes.begin(), scopes.end(), listener->scope) == scopes.end()) {
      scopes.push_back(listener->scope);
    }
  }
  return scopes;
}

std::unique_ptr<Subscription> LiveEvents::subscribe(const access::Scope& scope,
                                                    std::function<void(const LiveEvent&)> handler) {
  auto listener = std::make_shared<Listener>(scope, std::move(handler));
  {
    const std::lock_guard lock(listeners_->mutex);
    listeners_->all.push_back(listener);
  }
  listeners_->of_relay(false, [](LiveRelay& relay) {
    relay.listeners_changed();
    return true;
  });
  return std::make_unique<Listeners::Place>(listeners_, std::move(listener));
}

bool LiveEvents::has_listener(const access::Scope& scope) const {
  {
    const std::lock_guard lock(listeners_->mutex);
    const auto hears = [&](const auto& listener) { return listener->scope.contains(scope); };
    if (std::any_of(listeners_->all.begin(), listeners_->all.end(), hears)) return true;
  }
  return listeners_->of_relay(false,
                              [&](const LiveRelay& relay) { return relay.has_listener(scope); });
}

}  // namespace ecp::inline v0::platform
