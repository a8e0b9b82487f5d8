// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string_view>
#include <vector>

#include <ecp/pipeline/buffer_store.hpp>
#include <ecp/storage/sql/pipeline.hpp>

#include "sim/passing_stores.hpp"
#include "sim/planted_bugs.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

/// Passes everything on to the real store.
class PassingBufferStore : public InFront<pipeline::BufferStore> {
 public:
  explicit PassingBufferStore(storage::sql::Connection& connection)
      : InFront(storage::pipeline_module(), connection) {}

  Result<pipeline::BufferState> load() override { return real().load(); }
  Result<void> save(const pipeline::BufferState& state) override { return real().save(state); }
  Result<void> insert(const pipeline::Chunk& chunk, std::int64_t position) override {
    return real().insert(chunk, position);
  }
  Result<std::vector<pipeline::Chunk>> list(std::string_view stream, std::int64_t from,
                                            std::int64_t limit) override {
    return real().list(stream, from, limit);
  }
  Result<std::vector<Oldest>> oldest(std::int64_t limit) override { return real().oldest(limit); }
  Result<Removed> remove(std::string_view stream, std::int64_t first, std::int64_t last) override {
    return real().remove(stream, first, last);
  }
  Result<void> renumber(const pipeline::Chunk& chunk, std::int64_t first) override {
    return real().renumber(chunk, first);
  }
  Result<std::optional<std::int64_t>> lowest(std::string_view stream) override {
    return real().lowest(stream);
  }
  Result<std::vector<link::NumberRange>> dropped(std::string_view stream) override {
    return real().dropped(stream);
  }
  Result<void> add_dropped(std::string_view stream, link::NumberRange range) override {
    return real().add_dropped(stream, range);
  }
  Result<void> remove_dropped(std::string_view stream, std::int64_t upto) override {
    return real().remove_dropped(stream, upto);
  }
  Result<void> append(std::string_view journal, std::string_view body) override {
    return real().append(journal, body);
  }
  Result<std::int64_t> next_journal_number(std::string_view journal) override {
    return real().next_journal_number(journal);
  }
  Result<std::vector<JournalItem>> journal(std::string_view journal, std::int64_t limit) override {
    return real().journal(journal, limit);
  }
  Result<void> remove_journal(std::string_view journal, std::int64_t upto) override {
    return real().remove_journal(journal, upto);
  }
  Result<void> renumber_journal(std::string_view journal) override {
    return real().renumber_journal(journal);
  }
  Result<std::vector<pipeline::AlarmMemory>> memories() override { return real().memories(); }
  Result<void> put(const pipeline::AlarmMemory& memory) override { return real().put(memory); }
  Result<void> remove(link::AlarmRuleId rule) override { return real().remove(rule); }
};

class SeeminglyFullBuffer final : public PassingBufferStore {
 public:
  using PassingBufferStore::PassingBufferStore;
  Result<pipeline::BufferState> load() override {
    ECP_TRY(auto state, real().load());
    if (state.samples > 0) state.bytes <<= 40;
    return state;
  }
};

}  // namespace

const storage::StoreModule& pipeline_module_that_seems_full() {
  return planted_in<pipeline::BufferStore, SeeminglyFullBuffer>(storage::pipeline_module());
}

}  // namespace ecp_test
