// SPDX-License-Identifier: Apache-2.0
#include <variant>

#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/platform/live_events.hpp>

#include "core/crash_point.hpp"
#include "fleet/ingest_state.hpp"
#include "fleet/live.hpp"

namespace ecp::inline v0::fleet {
namespace {

using AnyBatch = std::variant<link::ReportedBatch, link::AlarmBatch, link::EventBatch>;

/// One journal batch that could be read.
struct Incoming {
  EdgeNodeId agent;
  std::string stream;
  AnyBatch batch;
};

/// What a unit of work means for the agents.
struct Outcome {
  std::vector<std::pair<EdgeNodeId, link::Ack>> acks;
  std::vector<const Incoming*> holes;  ///< Batches that nothing was done about.
  bool is_change = false;              ///< Not so when all only say where a journal ends.
};

/// What to do about a batch with a hole before it.
enum class OnHole { report, refuse };

template <class Batch>
std::optional<Incoming> made(const Heard& heard, std::string_view stream, Result<Batch> batch,
                             Env env) {
  if (batch && (batch->first < 1 || !is_buffer_id(batch->buffer_id))) {
    batch = Error(ecp::reasons::bad_field,
                  {{"field", "buffer_id or first"}, {"problem", "is out of bounds"}});
  }
  if (!batch) {
    env.log.warning("fleet", "a journal batch was refused",
                    {{"node", heard.agent.to_string()},
                     {"stream", std::string(stream)},
                     {"error", batch.error().describe()}});
    return std::nullopt;
  }
  return Incoming{heard.agent, std::string(stream), AnyBatch(std::move(*batch))};
}

std::optional<Incoming> parse(const Heard& heard, Env env) {
  switch (heard.channel.kind) {
    case transport::ChannelKind::reported:
      return made(heard, "reported", link::parse_reported_batch(heard.payload), env);
    case transport::ChannelKind::alarm:
      return made(heard, "alarm", link::parse_alarm_batch(heard.payload), env);
    case transport::ChannelKind::event:
      return made(heard, "event", link::parse_event_batch(heard.payload), env);
    default:
      return std::nullopt;
  }
}

/// Applies one batch inside a transaction.
class Applier {
 public:
  Applier(storage::Transaction& transaction, const IngestEngine::Parts& parts, Env env,
          const EdgeNode& node)
      : transaction_(transaction), parts_(parts), env_(env), node_(node) {}

  /// The database is older than the agent's journals.
  Result<void> reconsider(const std::string& stream) {
    env_.log.warning("fleet", "an agent has told more than is known here",
                     {{"node", node_.id.to_string()}, {"stream", stream}});
    ECP_TRY_VOID(note_event({{"event", "journal.more_told_than_known"},
                             {"text",
                              "the database was put back, or the agent has lost an item; it tells "
                              "all once more"}}));
    return parts_.commands.reconsider(transaction_, node_.id);
  }

  /// The agent numbers anew by itself: its disk was put back, or else the database was.
  Result<void> judge_commands_anew() {
    ECP_TRY_VOID(parts_.commands.distrust(transaction_, node_.id));
    return parts_.commands.reconsider(transaction_, node_.id);
  }

  Result<void> apply(std::span<const link::ReportedItem> items, std::int64_t /*first*/) {
    for (const auto& item : items) {
      for (const auto& resource : item.resources) ECP_TRY_VOID(note_resource(resource));
      if (item.command) {
        ECP_TRY_VOID(parts_.commands.finish(transaction_, node_.id, *item.command));
      }
    }
    return {};
  }

  Result<void> apply(std::span<const link::Transition> items, std::int64_t first) {
    std::vector<NumberedTransition> numbered;
    for (const auto& item : items) numbered.push_back({first++, item});
    return parts_.transitions.apply(transaction_, node_, numbered);
  }

  Result<void> apply(std::span<const link::AgentEvent> items, std::int64_t /*first*/) {
    for (const auto& item : items) {
      ECP_TRY_VOID(
          note_event({{"event", item.name}, {"text", item.text}, {"at", to_rfc3339(item.at)}}));
    }
    return {};
  }

 private:
  Result<void> note_event(audit::Details details) {
    return audit::append_unauthenticated(
        transaction_, env_,
        {{access::PrincipalKind::agent, node_.id.bytes(), "certificate"}, node_.scope(), {}},
        operations::edge_node_event, audit::Outcome::done,
        {"edge_node", node_.id.to_string(), node_.name}, std::move(details));
  }

  Result<void> note_resource(const link::ReportedResource& resource) {
    constexpr std::string_view prefix = "service/";
    if (resource.name.substr(0, prefix.size()) != prefix) return {};
    const auto id = EdgeServiceId::parse(std::string_view(resource.name).substr(prefix.size()));
    if (!id) return {};
    auto& services = transaction_.get<EdgeServiceStore>();
    ECP_TRY(auto service, services.find(*id));
    if (!service || service->node != node_.id) return {};
    auto& status = service->status;
    const bool same = status.wanted_sha256 == resource.wanted_sha256 &&
                      status.applied_sha256 == resource.applied_sha256 &&
                      status.resource == resource.state &&
                      status.resource_reason == resource.reason;
    if (same) return {};
    status.wanted_sha256 = resource.wanted_sha256;
    status.applied_sha256 = resource.applied_sha256;
    status.resource = resource.state;
    status.resource_reason = resource.reason;
    ECP_TRY_VOID(services.put_status(*id, status));
    transaction_.after_commit(
        [&live = parts_.live, scope = node_.scope(), text = live_json(*service)] {
          live.publish(scope, "service", text);
        });
    return {};
  }

  storage::Transaction& transaction_;
  const IngestEngine::Parts& parts_;
  Env env_;
  const EdgeNode& node_;
};

/// Apply what follows the cursor and say where it stands. A hole before the batch means that the
/// database is older than the journal: only a new buffer can make both agree again, and nothing
/// more is stored from the old one, since the agent will send all of that anew.
template <class Batch>
Result<void> apply_batch(storage::Transaction& transaction, Applier& applier,
                         const Incoming& incoming, const Batch& batch, OnHole on_hole,
                         Outcome& outcome) {
  auto& buffers = transaction.get<BufferStore>();
  link::Ack ack{incoming.stream, batch.buffer_id, 0, {}, false, batch.life, 0};
  ECP_TRY(const bool refused, buffers.is_refused(incoming.agent, batch.buffer_id));
  ECP_TRY(const auto cursor, buffers.cursor(incoming.agent, incoming.stream, batch.buffer_id));
  if (refused || batch.first > cursor + 1) {
    if (!refused) {
      if (on_hole == OnHole::report) {
        outcome.holes.push_back(&incoming);
        return {};
      }
      ECP_TRY_VOID(buffers.advance(incoming.agent, incoming.stream, batch.buffer_id, cursor));
      ECP_TRY_VOID(buffers.refuse_all(incoming.agent));
      ECP_TRY_VOID(applier.reconsider(incoming.stream));
    }
    ack.renew = true;
    outcome.acks.emplace_back(incoming.agent, std::move(ack));
    return {};
  }
  const auto last = batch.first + static_cast<std::int64_t>(batch.items.size()) - 1;
  ack.upto = last;
  if (cursor > last) ack.highest = cursor;
  if (last > cursor) {
    const auto known = static_cast<std::size_t>(cursor + 1 - batch.first);
    // Telemetry under way from the buffer before comes again as renumbered, and is known.
    if (cursor == 0) {
      ECP_TRY(const bool is_unasked,
              buffers.begin(incoming.agent, incoming.stream, batch.buffer_id));
      if (is_unasked) ECP_TRY_VOID(applier.judge_commands_anew());
    }
    ECP_TRY_VOID(applier.apply(std::span(batch.items).subspan(known), cursor + 1));
    ECP_TRY_VOID(buffers.advance(incoming.agent, incoming.stream, batch.buffer_id, last));
    outcome.is_change = true;
  }
  outcome.acks.emplace_back(incoming.agent, std::move(ack));
  return {};
}

Result<void> apply_one(storage::Transaction& transaction, const IngestEngine::Parts& parts, Env env,
                       const Incoming& incoming, OnHole on_hole, Outcome& outcome) {
  ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(incoming.agent));
  if (!node || node->revoked) return {};
  Applier applier(transaction, parts, env, *node);
  return std::visit(
      [&](const auto& batch) {
        return apply_batch(transaction, applier, incoming, batch, on_hole, outcome);
      },
      incoming.batch);
}

Result<Outcome> take_some(const IngestEngine::Parts& parts, Env env, std::span<const Incoming> some,
                          OnHole on_hole) {
  return parts.store.write([&](storage::Transaction& transaction) -> Result<Outcome> {
    Outcome outcome;
    for (const auto& incoming : some) {
      ECP_TRY_VOID(apply_one(transaction, parts, env, incoming, on_hole, outcome));
    }
    return outcome;
  });
}

}  // namespace

IngestEngine::IngestEngine(const Parts& parts, Env env)
    : state_(std::make_unique<State>(parts, env)) {}

IngestEngine::~IngestEngine() = default;

void IngestEngine::take_journals(std::span<const Heard> messages) {
  auto& state = *state_;
  std::vector<Incoming> parsed;
  for (const auto& message : messages) {
    if (auto incoming = parse(message, state.env)) parsed.push_back(std::move(*incoming));
  }
  const auto failed = [&](const Incoming& incoming, const Error& error) {
    state.env.log.error("fleet", "a journal batch could not be applied; it will come again",
                        {{"node", incoming.agent.to_string()},
                         {"stream", incoming.stream},
                         {"error", error.describe()}});
  };
  // Telemetry under way is acknowledged before its buffer is refused: it would come again in a new
  // one, and be stored twice.
  const auto refuse = [&](const Incoming& incoming) {
    const std::lock_guard lock(state.telemetry);
    const auto taken = take_some(state.parts, state.env, {&incoming, 1}, OnHole::refuse);
    if (!taken) return failed(incoming, taken.error());
    for (const auto& [agent, ack] : taken->acks) state.acknowledge(agent, ack);
  };
  const auto tell = [&](const Outcome& outcome) {
    for (const auto& [agent, ack] : outcome.acks) state.acknowledge(agent, ack);
    for (const auto* hole : outcome.holes) refuse(*hole);
  };
  if (parsed.empty()) return;
  if (const auto all = take_some(state.parts, state.env, parsed, OnHole::report)) {
    if (all->is_change) crash_at("journal.after_commit");
    return tell(*all);
  }
  for (const auto& incoming : parsed) {  // One that fails must not hold up the others.
    const auto one = take_some(state.parts, state.env, {&incoming, 1}, OnHole::report);
    one ? tell(*one) : failed(incoming, one.error());
  }
}

}  // namespace ecp::inline v0::fleet
