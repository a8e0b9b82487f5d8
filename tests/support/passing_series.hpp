// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A series in front of another.

#include <memory>
#include <utility>
#include <vector>

#include <ecp/series/series_store.hpp>

namespace ecp_test {

/// Passes everything on. The one behind is shared where several replicas of a plane, one after
/// another or side by side, have one database server.
class PassingSeries : public ecp::series::SeriesStore {
 public:
  explicit PassingSeries(std::shared_ptr<ecp::series::SeriesStore> real) : real_(std::move(real)) {}

  ecp::Result<void> begin(const ecp::series::SeriesKey& key, const ecp::IdBytes& agent,
                          std::string_view buffer_id) override {
    return real_->begin(key, agent, buffer_id);
  }
  ecp::Result<std::vector<ecp::series::Applied>> append(
      const std::vector<std::pair<ecp::series::SeriesKey, ecp::series::NumberedBatch>>& batches)
      override {
    return real_->append(batches);
  }
  ecp::Result<std::vector<ecp::series::LatestValue>> latest(
      const ecp::series::SeriesKey& key) override {
    return real_->latest(key);
  }
  ecp::Result<std::vector<ecp::series::Sample>> samples(const ecp::series::SeriesKey& key,
                                                        std::string_view tag, ecp::Time from,
                                                        ecp::Time to, std::size_t limit) override {
    return real_->samples(key, tag, from, to, limit);
  }
  ecp::Result<std::vector<ecp::series::Point>> aggregate(const ecp::series::SeriesKey& key,
                                                         std::string_view tag, ecp::Time from,
                                                         ecp::Time to,
                                                         std::size_t points) override {
    return real_->aggregate(key, tag, from, to, points);
  }
  ecp::Result<std::vector<ecp::series::Gap>> gaps(const ecp::series::SeriesKey& key, ecp::Time from,
                                                  ecp::Time to) override {
    return real_->gaps(key, from, to);
  }
  ecp::Result<void> record_gap(const ecp::series::SeriesKey& key,
                               const ecp::series::Gap& gap) override {
    return real_->record_gap(key, gap);
  }
  ecp::Result<std::int64_t> count(const ecp::series::SeriesKey& key) override {
    return real_->count(key);
  }
  ecp::Result<std::int64_t> expire(ecp::Time keep) override { return real_->expire(keep); }
  ecp::Result<void> remove(const ecp::series::SeriesKey& key) override {
    return real_->remove(key);
  }

 private:
  std::shared_ptr<ecp::series::SeriesStore> real_;
};

}  // namespace ecp_test
