// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include <ecp/audit/audit.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/platform/live_events.hpp>

#include "core/crash_point.hpp"
#include "fleet/ingest_state.hpp"
#include "fleet/stored_before.hpp"

namespace ecp::inline v0::fleet {
namespace {

/// One batch on its way into series.
struct Incoming {
  EdgeNodeId agent;
  EdgeServiceId service;
  link::TelemetryHead head;
  series::NumberedBatch batch;
};

/// What the database says about a batch.
enum class Verdict { take, drop, settle, renew };

struct Judged {
  const Incoming* incoming = nullptr;
  Verdict verdict = Verdict::drop;
  std::int64_t cursor = 0;  ///< Numbers up to here were stored before.
  access::Scope scope;
  std::string name;  ///< Of the edge node.
};

/// Decode a message; none, and a log line, when it makes no sense.
std::optional<Incoming> decode(const Heard& heard, Env env) {
  const auto refuse = [&](std::string_view problem) -> std::optional<Incoming> {
    env.log.warning("fleet", "a telemetry batch was refused",
                    {{"node", heard.agent.to_string()}, {"problem", std::string(problem)}});
    return std::nullopt;
  };
  auto parts = link::decode_telemetry(heard.payload);
  if (!parts) return refuse(parts.error().describe());
  const auto body = parts->second;
  Incoming incoming;
  incoming.agent = heard.agent;
  incoming.head = std::move(parts->first);
  auto& head = incoming.head;
  const auto service = EdgeServiceId::parse(head.stream);
  if (!service || head.stream != heard.channel.label) return refuse("its stream is no service");
  incoming.service = *service;
  auto samples = series::decode_samples(body);
  if (!samples) return refuse(samples.error().describe());
  const auto count = static_cast<std::int64_t>(samples->size());
  if (head.first < 1 || head.last - head.first + 1 != count || !is_buffer_id(head.buffer_id)) {
    return refuse("its numbers do not fit its samples");
  }
  auto& batch = incoming.batch;
  batch.agent = heard.agent.bytes();
  batch.buffer_id = head.buffer_id;
  batch.first = head.first;
  batch.samples = std::move(*samples);
  batch.dropped = head.dropped;
  batch.floor = head.floor;
  return incoming;
}

Result<Judged> judge(storage::Transaction& transaction, const Incoming& incoming) {
  Judged judged;
  judged.incoming = &incoming;
  ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(incoming.agent));
  if (!node || node->revoked) return judged;
  judged.scope = node->scope();
  judged.name = node->name;
  ECP_TRY(const bool refused,
          transaction.get<BufferStore>().is_refused(incoming.agent, incoming.head.buffer_id));
  ECP_TRY(const auto service, transaction.get<EdgeServiceStore>().find(incoming.service));
  const auto& head = incoming.head;
  ECP_TRY(judged.cursor,
          transaction.get<BufferStore>().cursor(incoming.agent, head.stream, head.buffer_id));
  judged.verdict = refused ? Verdict::renew : Verdict::take;
  // Nobody wants what a removed service measured: let the agent forget it.
  if (!service || service->node != incoming.agent) judged.verdict = Verdict::settle;
  return judged;
}

Result<std::vector<Judged>> judge_all(storage::Store& store, std::span<const Incoming> decoded) {
  return store.read([&](storage::Transaction& transaction) -> Result<std::vector<Judged>> {
    std::vector<Judged> all;
    for (const auto& incoming : decoded) {
      ECP_TRY(all.emplace_back(), judge(transaction, incoming));
    }
    return all;
  });
}

series::SeriesKey key_of(const Judged& judged) {
  return {judged.scope.project.bytes(), judged.incoming->service.bytes()};
}

/// What shall be stored of some batches. Where a buffer's first is among them, the agent's other
/// buffers end before anything of it is looked up or stored: what still comes from these comes from
/// a copy of the agent, and would be stored beside the same samples under their new numbers.
Result<std::vector<Judged>> admit(const IngestEngine::Parts& parts,
                                  std::span<const Incoming> decoded) {
  ECP_TRY(auto judged, judge_all(parts.store, decoded));
  std::vector<Judged> first;
  std::copy_if(judged.begin(), judged.end(), std::back_inserter(first),
               [](const Judged& one) { return one.verdict == Verdict::take && one.cursor == 0; });
  if (first.empty()) return judged;
  const auto begun = parts.store.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& buffers = transaction.get<BufferStore>();
    for (const auto& one : first) {
      const auto& head = one.incoming->head;
      const auto agent = one.incoming->agent;
      ECP_TRY(const bool is_unasked, buffers.begin(agent, head.stream, head.buffer_id));
      if (!is_unasked) continue;
      // The agent numbers anew by itself: its disk was put back, or else the database was.
      ECP_TRY_VOID(parts.commands.distrust(transaction, agent));
      ECP_TRY_VOID(parts.commands.reconsider(transaction, agent));
    }
    return {};
  });
  ECP_TRY_VOID(begun);
  for (const auto& one : first) {
    const auto& batch = one.incoming->batch;
    ECP_TRY_VOID(parts.series.begin(key_of(one), batch.agent, batch.buffer_id));
  }
  return judge_all(parts.store, decoded);
}

/// The newest sample of each tag of a batch.
std::string live_json(const Incoming& incoming) {
  std::map<std::string_view, const series::Sample*> newest;
  for (const auto& sample : incoming.batch.samples) {
    auto& known = newest[sample.tag];
    if (known == nullptr || known->time <= sample.time) known = &sample;
  }
  json::Writer writer;
  writer.begin_object().field("service", incoming.service.to_string()).key("items").begin_array();
  for (const auto& entry : newest) series::write_json(writer, *entry.second);
  return writer.end_array().end_object().take();
}

/// Whether numbers that came again name other samples than before: the agent's disk was put back,
/// and it has given them anew. Asked once the batch is stored, but for those samples. Only what is
/// surely kept is compared.
Result<bool> is_reused(series::SeriesStore& store, const Judged& judged, Time now) {
  constexpr Milliseconds surely_kept{24LL * 3'600'000};
  const auto& batch = judged.incoming->batch;
  const auto last = batch.first + static_cast<std::int64_t>(batch.samples.size()) - 1;
  ECP_TRY(const auto known, stored_before(store, key_of(judged), batch, last));
  auto next = known.begin();
  for (auto number = batch.first; number <= last; ++number) {
    if (next != known.end() && next->first == number) {
      ++next;
      continue;
    }
    const auto time = batch.samples[static_cast<std::size_t>(number - batch.first)].time;
    if (time > now - surely_kept && time < now + surely_kept) return true;
  }
  return false;
}

/// Nothing more is taken from the agent's buffers of now.
Result<void> refuse(const IngestEngine::Parts& parts, const Env& env, const Judged& judged) {
  const auto& incoming = *judged.incoming;
  env.log.warning("fleet", "samples come under numbers that others had",
                  {{"node", incoming.agent.to_string()}, {"stream", incoming.head.stream}});
  return parts.store.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& buffers = transaction.get<BufferStore>();
    ECP_TRY_VOID(buffers.advance(incoming.agent, incoming.head.stream, incoming.head.buffer_id,
                                 judged.cursor));
    const auto agent = incoming.agent;
    ECP_TRY_VOID(buffers.refuse_all(agent));
    ECP_TRY_VOID(parts.commands.distrust(transaction, agent));
    return audit::append_unauthenticated(
        transaction, env,
        {{access::PrincipalKind::agent, agent.bytes(), "certificate"}, judged.scope, {}},
        operations::edge_node_event, audit::Outcome::done,
        {"edge_node", agent.to_string(), judged.name},
        {{"event", "telemetry.number_used_twice"},
         {"text", "the agent's disk was put back or copied; its buffers are numbered anew"}});
  });
}

/// Let agents that give numbers twice number anew: none of their batches is acknowledged.
Result<void> refuse_reused(const IngestEngine::Parts& parts, const Env& env,
                           const std::vector<Judged>& taken,
                           const std::vector<series::Applied>& applied) {
  std::set<EdgeNodeId> refused;  // All their buffers are, and it is told once.
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto agent = taken[i].incoming->agent;
    if (applied[i].repeated == 0 || refused.count(agent) > 0) continue;  // As it nearly always is.
    ECP_TRY(const bool reused, is_reused(parts.series, taken[i], env.clock.now()));
    if (!reused) continue;
    ECP_TRY_VOID(refuse(parts, env, taken[i]));
    refused.insert(agent);
  }
  return {};
}

Result<std::vector<series::Applied>> store_batches(series::SeriesStore& store,
                                                   const std::vector<Judged>& taken) {
  std::vector<std::pair<series::SeriesKey, series::NumberedBatch>> batches;
  batches.reserve(taken.size());
  for (const auto& judged : taken) {
    auto& [key, batch] = batches.emplace_back(key_of(judged), judged.incoming->batch);
    const auto renumbered = judged.incoming->head.renumbered;
    if (batch.first > renumbered) continue;
    ECP_TRY(batch.known, stored_before(store, key, batch, renumbered));
  }
  return store.append(batches);
}

/// Move the cursors. A buffer that was refused meanwhile may belong to an agent that never had
/// these samples: it shall renew it instead.
Result<void> move_cursors(storage::Store& store, std::vector<Judged>& taken,
                          const std::vector<series::Applied>& applied) {
  return store.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& buffers = transaction.get<BufferStore>();
    for (std::size_t i = 0; i < taken.size(); ++i) {
      const auto& incoming = *taken[i].incoming;
      const auto& head = incoming.head;
      ECP_TRY(const bool refused, buffers.is_refused(incoming.agent, head.buffer_id));
      if (!refused && !applied[i].is_ended) {
        ECP_TRY_VOID(buffers.advance(incoming.agent, head.stream, head.buffer_id, applied[i].upto));
        continue;
      }
      taken[i].verdict = Verdict::renew;
    }
    return {};
  });
}

/// Up to where all numbers are settled by this batch and by what its agent says: below its floor,
/// dropped, or in the batch. What may wait in the agent before the batch is not: it may be another
/// sample than the one that is stored.
std::int64_t settled_by(const link::TelemetryHead& head, std::int64_t applied) {
  if (head.floor == 0) return std::min(applied, head.last);
  auto settled = head.dropped;
  settled.emplace_back(head.first, std::min(applied, head.last));
  std::sort(settled.begin(), settled.end());
  auto upto = head.floor - 1;
  for (const auto& [first, last] : settled) {
    if (first <= upto + 1) upto = std::max(upto, last);
  }
  return std::min(upto, applied);
}

/// What is stored, as an answer to a batch.
link::Ack answer_to(const link::TelemetryHead& head, const series::Applied& applied) {
  const auto upto = settled_by(head, applied.upto);
  link::Ack ack{head.stream, head.buffer_id, upto, {}, false, head.life, 0};
  const auto add = [&](std::int64_t first, std::int64_t last) {
    first = std::max({first, head.first, upto + 1});
    last = std::min(last, head.last);
    if (first <= last) ack.ranges.emplace_back(first, last);
  };
  add(1, applied.upto);
  auto highest = applied.upto;
  for (const auto& [first, last] : applied.ranges) {
    highest = std::max(highest, last);
    add(first, last);
  }
  if (highest > head.last) ack.highest = highest;
  return ack;
}

link::Ack renewal_of(const link::TelemetryHead& head) {
  return {head.stream, head.buffer_id, 0, {}, true, head.life, 0};
}

std::vector<std::pair<EdgeNodeId, link::Ack>> answers_to(
    const std::vector<Judged>& judged, const std::vector<Judged>& taken,
    const std::vector<series::Applied>& applied) {
  std::vector<std::pair<EdgeNodeId, link::Ack>> answers;
  for (std::size_t i = 0; i < taken.size(); ++i) {
    const auto& head = taken[i].incoming->head;
    answers.emplace_back(taken[i].incoming->agent, taken[i].verdict == Verdict::renew
                                                       ? renewal_of(head)
                                                       : answer_to(head, applied[i]));
  }
  for (const auto& one : judged) {
    const auto& head = one.incoming->head;
    if (one.verdict == Verdict::settle) {
      answers.emplace_back(one.incoming->agent, answer_to(head, {head.last, {}, 0}));
    }
    if (one.verdict == Verdict::renew) {
      answers.emplace_back(one.incoming->agent, renewal_of(head));
    }
  }
  return answers;
}

using Acknowledge = std::function<void(EdgeNodeId, const link::Ack&)>;

/// Series first, durably; then the cursors; then the acknowledgements. When it fails nothing is
/// acknowledged, and what is stored already does no harm when it comes again.
Result<void> take_batches(const IngestEngine::Parts& parts, const Env& env,
                          const std::vector<Incoming>& batches, const Acknowledge& acknowledge) {
  ECP_TRY(const auto judged, admit(parts, batches));
  std::vector<Judged> taken;
  for (const auto& one : judged) {
    if (one.verdict == Verdict::take) taken.push_back(one);
  }
  if (!taken.empty()) crash_at("telemetry.before_series");
  ECP_TRY(const auto applied, store_batches(parts.series, taken));
  if (!taken.empty()) {
    crash_at("telemetry.after_series");
    ECP_TRY_VOID(refuse_reused(parts, env, taken, applied));
    ECP_TRY_VOID(move_cursors(parts.store, taken, applied));
    crash_at("telemetry.after_cursor");
  }
  for (const auto& [agent, ack] : answers_to(judged, taken, applied)) acknowledge(agent, ack);
  for (const auto& one : taken) {
    if (one.incoming->batch.samples.empty() || !parts.live.has_listener(one.scope)) continue;
    parts.live.publish(one.scope, "value", live_json(*one.incoming));
  }
  return {};
}

std::map<EdgeNodeId, std::vector<Incoming>> by_agent(std::vector<Incoming> batches) {
  std::map<EdgeNodeId, std::vector<Incoming>> parts;
  for (auto& batch : batches) parts[batch.agent].push_back(std::move(batch));
  return parts;
}

}  // namespace

bool is_buffer_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && is_clean_utf8(text);
}

/// What cannot be stored, as into a file that is damaged, keeps no other agent's from it.
void IngestEngine::take_telemetry(std::span<const Heard> messages) {
  auto& state = *state_;
  std::vector<Incoming> decoded;
  for (const auto& message : messages) {
    if (auto incoming = decode(message, state.env)) decoded.push_back(std::move(*incoming));
  }
  if (decoded.empty()) return;
  const Acknowledge acknowledge = [&state](EdgeNodeId agent, const link::Ack& ack) {
    state.acknowledge(agent, ack);
  };
  const std::lock_guard lock(state.telemetry);
  const auto all = take_batches(state.parts, state.env, decoded, acknowledge);
  if (all) return;
  const auto parts = by_agent(std::move(decoded));
  for (const auto& [agent, batches] : parts) {
    const auto done =
        parts.size() == 1 ? all : take_batches(state.parts, state.env, batches, acknowledge);
    if (done) continue;
    state.env.log.error("fleet", "telemetry could not be stored; the agent will send it again",
                        {{"node", agent.to_string()}, {"error", done.error().describe()}});
  }
}

}  // namespace ecp::inline v0::fleet
