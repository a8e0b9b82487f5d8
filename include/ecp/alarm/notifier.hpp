// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Sends notices of alarms to webhooks.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/client.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::platform {
class Sealing;
}

namespace ecp::inline v0::alarm {

/// Kind of our items in platform's outbox.
inline constexpr std::string_view webhook_outbox_kind = "alarm.webhook";

/// Value of X-ECP-Signature: "sha256=" and the hex HMAC-SHA256, keyed with the webhook's secret, of
/// the timestamp's text, a full stop, and the body's octets.
[[nodiscard]] ECP_EXPORT std::string notice_signature(std::string_view secret,
                                                      std::string_view timestamp,
                                                      std::string_view body);

/// Takes due notices from the outbox, posts each to its webhook, and retries with a growing,
/// jittered pause until the receiver answers 2xx or the notice is too old.
///
/// A notice is sent at least once: after a crash between sending and recording it is sent again,
/// with the same X-ECP-Notification-Id. Every address is judged after resolution; redirects are not
/// followed.
/// Ownership: everything given outlives the notifier.
/// Thread safety: any thread.
class ECP_EXPORT Notifier {
 public:
  struct Options {
    http::AddressPolicy addresses;
    Milliseconds retry_min{5'000};
    Milliseconds retry_max{600'000};
    Milliseconds give_up_after{3LL * 24 * 3'600'000};  ///< Counted from the transition.
    Milliseconds patience{30'000};  ///< Longest pause between two looks at the outbox.
    /// CA certificates that receivers must chain to; empty: the system's.
    std::string roots_pem;
  };
  Notifier(storage::Store& store, http::Client& client, const platform::Sealing& sealing,
           Options options, Env env);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Look at the outbox now, on each wake and when something becomes due.
  void start();
  /// End the timer; a call that is under way ends by its own time-out.
  void stop() noexcept;
  /// Something was laid into the outbox. Does not block.
  void wake();
  /// Send what is due in the caller's thread; return how many notices were delivered.
  Result<std::int64_t> deliver();

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: tasks posted before stop() may still run.
};

}  // namespace ecp::inline v0::alarm
