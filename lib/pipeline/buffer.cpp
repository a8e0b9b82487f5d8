// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/buffer.hpp>

#include <algorithm>
#include <iterator>

#include "core/crash_point.hpp"
#include "pipeline/journals.hpp"

namespace ecp::inline v0::pipeline {
namespace {

constexpr std::size_t most_pending = 50'000;        // Observations held for a flush that fails.
constexpr std::size_t kept_pending = 45'000;        // Of them, once there are more.
constexpr std::size_t chunk_samples = 1'000;        // Rows of chunks stay small, for small memory.
constexpr std::size_t chunk_bytes = 48 * kibibyte;  // Before coding.
constexpr std::int64_t drop_step = 16;              // Chunks looked at while making room.

std::size_t size_of(const series::Sample& sample) {
  const auto* text = std::get_if<std::string>(&sample.value);
  return 16 + sample.error.size() + (text != nullptr ? text->size() : 8);
}

/// Hands out consecutive samples in pieces of bounded size.
template <class Take>
Result<void> in_chunks(std::vector<series::Sample> samples, Take take) {
  std::vector<series::Sample> piece;
  std::size_t bytes = 0;
  for (auto& sample : samples) {
    const auto size = size_of(sample);
    if (!piece.empty() && (piece.size() >= chunk_samples || bytes + size > chunk_bytes)) {
      ECP_TRY_VOID(take(std::exchange(piece, {})));
      bytes = 0;
    }
    bytes += size;
    piece.push_back(std::move(sample));
  }
  if (piece.empty()) return {};
  return take(std::move(piece));
}

std::int64_t& next_of(BufferState& state, const std::string& stream) {
  return state.next.emplace(stream, 1).first->second;
}

}  // namespace

BufferStore::~BufferStore() = default;

/// What one flush changes in memory.
struct Buffer::Flush {
  BufferState state;
  AlarmEvaluator evaluator;

  Result<void> store(BufferStore& store, link::EdgeServiceId service, const Pending& pending) {
    const auto stream = service.to_string();
    if (pending.lost > 0) {
      auto& next = next_of(state, stream);
      ECP_TRY_VOID(store.add_dropped(stream, {next, next + pending.lost - 1}));
      next += pending.lost;
      state.dropped += pending.lost;
    }
    std::vector<series::Sample> reported;
    std::vector<link::Transition> transitions;
    for (const auto& observation : pending.observations) {
      evaluator.judge(service, observation.sample, transitions);
      if (observation.is_reported) reported.push_back(observation.sample);
    }
    for (const auto& transition : transitions) {
      ECP_TRY_VOID(store.append(alarm_journal, journal_body(transition)));
    }
    return in_chunks(std::move(reported), [&](std::vector<series::Sample> piece) {
      return insert(store, stream, piece);
    });
  }

  Result<void> insert(BufferStore& store, const std::string& stream,
                      const std::vector<series::Sample>& samples) {
    auto& next = next_of(state, stream);
    const auto count = static_cast<std::int64_t>(samples.size());
    const Chunk chunk{stream, next, next + count - 1, series::encode_samples(samples)};
    ECP_TRY_VOID(store.insert(chunk, ++state.position));
    next += count;
    state.samples += count;
    state.bytes += static_cast<std::int64_t>(chunk.body.size());
    return {};
  }
};

Buffer::Buffer(storage::Store& store, BufferOptions options, Env env)
    : store_(store), options_(options), env_(env), life_(to_hex(env.random.bytes(8))) {}
Buffer::~Buffer() = default;

Result<std::unique_ptr<Buffer>> Buffer::open(storage::Store& store, BufferOptions options,
                                             Env env) {
  auto buffer = std::unique_ptr<Buffer>(new Buffer(store, options, env));
  ECP_TRY_VOID(buffer->load());
  return buffer;
}

Result<void> Buffer::load() {
  const auto fresh_id = to_hex(env_.random.bytes(16));
  std::vector<AlarmMemory> memories;
  ECP_TRY(state_, store_.write([&](storage::Transaction& transaction) -> Result<BufferState> {
    auto& store = transaction.get<BufferStore>();
    ECP_TRY(auto state, store.load());
    ECP_TRY(memories, store.memories());
    if (state.buffer_id.empty()) {
      state.buffer_id = fresh_id;
      ECP_TRY_VOID(store.save(state));
    }
    return state;
  }));
  evaluator_.restore(std::move(memories), state_.is_renewed);
  return {};
}

void Buffer::add(link::EdgeServiceId service, std::vector<Observation> observations) {
  if (observations.empty()) return;
  const std::lock_guard lock(mutex_);
  pending_count_ += observations.size();
  pending_[service].append(std::move(observations));
  if (pending_count_ > most_pending) give_up_oldest();
}

void Buffer::Pending::append(std::vector<Observation> later) {
  observations.insert(observations.end(), std::make_move_iterator(later.begin()),
                      std::make_move_iterator(later.end()));
}

/// The oldest of the service that has most; of what is given up the number alone stays.
void Buffer::give_up_oldest() {
  while (pending_count_ > kept_pending) {
    auto& most = std::max_element(pending_.begin(), pending_.end(), [](auto& left, auto& right) {
                   return left.second.observations.size() < right.second.observations.size();
                 })->second;
    auto& seen = most.observations;
    const auto count = std::min(seen.size(), pending_count_ - kept_pending);
    const auto end = seen.begin() + static_cast<std::ptrdiff_t>(count);
    most.lost +=
        std::count_if(seen.begin(), end, [](const auto& each) { return each.is_reported; });
    seen.erase(seen.begin(), end);
    pending_count_ -= count;
  }
}

void Buffer::put_back(std::map<link::EdgeServiceId, Pending> pending) {
  for (auto& [service, later] : std::exchange(pending_, std::move(pending))) {
    auto& earlier = pending_[service];
    earlier.append(std::move(later.observations));
    earlier.lost += later.lost;
  }
  pending_count_ = 0;
  for (const auto& [service, each] : pending_) pending_count_ += each.observations.size();
}

Result<void> Buffer::set_rules(link::EdgeAlarmRules rules) {
  const auto gone = evaluator_.set_rules(std::move(rules.rules));
  if (gone.empty()) return {};
  return store_.write([&](storage::Transaction& transaction) -> Result<void> {
    for (const auto rule : gone) {
      ECP_TRY_VOID(transaction.get<BufferStore>().remove(rule));
    }
    return {};
  });
}

Result<bool> Buffer::flush() {
  std::map<link::EdgeServiceId, Pending> pending;
  {
    const std::lock_guard lock(mutex_);
    pending = std::exchange(pending_, {});
    pending_count_ = 0;
  }
  if (pending.empty()) return false;
  auto committed = commit(pending);
  if (committed) return true;
  const std::lock_guard lock(mutex_);
  put_back(std::move(pending));
  return std::move(committed).error();
}

Result<void> Buffer::commit(const std::map<link::EdgeServiceId, Pending>& pending) {
  crash_at("buffer.before_commit");
  ECP_TRY(auto done, store_.write([&](storage::Transaction& transaction) -> Result<Flush> {
    auto& store = transaction.get<BufferStore>();
    Flush flush{state_, evaluator_};
    for (const auto& [service, each] : pending) {
      ECP_TRY_VOID(flush.store(store, service, each));
    }
    for (const auto& memory : flush.evaluator.take_changed()) {
      ECP_TRY_VOID(store.put(memory));
    }
    ECP_TRY_VOID(drop_oldest(store, flush.state));
    ECP_TRY_VOID(store.save(flush.state));
    return flush;
  }));
  crash_at("buffer.after_commit");
  state_ = std::move(done.state);
  evaluator_ = std::move(done.evaluator);
  return {};
}

Result<void> Buffer::drop_oldest(BufferStore& store, BufferState& state) const {
  while (state.bytes > static_cast<std::int64_t>(options_.max_bytes)) {
    ECP_TRY(const auto oldest, store.oldest(drop_step));
    if (oldest.empty()) return {};
    for (const auto& each : oldest) {
      if (state.bytes <= static_cast<std::int64_t>(options_.max_bytes)) return {};
      const auto& chunk = each.chunk;
      ECP_TRY(const auto removed, store.remove(chunk.stream, chunk.first, chunk.last));
      ECP_TRY_VOID(store.add_dropped(chunk.stream, {chunk.first, chunk.last}));
      state.bytes -= removed.bytes;
      state.samples -= removed.samples;
      state.dropped += removed.samples;
    }
  }
  return {};
}

Result<void> Buffer::append(storage::Transaction& transaction, const link::ReportedItem& item) {
  return transaction.get<BufferStore>().append(reported_journal, journal_body(item));
}

Result<void> Buffer::append(const link::ReportedItem& item) {
  return store_.write([&](storage::Transaction& transaction) { return append(transaction, item); });
}

Result<void> Buffer::append(storage::Transaction& transaction, const link::AgentEvent& event) {
  return transaction.get<BufferStore>().append(event_journal, journal_body(event));
}

Result<void> Buffer::append(const link::AgentEvent& event) {
  return store_.write(
      [&](storage::Transaction& transaction) { return append(transaction, event); });
}

std::vector<std::string> Buffer::streams() const {
  std::vector<std::string> names;
  for (const auto& [name, next] : state_.next) names.push_back(name);
  return names;
}

std::int64_t Buffer::next_number(std::string_view stream) const {
  const auto found = state_.next.find(stream);
  return found == state_.next.end() ? 1 : found->second;
}

Backlog Buffer::backlog() const { return {state_.samples, state_.dropped}; }

}  // namespace ecp::inline v0::pipeline
