// SPDX-License-Identifier: Apache-2.0
#include "series/columns.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "series/bits.hpp"

namespace ecp::inline v0::series {
namespace {

// Head of a whole column: bits 0-1 the order, bit 2 whether a bit tells zeros, bit 3 whether all
// misses are the same and nothing follows.
constexpr unsigned highest_order = 2;
constexpr std::uint8_t sparse_flag = 4;
constexpr std::uint8_t constant_flag = 8;
constexpr unsigned most_ones = 20;  // So many say that 64 plain bits follow.

enum class RealCoding : std::uint8_t { octets, decimal, bits };
constexpr std::array powers_of_ten{1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
constexpr double greatest_whole = 9007199254740992.0;  // 2^53: all below have their own double.
constexpr std::uint64_t magnitude_bits = ~std::uint64_t{0} >> 1U;

std::uint64_t zigzag(std::uint64_t difference) {
  return (difference << 1U) ^ ((difference >> 63U) != 0 ? ~std::uint64_t{0} : 0);
}
std::uint64_t from_zigzag(std::uint64_t coded) {
  return (coded >> 1U) ^ ((coded & 1U) != 0 ? ~std::uint64_t{0} : 0);
}

/// How a column is written. All arithmetic is modulo 2^64, so that it has no exceptions.
struct Plan {
  unsigned order = 0;
  bool is_sparse = false;
  bool is_constant = false;
  unsigned width = 0;                 ///< Bits of a miss after its Rice quotient.
  std::uint64_t base = 0;             ///< What most misses are near.
  std::vector<std::uint64_t> seeds;   ///< The first value, and the first delta.
  std::vector<std::uint64_t> misses;  ///< Zigzag, less the base.
  std::uint64_t cost = std::numeric_limits<std::uint64_t>::max();  ///< In bits.
};

std::uint64_t cost_of(const std::vector<std::uint64_t>& misses, bool is_sparse, unsigned width) {
  std::uint64_t cost = 0;
  for (auto miss : misses) {
    if (is_sparse) {
      ++cost;
      if (miss == 0) continue;
      --miss;
    }
    const auto quotient = miss >> width;
    cost += quotient < most_ones ? quotient + 1 + width : most_ones + 64;
  }
  return cost;
}

void choose_width(Plan& plan) {
  const auto greatest = *std::max_element(plan.misses.begin(), plan.misses.end());
  const auto widest = std::min(static_cast<unsigned>(std::bit_width(greatest)), 63U);
  for (const bool is_sparse : {false, true}) {
    for (unsigned width = 0; width <= widest; ++width) {
      const auto cost = cost_of(plan.misses, is_sparse, width);
      if (cost >= plan.cost) continue;
      plan.cost = cost;
      plan.is_sparse = is_sparse;
      plan.width = width;
    }
  }
}

/// The plan of one order. `rest` are the differences of that order, without the seeds.
Plan plan_of(unsigned order, std::vector<std::uint64_t> seeds, std::vector<std::uint64_t> rest) {
  Plan plan;
  plan.order = order;
  plan.seeds = std::move(seeds);
  auto sorted = rest;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end(), [](std::uint64_t a, std::uint64_t b) {
    return static_cast<std::int64_t>(a) < static_cast<std::int64_t>(b);
  });
  plan.base = *middle;
  bool all_zero = true;
  for (auto& miss : rest) {
    miss = zigzag(miss - plan.base);
    all_zero = all_zero && miss == 0;
  }
  plan.misses = std::move(rest);
  plan.is_constant = all_zero;
  if (all_zero) {
    plan.cost = 0;
  } else {
    choose_width(plan);
  }
  return plan;
}

Plan best_plan(const std::vector<std::int64_t>& values) {
  std::vector<std::uint64_t> differences(values.begin(), values.end());
  std::vector<std::uint64_t> seeds;
  auto best = plan_of(0, {}, differences);
  for (unsigned order = 1; order <= highest_order && differences.size() > 1; ++order) {
    seeds.push_back(differences.front());
    for (std::size_t i = 0; i + 1 < differences.size(); ++i) {
      differences[i] = differences[i + 1] - differences[i];
    }
    differences.pop_back();
    auto plan = plan_of(order, seeds, differences);
    if (plan.cost < best.cost) best = std::move(plan);
  }
  return best;
}

void write_miss(BitWriter& bits, const Plan& plan, std::uint64_t miss) {
  if (plan.is_sparse) {
    bits.bits(miss == 0 ? 0 : 1, 1);
    if (miss == 0) return;
    --miss;
  }
  const auto quotient = miss >> plan.width;
  if (quotient < most_ones) {
    bits.bits((std::uint64_t{1} << (quotient + 1)) - 2, static_cast<unsigned>(quotient) + 1);
    bits.bits(miss, plan.width);
  } else {
    bits.bits((std::uint64_t{1} << most_ones) - 1, most_ones);
    bits.bits(miss, 64);
  }
}

std::uint64_t read_miss(BitReader& bits, const Plan& plan) {
  if (!plan.is_sparse) return bits.rice(plan.width, most_ones);
  return bits.bits(1) == 0 ? 0 : bits.rice(plan.width, most_ones) + 1;
}

std::optional<Plan> read_plan(OctetReader& in, std::size_t count) {
  const auto head = in.octet();
  if (!head || (*head & 3U) > highest_order || *head >= 2 * constant_flag) return std::nullopt;
  Plan plan;
  plan.order = *head & 3U;
  plan.is_sparse = (*head & sparse_flag) != 0;
  plan.is_constant = (*head & constant_flag) != 0;
  if (plan.order >= count) return std::nullopt;
  const auto base = in.signed_number();
  if (!base) return std::nullopt;
  plan.base = static_cast<std::uint64_t>(*base);
  for (unsigned i = 0; i < plan.order; ++i) {
    const auto seed = in.signed_number();
    if (!seed) return std::nullopt;
    plan.seeds.push_back(static_cast<std::uint64_t>(*seed));
  }
  if (plan.is_constant) return plan;
  const auto width = in.octet();
  if (!width || *width > 63) return std::nullopt;
  plan.width = *width;
  return plan;
}

/// Sum the differences of an order up until they are the values.
std::vector<std::int64_t> integrate(const Plan& plan, std::vector<std::uint64_t> differences) {
  for (auto order = plan.order; order > 0; --order) {
    differences.insert(differences.begin(), plan.seeds[order - 1]);
    for (std::size_t i = 1; i < differences.size(); ++i) differences[i] += differences[i - 1];
  }
  return {differences.begin(), differences.end()};
}

/// The least factor 10^n that makes all values whole, in which case they become so.
std::optional<unsigned> to_decimals(const std::vector<double>& values,
                                    std::vector<std::int64_t>& wholes) {
  unsigned digits = 0;
  const auto is_exact = [&](double value) {
    const auto scaled = std::round(value * powers_of_ten[digits]);
    return std::abs(scaled) < greatest_whole &&
           std::bit_cast<std::uint64_t>(scaled / powers_of_ten[digits]) ==
               std::bit_cast<std::uint64_t>(value) &&
           (scaled != 0.0 || !std::signbit(value));
  };
  for (const auto value : values) {
    while (!is_exact(value)) {
      if (++digits == powers_of_ten.size()) return std::nullopt;
    }
  }
  for (const auto value : values) {
    if (!is_exact(value)) return std::nullopt;  // Too great for the factor of another.
    wholes.push_back(static_cast<std::int64_t>(std::round(value * powers_of_ten[digits])));
  }
  return digits;
}

/// A whole number of the same order as the real one. `shift` bits at the end are zero.
std::int64_t ordered_bits(double value, unsigned shift) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  const auto magnitude = static_cast<std::int64_t>((bits & magnitude_bits) >> shift);
  return std::signbit(value) ? ~magnitude : magnitude;
}

std::optional<double> from_ordered_bits(std::int64_t ordered, unsigned shift) {
  const auto magnitude = static_cast<std::uint64_t>(ordered < 0 ? ~ordered : ordered);
  if (magnitude > magnitude_bits >> shift) return std::nullopt;
  return std::bit_cast<double>((magnitude << shift) | (ordered < 0 ? ~magnitude_bits : 0));
}

Bytes octets_column(const std::vector<double>& values) {
  OctetWriter out;
  out.octet(static_cast<std::uint8_t>(RealCoding::octets));
  for (const auto value : values) out.real(value);
  return out.take();
}

std::optional<Bytes> decimal_column(const std::vector<double>& values) {
  std::vector<std::int64_t> wholes;
  const auto digits = to_decimals(values, wholes);
  if (!digits) return std::nullopt;
  OctetWriter out;
  out.octet(static_cast<std::uint8_t>(RealCoding::decimal));
  out.octet(static_cast<std::uint8_t>(*digits));
  write_whole_column(out, wholes);
  return out.take();
}

Bytes bits_column(const std::vector<double>& values) {
  std::uint64_t used = 0;
  for (const auto value : values) used |= std::bit_cast<std::uint64_t>(value) & magnitude_bits;
  const auto shift = used == 0 ? 0U : static_cast<unsigned>(std::countr_zero(used));
  std::vector<std::int64_t> ordered;
  ordered.reserve(values.size());
  for (const auto value : values) ordered.push_back(ordered_bits(value, shift));
  OctetWriter out;
  out.octet(static_cast<std::uint8_t>(RealCoding::bits));
  out.octet(static_cast<std::uint8_t>(shift));
  write_whole_column(out, ordered);
  return out.take();
}

std::optional<std::vector<double>> read_octets_column(OctetReader& in, std::size_t count) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = in.real();
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace

void write_whole_column(OctetWriter& out, const std::vector<std::int64_t>& values) {
  if (values.empty()) return;
  const auto plan = best_plan(values);
  out.octet(static_cast<std::uint8_t>(plan.order | (plan.is_sparse ? sparse_flag : 0U) |
                                      (plan.is_constant ? constant_flag : 0U)));
  out.signed_number(static_cast<std::int64_t>(plan.base));
  for (const auto seed : plan.seeds) out.signed_number(static_cast<std::int64_t>(seed));
  if (plan.is_constant) return;
  out.octet(static_cast<std::uint8_t>(plan.width));
  BitWriter bits;
  for (const auto miss : plan.misses) write_miss(bits, plan, miss);
  out.octets(bits.octets());
}

std::optional<std::vector<std::int64_t>> read_whole_column(OctetReader& in, std::size_t count) {
  if (count == 0) return std::vector<std::int64_t>{};
  const auto plan = read_plan(in, count);
  if (!plan) return std::nullopt;
  std::vector<std::uint64_t> differences(count - plan->order, plan->base);
  if (!plan->is_constant) {
    BitReader bits(in.rest());
    for (auto& difference : differences) difference += from_zigzag(read_miss(bits, *plan));
    if (!bits.is_good()) return std::nullopt;
    in.skip(bits.used());
  }
  return integrate(*plan, std::move(differences));
}

void write_real_column(OctetWriter& out, const std::vector<double>& values) {
  if (values.empty()) return;
  auto best = octets_column(values);
  if (auto bits = bits_column(values); bits.size() < best.size()) best = std::move(bits);
  if (auto decimal = decimal_column(values); decimal && decimal->size() < best.size()) {
    best = std::move(*decimal);
  }
  out.octets(best);
}

std::optional<std::vector<double>> read_real_column(OctetReader& in, std::size_t count) {
  if (count == 0) return std::vector<double>{};
  const auto coding = in.octet();
  if (!coding || *coding > static_cast<std::uint8_t>(RealCoding::bits)) return std::nullopt;
  if (*coding == static_cast<std::uint8_t>(RealCoding::octets))
    return read_octets_column(in, count);
  const bool is_decimal = *coding == static_cast<std::uint8_t>(RealCoding::decimal);
  const auto detail = in.octet();  // Digits or shift.
  if (!detail || *detail >= (is_decimal ? powers_of_ten.size() : 63U)) return std::nullopt;
  const auto wholes = read_whole_column(in, count);
  if (!wholes) return std::nullopt;
  std::vector<double> values;
  values.reserve(count);
  for (const auto whole : *wholes) {
    const auto value = is_decimal ? static_cast<double>(whole) / powers_of_ten[*detail]
                                  : from_ordered_bits(whole, *detail);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

}  // namespace ecp::inline v0::series
