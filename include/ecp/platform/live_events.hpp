// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Hints that something changed, for open event streams.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::platform {

/// One hint. Not durable: whoever missed one reads the state.
struct LiveEvent {
  access::Scope scope;
  std::string name;  ///< "value", "node", "service", "alarm", "alarm_rule", "command", "audit".
  std::string data_json;
};

/// Ends a subscription when destroyed: afterwards its handler neither runs nor will run.
class ECP_EXPORT Subscription {
 public:
  virtual ~Subscription();
};

/// The way to and from listeners of other replicas.
///
/// Thread safety: any thread. Members are short and do not block.
class ECP_EXPORT LiveRelay {
 public:
  virtual ~LiveRelay();
  /// Take an event of this process to whoever elsewhere listens.
  virtual void pass(const LiveEvent& event) = 0;
  /// True when somebody elsewhere would hear it, as far as is known.
  [[nodiscard]] virtual bool has_listener(const access::Scope& scope) const = 0;
  /// A listener of this process came.
  virtual void listeners_changed() = 0;
};

/// Spreads hints to whoever listens in a scope.
///
/// Thread safety: any thread. Subscriptions may outlive it.
/// Callbacks: in the publishing thread, each handler in one thread at a time; they must be short,
///   not block, and not publish, subscribe or unsubscribe. A handler that throws is a broken
///   invariant.
class ECP_EXPORT LiveEvents {
 public:
  LiveEvents();
  ~LiveEvents();
  LiveEvents(const LiveEvents&) = delete;
  LiveEvents& operator=(const LiveEvents&) = delete;

  void publish(const access::Scope& scope, std::string_view name, std::string data_json);
  /// Hand an event to the listeners of this process alone: other replicas have it themselves.
  void deliver(const LiveEvent& event);
  /// Let others hear, too; null: no longer. The relay lives until then, and no call to it is under
  /// way when this returns.
  void relay_by(LiveRelay* relay);
  /// Scopes that somebody in this process listens to, each once.
  [[nodiscard]] std::vector<access::Scope> listened() const;
  /// Listen to everything inside a scope.
  [[nodiscard]] std::unique_ptr<Subscription> subscribe(
      const access::Scope& scope, std::function<void(const LiveEvent&)> handler);
  /// True when somebody would hear it, so that data need not be made for nobody.
  [[nodiscard]] bool has_listener(const access::Scope& scope) const;

 private:
  struct Listeners;
  std::shared_ptr<Listeners> listeners_;  // Shared: this object and its subscriptions.
};

}  // namespace ecp::inline v0::platform
