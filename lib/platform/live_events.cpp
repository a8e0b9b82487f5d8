// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/live_events.hpp>

#include <algorithm>
#include <shared_mutex>
#include <utility>
#include <vector>

namespace ecp::inline v0::platform {

Subscription::~Subscription() = default;

struct LiveEvents::Listeners {
  struct Listener {
    access::Scope scope;
    std::function<void(const LiveEvent&)> handler;
  };
  // Publishing holds it shared, so that the end of a subscription waits for running handlers.
  mutable std::shared_mutex mutex;
  std::vector<std::shared_ptr<const Listener>> all;  // Shared: the list and its subscription.
};

namespace {

template <class Listeners, class Listener>
class ListenerEnd final : public Subscription {
 public:
  ListenerEnd(std::shared_ptr<Listeners> listeners, std::shared_ptr<const Listener> listener)
      : listeners_(std::move(listeners)), listener_(std::move(listener)) {}
  ~ListenerEnd() override {
    const std::unique_lock lock(listeners_->mutex);
    auto& all = listeners_->all;
    all.erase(std::remove(all.begin(), all.end(), listener_), all.end());
  }

 private:
  std::shared_ptr<Listeners> listeners_;
  std::shared_ptr<const Listener> listener_;
};

}  // namespace

LiveEvents::LiveEvents() : listeners_(std::make_shared<Listeners>()) {}
LiveEvents::~LiveEvents() = default;

void LiveEvents::publish(const access::Scope& scope, std::string_view name, std::string data_json) {
  const LiveEvent event{scope, std::string(name), std::move(data_json)};
  const std::shared_lock lock(listeners_->mutex);
  for (const auto& listener : listeners_->all) {
    if (listener->scope.contains(scope)) listener->handler(event);
  }
}

std::unique_ptr<Subscription> LiveEvents::subscribe(const access::Scope& scope,
                                                    std::function<void(const LiveEvent&)> handler) {
  auto listener =
      std::make_shared<const Listeners::Listener>(Listeners::Listener{scope, std::move(handler)});
  {
    const std::unique_lock lock(listeners_->mutex);
    listeners_->all.push_back(listener);
  }
  return std::make_unique<ListenerEnd<Listeners, Listeners::Listener>>(listeners_,
                                                                       std::move(listener));
}

bool LiveEvents::has_listener(const access::Scope& scope) const {
  const std::shared_lock lock(listeners_->mutex);
  return std::any_of(listeners_->all.begin(), listeners_->all.end(),
                     [&](const auto& listener) { return listener->scope.contains(scope); });
}

}  // namespace ecp::inline v0::platform
