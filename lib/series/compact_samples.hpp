// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Samples of a block of version 2: each is told as what differs from what was to be expected after
/// those before it. docs/formats.md has the coding.

#include <cstdint>
#include <string>
#include <vector>

#include <ecp/core/result.hpp>
#include <ecp/series/sample.hpp>

#include "series/octets.hpp"

namespace ecp::inline v0::series::compact {

/// What both ends have seen so far, and so expect next.
struct Expectation {
  struct Tag {
    static constexpr unsigned no_form = 256;
    unsigned form = no_form;
    std::uint64_t last = 0;  ///< Whole number or octets of the value, under that form.
    std::uint64_t next = 0;  ///< The tag that came after this one.
  };
  /// The state of a tag that comes now, in place of the one expected.
  Tag& come(std::uint64_t tag);

  std::vector<Tag> tags;
  std::uint64_t before = 0;  ///< The tag that came last.
  std::uint64_t tag = 0;     ///< The one expected next.
  std::int64_t time = 0;     ///< Of the sample before, in ms.
};

class SampleWriter {
 public:
  explicit SampleWriter(OctetWriter& out) : out_(out) {}
  /// `tag` and `error` are places in the block's lists of words.
  void add(const Sample& sample, std::uint64_t tag, std::uint64_t error);

 private:
  OctetWriter& out_;
  Expectation expected_;
};

class SampleReader {
 public:
  SampleReader(OctetReader& in, const std::vector<std::string>& tags,
               const std::vector<std::string>& errors)
      : in_(in), tags_(tags), errors_(errors) {}
  /// Fails with series.bad_block.
  [[nodiscard]] Result<Sample> next();

 private:
  [[nodiscard]] Result<Value> value(Expectation::Tag& tag, unsigned small);
  OctetReader& in_;
  const std::vector<std::string>& tags_;
  const std::vector<std::string>& errors_;
  Expectation expected_;
};

}  // namespace ecp::inline v0::series::compact
