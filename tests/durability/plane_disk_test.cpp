// SPDX-License-Identifier: Apache-2.0
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <ecp/core/file.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/tenancy/registries.hpp>
#include <ecp/transport/loopback.hpp>

#include "support/backends.hpp"
#include "support/lossy_disk.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using Fault = LossyDisk::Fault;
using Unsynced = LossyDisk::Unsynced;
using Counts = std::map<std::string, std::int64_t>;

constexpr std::int64_t most_accesses = 5'000;  // More than any of these changes needs.

/// A control plane on one folder. Nothing runs in it but what the test calls.
class PlaneDisk {
 public:
  Result<void> open() {
    ECP_TRY_VOID(make_private_folder(folder_.file("plane")));
    plane::PlaneConfig config;
    config.data_folder = folder_.file("plane");
    config.outgoing_threads = 0;
    storage::SqliteOptions options;
    options.path = path();
    options.writer_thread = false;
    plane::Parts parts;
    ECP_TRY(parts.store, storage::open_sqlite(options, plane::store_modules(), world_.env()));
    parts.gateway = network_.gateway();
    ECP_TRY(plane_, plane::ControlPlane::open(config, std::move(parts), world_.env()));
    return {};
  }
  void close() { plane_.reset(); }
  [[nodiscard]] std::string path() const { return folder_.file("plane/ecpd.db"); }
  [[nodiscard]] Counts counts() const { return rows_of_tables(path()); }

  /// Make the project and the token that enrollments need.
  void prepare() {
    const auto organization = must(create_organization());
    access::Scope scope;
    scope.organization = organization.id;
    const auto grant = plane_->authorizer().system("test", scope);
    scope.project = must(plane_->projects().create(grant, organization.id, {"Hall", ""})).id;
    fleet::EnrollmentTokenRegistry::NewToken wanted;
    wanted.name = "line";
    wanted.uses = 10'000;
    token_ =
        must(plane_->enrollment_tokens().create(plane_->authorizer().system("test", scope), wanted))
            .text;
  }
  Result<tenancy::Organization> create_organization() {
    const auto platform = plane_->authorizer().system("test", access::Scope::platform());
    return plane_->organizations().create(platform, {"Works " + next_number(), ""});
  }
  Result<fleet::EnrollmentAnswer> enroll() {
    const auto csr = must(pki::make_csr(must(pki::make_p256_key()), "any"));
    return plane_->enrollment().enroll(token_.view(), csr, "gateway-" + next_number(), {});
  }

 private:
  TemporaryFolder folder_;
  ManualEnv world_{7};
  transport::LoopbackNetwork network_{world_.env()};
  std::unique_ptr<plane::ControlPlane> plane_;
  Secret token_;
};

using Act = std::function<bool(PlaneDisk&)>;

const std::map<std::string, Act>& acts() {
  static const std::map<std::string, Act> all{
      {"a new organization",
       [](PlaneDisk& disk) { return disk.create_organization().has_value(); }},
      {"an enrollment", [](PlaneDisk& disk) { return disk.enroll().has_value(); }}};
  return all;
}

/// What one undisturbed act adds to each table.
Counts growth(PlaneDisk& disk, const Act& act) {
  const auto before = disk.counts();
  REQUIRE(act(disk));
  auto grown = disk.counts();
  for (const auto& [table, count] : before) grown[table] -= count;
  return grown;
}

Counts sum(Counts counts, const Counts& more) {
  for (const auto& [table, count] : more) counts[table] += count;
  return counts;
}

/// Let the power go at one access of an act; false when the act has not so many.
bool cut_at(LossyDisk& lossy, PlaneDisk& disk, const Act& act, std::int64_t number,
            Unsynced unsynced, const Counts& growth) {
  SeededRandom chance(static_cast<std::uint64_t>(number));
  const auto before = disk.counts();
  lossy.fail_at(number, Fault::cut);
  const bool is_answered = act(disk);
  const bool was_cut = lossy.end_fault();
  lossy.power_cut();  // At the latest now, right after the answer.
  disk.close();
  lossy.restore(unsynced, chance);
  CHECK(integrity_of(disk.path()) == "ok");
  const auto found = disk.counts();
  const bool is_new = found == sum(before, growth);
  CHECK_MESSAGE((is_new || (found == before && !is_answered)), "cut at access " << number);
  must(disk.open());
  return was_cut;
}

TEST_SUITE("durability.plane") {
  TEST_CASE("a power cut at any moment leaves an effect with its audit entry, or neither") {
    LossyDisk lossy;
    PlaneDisk disk;
    must(disk.open());
    disk.prepare();
    for (const auto& [name, act] : acts()) {
      CAPTURE(name);
      const auto grown = growth(disk, act);
      CHECK(grown.at("audit_entries") == 1);
      for (const auto unsynced :
           {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors}) {
        at_every_access(most_accesses, 2, [&](std::int64_t number) {
          return cut_at(lossy, disk, act, number, unsynced, grown);
        });
      }
    }
  }

  TEST_CASE("a failing or full disk is told, changes nothing, and the same succeeds afterwards") {
    LossyDisk lossy;
    PlaneDisk disk;
    must(disk.open());
    disk.prepare();
    for (const auto& [name, act] : acts()) {
      CAPTURE(name);
      const auto grown = growth(disk, act);
      for (const auto fault : {Fault::io_error, Fault::full}) {
        at_every_access(most_accesses, 2, [&](std::int64_t number) {
          const auto before = disk.counts();
          lossy.fail_at(number, fault);
          const bool is_done = act(disk);
          const bool was_met = lossy.end_fault();
          CHECK_MESSAGE((disk.counts() == (is_done ? sum(before, grown) : before)),
                        "failed at access " << number);
          CHECK((is_done || act(disk)));
          return was_met;
        });
      }
    }
  }

  TEST_CASE("whenever in its first start the power goes, the next start works") {
    constexpr std::int64_t stride = 11;  // One start has many hundred accesses.
    LossyDisk lossy;
    bool was_cut = true;
    std::int64_t number = 1;
    for (; was_cut && number < most_accesses; number += stride) {
      PlaneDisk disk;
      SeededRandom chance(static_cast<std::uint64_t>(number));
      lossy.fail_at(number, Fault::cut);
      const bool is_open = disk.open().has_value();
      was_cut = lossy.end_fault();
      CHECK((is_open || was_cut));
      lossy.power_cut();
      disk.close();
      lossy.restore(Unsynced::some_sectors, chance);
      const auto opened = disk.open();
      CHECK_MESSAGE(opened, "cut at access " << number);
      if (opened) CHECK(disk.create_organization());
    }
    CHECK(number > stride);
    CHECK(number < most_accesses);
  }
}

/// A batch of a hundred samples that follows those before it.
series::NumberedBatch batch_after(std::int64_t last, Time time) {
  series::NumberedBatch batch;
  batch.buffer_id = "b";
  batch.first = last + 1;
  for (int i = 0; i < 100; ++i) {
    series::Sample sample;
    sample.tag = "furnace/fast/counter";
    sample.time = time + Milliseconds(last + i);
    sample.value = last + i;
    batch.samples.push_back(std::move(sample));
  }
  return batch;
}

/// Let the power go at one access of the second batch of samples; false when there are not so many.
bool cut_series_at(LossyDisk& lossy, std::int64_t number, Unsynced unsynced,
                   std::int64_t stored_before) {
  ManualEnv world(7);
  const TemporaryFolder folder;
  SeededRandom chance(static_cast<std::uint64_t>(number));
  const series::SeriesKey key{IdBytes{1}, IdBytes{2}};
  const auto now = world.env().clock.now();
  auto store = must(series::open_embedded_series(folder.file("series"), world.env()));
  if (stored_before > 0) must(store->append({{key, batch_after(0, now)}}));
  lossy.fail_at(number, Fault::cut);
  const auto applied = store->append({{key, batch_after(stored_before, now)}});
  const bool was_cut = lossy.end_fault();
  lossy.power_cut();
  store.reset();
  lossy.restore(unsynced, chance);
  store = must(series::open_embedded_series(folder.file("series"), world.env()));
  const auto count = must(store->count(key));
  const bool is_whole = count == stored_before + 100 || (count == stored_before && !applied);
  CHECK_MESSAGE(is_whole, count << " samples after a cut at access " << number);
  const auto again = must(store->append({{key, batch_after(stored_before, now)}}));
  CHECK(again.at(0).upto == stored_before + 100);
  CHECK(must(store->count(key)) == stored_before + 100);
  return was_cut;
}

TEST_SUITE("durability.series") {
  TEST_CASE(
      "samples that were acknowledged survive a power cut, and come in once when sent again") {
    LossyDisk lossy;
    for (const std::int64_t stored_before : {0, 100}) {  // Without and with the day's file.
      for (const auto unsynced :
           {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors}) {
        at_every_access(most_accesses, 2, [&](std::int64_t number) {
          return cut_series_at(lossy, number, unsynced, stored_before);
        });
      }
    }
  }
}

}  // namespace
}  // namespace ecp_test
