// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>

#include "agent/state.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr auto upkeep_interval = Milliseconds{3'600'000};
constexpr std::uint64_t upkeeps_per_refetch = 24;
constexpr auto renewal_retry = Milliseconds{120'000};  // And up to as much again, by chance.
constexpr auto refetch_pause = Milliseconds{60'000};
constexpr auto settle_retry = Milliseconds{2'000};
constexpr int most_doublings = 5;  // Of the first 2 s between two tries to fetch a body.

}  // namespace

/// Fetch one body after the other, over HTTPS and beside the lane.
void Agent::State::fetch_missing() {
  if (is_fetching_ || reconciler_->missing().empty() || !has_https()) return;
  is_fetching_ = true;
  env_.workers.post([this, lane = lane_, http = http_, files = files_, link = options_.link,
                     hash = reconciler_->missing().front()] {
    auto body = fetch_resource(files, link, *http, hash);
    lane->post([this, hash, body = std::move(body)] { fetched(hash, body); });
  });
}

void Agent::State::fetched(const std::string& sha256, const Result<std::string>& body) {
  is_fetching_ = false;
  const auto taken = body ? reconciler_->take_body(sha256, *body) : Result<void>(body.error());
  if (taken) {
    fetch_failures_ = 0;
    fetch_missing();
    pump();
    return;
  }
  env_.log.warning("agent", "a resource cannot be fetched", {{"why", taken.error().describe()}});
  settle_later();
  const auto wait = 2'000 << std::min(fetch_failures_++, most_doublings);
  const auto jitter = env_.random.below(static_cast<std::uint64_t>(wait));
  post_after(Milliseconds{wait + static_cast<int>(jitter)}, &State::fetch_missing);
}

void Agent::State::settle_later() {
  if (reconciler_->is_settled() || std::exchange(is_settling_, true)) return;
  post_after(settle_retry, &State::settle);
}

void Agent::State::settle() {
  is_settling_ = false;
  if (reconciler_->is_settled()) return;
  if (const auto settled = reconciler_->settle(); !settled) {
    env_.log.error("agent", "a manifest cannot be applied yet",
                   {{"why", settled.error().describe()}});
    return settle_later();
  }
  fetch_missing();
  pump();
  if (is_linked_) send_heartbeat();
}

/// Every hour: renew the certificate at two thirds of its life; once a day, by chance so that a
/// fleet does not ask all at once, see what is new of the link.
void Agent::State::upkeep() {
  if (!has_https()) return;
  post_after(upkeep_interval, &State::upkeep);
  if (env_.random.below(upkeeps_per_refetch) == 0) refetch_link();
  renew_when_due();
}

void Agent::State::renew_when_due() {
  if (is_renewing_) return;
  const auto now = server_time_.now().value_or(env_.clock.now());
  const auto due = needs_renewal(files_, std::max(now, env_.clock.now()));
  if (!due || !*due) return;
  is_renewing_ = true;
  env_.workers.post([this, lane = lane_, http = http_, files = files_, link = options_.link] {
    auto document = renew(files, link, *http);
    lane->post([this, document = std::move(document)] { take_link_document(document, true); });
  });
}

void Agent::State::refetch_link() {
  if (is_refetching_ || !has_https()) return;
  is_refetching_ = true;
  failed_connects_ = 0;
  env_.workers.post([this, lane = lane_, http = http_, files = files_, link = options_.link] {
    auto document = fetch_link_document(files, link, *http);
    lane->post([this, document = std::move(document)] { take_link_document(document, false); });
  });
  env_.executor.post_after(
      refetch_pause, [this, lane = lane_] { lane->post([this] { is_refetching_ = false; }); });
}

/// A gateway whose certificate is over is off line: it does not wait for the next hour.
void Agent::State::renew_later() {
  const auto jitter = env_.random.below(static_cast<std::uint64_t>(renewal_retry.count()));
  env_.executor.post_after(renewal_retry + Milliseconds{static_cast<std::int64_t>(jitter)},
                           [this, lane = lane_] {
                             lane->post([this] {
                               is_renewing_ = false;
                               renew_when_due();
                             });
                           });
}

/// Reconnect after a renewal, and make the link anew when it leads elsewhere now.
void Agent::State::take_link_document(const Result<link::LinkDocument>& document, bool is_renewal) {
  const auto what = is_renewal ? "certificate" : "link document";
  if (!document) {
    env_.log.warning("agent", "the plane does not give what is due",
                     {{"what", what}, {"why", document.error().describe()}});
    if (!is_renewal) return;
    if (is_retryable(document.error().code())) return renew_later();
    is_renewing_ = false;  // Refused: the next hour is soon enough.
    return;
  }
  if (is_renewal) is_renewing_ = false;
  env_.log.info("agent", "the plane gave what was due", {{"what", what}});
  const auto& before = options_.link;
  const bool is_same =
      before.trust_roots_pem == document->trust_roots_pem &&
      std::equal(before.brokers.begin(), before.brokers.end(), document->brokers.begin(),
                 document->brokers.end(), [](const auto& left, const auto& right) {
                   return left.host == right.host && left.port == right.port;
                 });
  options_.link = *document;
  reconciler_->set_keys(document->manifest_keys);
  if (is_same && link_) {
    link_->set_reconnect_cap(document->reconnect_cap);
    if (is_renewal) link_->reconnect();
    return;
  }
  close_link();
  is_linked_ = false;
  forwarder_->link_down();
  reopen_link();
}

/// What `ecp-edge status` shows beside the database; written when it changes.
void Agent::State::write_status_file() {
  if (options_.data_folder.empty()) return;
  json::Writer writer;
  writer.begin_object().field("v", 1).field("linked", status_.linked);
  writer.key("services").begin_array();
  for (const auto& service : status_.services) {
    writer.begin_object().field("id", service.id.to_string());
    writer.field("state", to_string(service.state)).field("reason", service.reason).end_object();
  }
  writer.end_array().end_object();
  auto text = writer.take();
  if (text == status_text_) return;
  if (write_file_durably(files_.status(), text)) status_text_ = std::move(text);
}

}  // namespace ecp::inline v0::agent
