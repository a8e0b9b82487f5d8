// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/pipeline/buffer.hpp>

#include "core/crash_point.hpp"
#include "pipeline/journals.hpp"

namespace ecp::inline v0::pipeline {
namespace {

constexpr std::int64_t chunks_per_batch = 64;
constexpr std::size_t samples_per_batch = 2'000;
constexpr std::int64_t journal_items = 50;
constexpr std::size_t journal_bytes = 64 * kibibyte;
constexpr std::size_t dropped_ranges = 64;  // Told in one batch; the next ones follow later.
constexpr auto late_transition = Milliseconds{60'000};

/// What all batches of a buffer say of it.
struct Sender {
  const std::string& buffer_id;
  const std::string& life;
};

/// Join stored items, up to the first that cannot be read, into the document of one batch. Fails
/// when that is the first of all.
template <class Item, class Parse>
Result<Buffer::JournalPart> join(const std::vector<BufferStore::JournalItem>& stored,
                                 const Sender& sender, Parse parse) {
  link::JournalBatch<Item> batch;
  batch.buffer_id = sender.buffer_id;
  batch.life = sender.life;
  batch.first = stored.front().number;
  std::size_t bytes = 0;
  for (const auto& each : stored) {
    bytes += each.body.size();
    const bool is_next = each.number == batch.first + static_cast<std::int64_t>(batch.items.size());
    if (!batch.items.empty() && (bytes > journal_bytes || !is_next)) break;
    auto part = parse(each.body);
    if (!part && batch.items.empty()) return std::move(part).error();
    if (!part) break;
    for (auto& item : part->items) batch.items.push_back(std::move(item));
  }
  Buffer::JournalPart part;
  part.last = batch.first + static_cast<std::int64_t>(batch.items.size()) - 1;
  part.document = link::to_json(batch);
  return part;
}

Result<link::AlarmBatch> parse_transition(std::string_view body, Time now) {
  ECP_TRY(auto batch, link::parse_alarm_batch(body));
  for (auto& each : batch.items) each.late = now - each.at > late_transition;
  return batch;
}

Result<Buffer::JournalPart> join_part(std::string_view journal,
                                      const std::vector<BufferStore::JournalItem>& stored,
                                      const Sender& sender, Time now) {
  if (journal == reported_journal) {
    return join<link::ReportedItem>(stored, sender, link::parse_reported_batch);
  }
  if (journal == event_journal) {
    return join<link::AgentEvent>(stored, sender, link::parse_event_batch);
  }
  return join<link::Transition>(
      stored, sender, [now](std::string_view body) { return parse_transition(body, now); });
}

/// Samples with consecutive numbers.
struct Run {
  std::vector<series::Sample> samples;
  std::int64_t last = 0;
};

/// Join chunks without a hole, up to the first that cannot be read. Fails when that is the first of
/// all.
Result<Run> join_chunks(const std::vector<Chunk>& chunks, std::int64_t upto,
                        std::size_t max_bytes) {
  Run run;
  run.last = chunks.front().first - 1;
  std::size_t bytes = 0;
  for (const auto& chunk : chunks) {
    bytes += chunk.body.size();
    const bool is_full = bytes > max_bytes || run.samples.size() >= samples_per_batch;
    const bool is_next = chunk.first == run.last + 1 && chunk.first <= upto;
    if (!run.samples.empty() && (is_full || !is_next)) break;
    auto part = series::decode_samples(chunk.body);
    if (!part && run.samples.empty()) return std::move(part).error();
    if (!part) break;
    for (auto& sample : *part) run.samples.push_back(std::move(sample));
    run.last = chunk.last;
  }
  return run;
}

}  // namespace

Result<std::optional<Buffer::Batch>> Buffer::batch(std::string_view stream, std::int64_t from,
                                                   std::int64_t upto, std::size_t max_bytes,
                                                   Time late_before) {
  while (true) {
    ECP_TRY(const auto chunks, store_.read([&](storage::Transaction& transaction) {
      return transaction.get<BufferStore>().list(stream, from, chunks_per_batch);
    }));
    if (chunks.empty() || chunks.front().first > upto) return std::nullopt;
    auto run = join_chunks(chunks, upto, max_bytes);
    if (!run) {
      ECP_TRY_VOID(drop_unreadable(chunks.front(), run.error()));
      continue;
    }
    Batch made;
    ECP_TRY(made.head, head_of(stream, chunks.front().first, run->last));
    for (auto& sample : run->samples) sample.late = sample.time < late_before;
    made.body = series::encode_samples(run->samples);
    return made;
  }
}

Result<link::TelemetryHead> Buffer::head_of(std::string_view stream, std::int64_t first,
                                            std::int64_t last) {
  return store_.read([&](storage::Transaction& transaction) -> Result<link::TelemetryHead> {
    auto& store = transaction.get<BufferStore>();
    link::TelemetryHead head{state_.buffer_id, std::string(stream), first, last, 0, {}, 0, life_};
    const auto renumbered = state_.renumbered.find(stream);
    if (renumbered != state_.renumbered.end() && first <= renumbered->second) {
      head.renumbered = renumbered->second;
    }
    ECP_TRY(head.dropped, store.dropped(stream));
    ECP_TRY(const auto lowest, store.lowest(stream));
    head.floor = lowest.value_or(first);
    if (!head.dropped.empty()) head.floor = std::min(head.floor, head.dropped.front().first);
    if (head.dropped.size() > dropped_ranges) head.dropped.resize(dropped_ranges);
    return head;
  });
}

/// Its numbers are told to the plane as dropped, and the rest goes on.
Result<void> Buffer::drop_unreadable(const Chunk& chunk, const Error& why) {
  const auto numbers = std::to_string(chunk.first) + " to " + std::to_string(chunk.last);
  env_.log.error("pipeline", "samples cannot be read and are dropped",
                 {{"stream", chunk.stream}, {"numbers", numbers}, {"why", why.describe()}});
  const link::AgentEvent event{"agent.samples_dropped",
                               "the samples " + numbers + " of " + chunk.stream + " cannot be read",
                               env_.clock.now()};
  ECP_TRY(state_, store_.write([&](storage::Transaction& transaction) -> Result<BufferState> {
    auto& store = transaction.get<BufferStore>();
    auto state = state_;
    ECP_TRY(const auto removed, store.remove(chunk.stream, chunk.first, chunk.last));
    ECP_TRY_VOID(store.add_dropped(chunk.stream, {chunk.first, chunk.last}));
    state.bytes -= removed.bytes;
    state.samples -= removed.samples;
    state.dropped += removed.samples;
    ECP_TRY_VOID(store.append(event_journal, journal_body(event)));
    ECP_TRY_VOID(store.save(state));
    return state;
  }));
  return {};
}

Result<std::optional<Buffer::JournalPart>> Buffer::journal_part(std::string_view journal) {
  while (true) {
    ECP_TRY(const auto stored, store_.read([&](storage::Transaction& transaction) {
      return transaction.get<BufferStore>().journal(journal, journal_items);
    }));
    if (stored.empty()) return std::nullopt;
    auto part = join_part(journal, stored, {state_.buffer_id, life_}, env_.clock.now());
    if (part) return std::optional(std::move(*part));
    ECP_TRY_VOID(drop_unreadable(journal, stored.front().number, part.error()));
  }
}

Result<std::string> Buffer::journal_end(std::string_view journal) {
  return store_.read([&](storage::Transaction& transaction) -> Result<std::string> {
    auto& store = transaction.get<BufferStore>();
    ECP_TRY(const auto waiting, store.journal(journal, 1));
    if (!waiting.empty()) return std::string();
    link::EventBatch end;  // Without items all journals' batches look alike.
    end.buffer_id = state_.buffer_id;
    end.life = life_;
    ECP_TRY(end.first, store.next_journal_number(journal));
    return link::to_json(end);
  });
}

/// The hole that this leaves makes the plane ask for a new buffer_id, and the rest goes on.
Result<void> Buffer::drop_unreadable(std::string_view journal, std::int64_t number,
                                     const Error& why) {
  env_.log.error("pipeline", "an item of a journal cannot be read and is dropped",
                 {{"journal", std::string(journal)},
                  {"number", std::to_string(number)},
                  {"why", why.describe()}});
  const link::AgentEvent event{"agent.journal_item_dropped",
                               "an item of the journal " + std::string(journal) + " cannot be read",
                               env_.clock.now()};
  return store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<BufferStore>();
    ECP_TRY_VOID(store.remove_journal(journal, number));
    return store.append(event_journal, journal_body(event));
  });
}

/// A plane of an older version does not say for whom an ack is.
bool Buffer::is_for(const link::Ack& ack) const noexcept {
  return ack.buffer_id == state_.buffer_id && (ack.life.empty() || ack.life == life_);
}

Result<bool> Buffer::acknowledge(const link::Ack& ack) {
  if (!is_for(ack)) return false;
  if (ack.renew) {
    ECP_TRY_VOID(renew("the control plane asked for it"));
    return true;
  }
  return is_journal(ack.stream) ? acknowledge_journal(ack) : acknowledge_stream(ack);
}

Result<bool> Buffer::acknowledge_journal(const link::Ack& ack) {
  ECP_TRY(const auto next, store_.read([&](storage::Transaction& transaction) {
    return transaction.get<BufferStore>().next_journal_number(ack.stream);
  }));
  if (std::max(ack.upto, ack.highest) >= next) {
    ECP_TRY_VOID(renew("the control plane has taken more of " + ack.stream + " than was given"));
    return true;
  }
  ECP_TRY_VOID(store_.write([&](storage::Transaction& transaction) {
    return transaction.get<BufferStore>().remove_journal(ack.stream, ack.upto);
  }));
  return false;
}

Result<bool> Buffer::acknowledge_stream(const link::Ack& ack) {
  auto highest = std::max(ack.upto, ack.highest);
  for (const auto& range : ack.ranges) highest = std::max(highest, range.second);
  if (highest >= next_number(ack.stream)) {
    ECP_TRY_VOID(renew("the control plane has taken more samples than were given"));
    return true;
  }
  crash_at("buffer.before_forget");
  ECP_TRY(const auto removed,
          store_.write([&](storage::Transaction& transaction) -> Result<BufferStore::Removed> {
            auto& store = transaction.get<BufferStore>();
            ECP_TRY(auto sum, store.remove(ack.stream, 0, ack.upto));
            for (const auto& range : ack.ranges) {
              ECP_TRY(const auto part, store.remove(ack.stream, range.first, range.second));
              sum.samples += part.samples;
              sum.bytes += part.bytes;
            }
            ECP_TRY_VOID(store.remove_dropped(ack.stream, ack.upto));
            return sum;
          }));
  crash_at("buffer.after_forget");
  state_.samples -= removed.samples;
  state_.bytes -= removed.bytes;
  return false;
}

namespace {

/// Number chunks and dropped ranges of a stream from 1, in their order; return the next number.
Result<std::int64_t> renumber_stream(BufferStore& store, const std::string& stream) {
  ECP_TRY(const auto dropped, store.dropped(stream));
  if (!dropped.empty()) ECP_TRY_VOID(store.remove_dropped(stream, dropped.back().second));
  std::int64_t next = 1;
  auto gap = dropped.begin();
  const auto number_gaps = [&](std::int64_t before) -> Result<void> {
    for (; gap != dropped.end() && gap->first < before; ++gap) {
      const auto count = gap->second - gap->first + 1;
      ECP_TRY_VOID(store.add_dropped(stream, {next, next + count - 1}));
      next += count;
    }
    return {};
  };
  for (std::int64_t from = 0;;) {
    ECP_TRY(const auto chunks, store.list(stream, from, chunks_per_batch));
    for (const auto& chunk : chunks) {
      ECP_TRY_VOID(number_gaps(chunk.first));
      ECP_TRY_VOID(store.renumber(chunk, next));
      next += chunk.last - chunk.first + 1;
      from = chunk.first + 1;
    }
    if (chunks.empty()) break;
  }
  ECP_TRY_VOID(number_gaps(std::numeric_limits<std::int64_t>::max()));
  return next;
}

}  // namespace

Result<void> Buffer::renew(std::string_view why) {
  const auto fresh_id = to_hex(env_.random.bytes(16));
  const link::AgentEvent event{"agent.buffer_renewed", std::string(why), env_.clock.now()};
  auto evaluator = evaluator_;
  evaluator.tell_again();
  const auto memories = evaluator.take_changed();
  ECP_TRY(state_, store_.write([&](storage::Transaction& transaction) -> Result<BufferState> {
    auto& store = transaction.get<BufferStore>();
    for (const auto& memory : memories) ECP_TRY_VOID(store.put(memory));
    auto state = state_;
    state.buffer_id = fresh_id;
    state.is_renewed = true;
    const auto given = state.committed();
    for (auto& [stream, next] : state.next) {
      ECP_TRY(next, renumber_stream(store, stream));
      state.renumbered[stream] = next - 1;
    }
    state.given_before += given - state.committed();
    for (const auto journal : {reported_journal, alarm_journal, event_journal}) {
      ECP_TRY_VOID(store.renumber_journal(journal));
    }
    ECP_TRY_VOID(store.append(event_journal, journal_body(event)));
    ECP_TRY_VOID(store.save(state));
    return state;
  }));
  evaluator_ = std::move(evaluator);
  env_.log.warning("pipeline", "the buffer has a new id", {{"why", std::string(why)}});
  return {};
}

}  // namespace ecp::inline v0::pipeline
