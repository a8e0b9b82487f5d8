// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A buffer on a file that outlives it, so that a test can end it as a power cut would.

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>

#include "support/backends.hpp"
#include "support/faulty_store.hpp"

namespace ecp_test {

struct BufferWorld {
  explicit BufferWorld(std::size_t bytes = 1 << 20) : max_bytes(bytes) { open(); }

  /// Everything in memory is lost, everything committed stays.
  void power_cut() {
    buffer.reset();
    faulty.reset();
    store.reset();
    open();
  }

  /// `count` samples of one tag with values 0, 1, ...
  static std::vector<ecp::pipeline::Observation> samples(int count, ecp::Time time = {}) {
    std::vector<ecp::pipeline::Observation> made;
    for (int i = 0; i < count; ++i) {
      ecp::pipeline::Observation seen;
      seen.sample.tag = "furnace/fast/counter";
      seen.sample.time = time;
      seen.sample.value = std::int64_t{i};
      made.push_back(std::move(seen));
    }
    return made;
  }

  void store_samples(int count) {
    buffer->add(service, samples(count, env.clock.now()));
    REQUIRE(buffer->flush());
  }

  /// Everything unacknowledged, as one batch.
  ecp::pipeline::Buffer::Batch all() {
    auto batch = buffer->batch(stream, 1, 1'000'000, 1 << 20, ecp::Time{});
    REQUIRE(batch);
    REQUIRE(*batch);
    return std::move(**batch);
  }

  ecp::link::Ack ack(std::int64_t upto) const {
    ecp::link::Ack made;
    made.stream = stream;
    made.buffer_id = buffer->id();
    made.upto = upto;
    return made;
  }

  std::size_t max_bytes;
  ecp::ManualEnv env;
  SqliteBackend file;
  std::unique_ptr<ecp::storage::Store> store;
  std::unique_ptr<FaultyStore> faulty;
  std::unique_ptr<ecp::pipeline::Buffer> buffer;
  ecp::link::EdgeServiceId service{ecp::IdBytes{7}};
  std::string stream = service.to_string();

 private:
  void open() {
    static const std::array modules{&ecp::storage::pipeline_module()};
    auto opened = file.reopen(modules, env.env());
    REQUIRE(opened);
    store = std::move(*opened);
    faulty = std::make_unique<FaultyStore>(*store);
    auto made = ecp::pipeline::Buffer::open(*faulty, {max_bytes}, env.env());
    REQUIRE(made);
    buffer = std::move(*made);
  }
};

}  // namespace ecp_test
