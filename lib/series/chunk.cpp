// SPDX-License-Identifier: Apache-2.0
#include "series/chunk.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include <ecp/core/limits.hpp>
#include <ecp/series/reasons.hpp>

#include "series/columns.hpp"
#include "series/form.hpp"
#include "series/octets.hpp"

namespace ecp::inline v0::series {
namespace {

constexpr std::uint8_t chunk_version = 1;
constexpr std::size_t max_word = 512;  // A reason symbol.

Error bad(std::string_view problem) {
  return {reasons::bad_block, {{"problem", std::string(problem)}}};
}

/// Differences of times modulo 2^64, so that no time is out of bounds.
std::uint64_t distance(Time from, Time to) {
  return static_cast<std::uint64_t>(to_ms(to)) - static_cast<std::uint64_t>(to_ms(from));
}
Time after(Time from, std::uint64_t ms) {
  return from_ms(static_cast<std::int64_t>(static_cast<std::uint64_t>(to_ms(from)) + ms));
}

ChunkSummary summary_of(const std::vector<Sample>& samples) {
  ChunkSummary summary;
  summary.from = samples.front().time;
  summary.to = samples.front().time;
  for (const auto& sample : samples) {
    ++summary.samples;
    summary.from = std::min(summary.from, sample.time);
    summary.to = std::max(summary.to, sample.time);
    const auto number = number_of(sample);
    if (!number) continue;
    const bool is_only = ++summary.numbers == 1;
    if (is_only || *number < summary.min) summary.min = *number;
    if (is_only || *number > summary.max) summary.max = *number;
    if (is_only || sample.time < summary.first_time) {
      summary.first = *number;
      summary.first_time = sample.time;
    }
    if (is_only || sample.time >= summary.last_time) {
      summary.last = *number;
      summary.last_time = sample.time;
    }
    summary.sum += *number;
    if (sample.late) ++summary.late;
  }
  // Of infinities. Which NaN that is depends on the processor; the octets shall not.
  if (std::isnan(summary.sum)) summary.sum = std::numeric_limits<double>::quiet_NaN();
  return summary;
}

void write_summary(OctetWriter& out, const ChunkSummary& summary) {
  out.octet(chunk_version);
  out.number(static_cast<std::uint64_t>(summary.samples));
  out.signed_number(to_ms(summary.from));
  out.number(distance(summary.from, summary.to));
  out.number(static_cast<std::uint64_t>(summary.numbers));
  if (summary.numbers == 0) return;
  for (const auto value : {summary.min, summary.max, summary.first, summary.last, summary.sum}) {
    out.real(value);
  }
  out.number(distance(summary.from, summary.first_time));
  out.number(distance(summary.last_time, summary.to));
  out.number(static_cast<std::uint64_t>(summary.late));
}

Result<ChunkSummary> read_front(OctetReader& in) {
  const auto version = in.octet();
  if (!version || *version != chunk_version) return bad("its version is not known");
  const auto samples = in.number();
  const auto from = in.signed_number();
  const auto length = in.number();
  const auto numbers = in.number();
  if (!samples || *samples == 0 || *samples > max_chunk_samples) return bad("its size is wrong");
  if (!from || !length || !numbers || *numbers > *samples) return bad("its front is damaged");
  ChunkSummary summary;
  summary.samples = static_cast<std::int64_t>(*samples);
  summary.numbers = static_cast<std::int64_t>(*numbers);
  summary.from = from_ms(*from);
  summary.to = after(summary.from, *length);
  if (summary.to < summary.from) return bad("it ends before it begins");
  if (*numbers == 0) return summary;
  for (auto* value : {&summary.min, &summary.max, &summary.first, &summary.last, &summary.sum}) {
    const auto real = in.real();
    if (!real) return bad("its front is damaged");
    *value = *real;
  }
  const auto first = in.number();
  const auto last = in.number();
  const auto late = in.number();
  if (!first || !last || *first > *length || *last > *length || !late || *late > *numbers) {
    return bad("its front is damaged");
  }
  summary.first_time = after(summary.from, *first);
  summary.last_time = after(summary.to, 0 - *last);
  summary.late = static_cast<std::int64_t>(*late);
  return summary;
}

/// Texts and the order in which they come.
struct Words {
  std::vector<std::string> texts;
  std::vector<std::int64_t> uses;  ///< Indices into `texts`.
  std::map<std::string, std::int64_t, std::less<>> places;

  void add(const std::string& text) {
    const auto made = places.try_emplace(text, static_cast<std::int64_t>(texts.size()));
    if (made.second) texts.push_back(text);
    uses.push_back(made.first->second);
  }
  void write(OctetWriter& out) const {
    if (uses.empty()) return;
    out.number(texts.size());
    for (const auto& text : texts) out.text(text);
    write_whole_column(out, uses);
  }
  /// False when the octets do not hold `count` uses of texts of at most `max` octets.
  [[nodiscard]] bool read(OctetReader& in, std::size_t count, std::size_t max) {
    if (count == 0) return true;
    const auto size = in.number();
    if (!size || *size > count) return false;
    for (std::uint64_t i = 0; i < *size; ++i) {
      const auto text = in.text(max);
      if (!text) return false;
      texts.emplace_back(*text);
    }
    auto column = read_whole_column(in, count);
    if (!column) return false;
    uses = std::move(*column);
    return std::all_of(uses.begin(), uses.end(), [&](std::int64_t use) {
      return use >= 0 && static_cast<std::uint64_t>(use) < texts.size();
    });
  }
};

/// The samples, a column for each kind of thing in them.
struct Columns {
  std::vector<std::int64_t> times;  ///< Milliseconds after the summary's `from`.
  std::vector<std::uint8_t> forms;
  std::vector<std::int64_t> flags;
  std::vector<std::int64_t> wholes;
  std::vector<double> reals;
  Words texts;
  Words errors;
};

Columns columns_of(const std::vector<Sample>& samples, Time from) {
  Columns columns;
  for (const auto& sample : samples) {
    columns.times.push_back(static_cast<std::int64_t>(distance(from, sample.time)));
    columns.forms.push_back(form_of(sample));
    if (!sample.error.empty()) columns.errors.add(sample.error);
    if (sample.quality == Quality::bad) continue;
    if (const auto* flag = std::get_if<bool>(&sample.value)) {
      columns.flags.push_back(*flag ? 1 : 0);
    } else if (const auto* whole = std::get_if<std::int64_t>(&sample.value)) {
      columns.wholes.push_back(*whole);
    } else if (const auto* real = std::get_if<double>(&sample.value)) {
      columns.reals.push_back(std::isnan(*real) ? std::numeric_limits<double>::quiet_NaN() : *real);
    } else {
      columns.texts.add(std::get<std::string>(sample.value));
    }
  }
  return columns;
}

void write_forms(OctetWriter& out, const std::vector<std::uint8_t>& forms) {
  for (std::size_t first = 0; first < forms.size();) {
    auto next = first;
    while (next < forms.size() && forms[next] == forms[first]) ++next;
    out.octet(forms[first]);
    out.number(next - first);
    first = next;
  }
}

bool read_forms(OctetReader& in, std::size_t count, std::vector<std::uint8_t>& forms) {
  while (forms.size() < count) {
    const auto form = in.octet();
    const auto length = in.number();
    if (!form || !is_form(*form) || !length || *length == 0 || *length > count - forms.size()) {
      return false;
    }
    forms.insert(forms.end(), static_cast<std::size_t>(*length), *form);
  }
  return true;
}

/// How many values of each type, and errors, the forms announce.
struct Announced {
  explicit Announced(const std::vector<std::uint8_t>& forms) {
    for (const auto form : forms) {
      if (quality_in(form) != Quality::bad) ++values[static_cast<std::size_t>(type_in(form))];
      if (has_error(form)) ++errors;
    }
  }
  [[nodiscard]] std::size_t of(ValueType type) const {
    return values[static_cast<std::size_t>(type)];
  }
  std::array<std::size_t, 4> values{};
  std::size_t errors = 0;
};

bool read_columns(OctetReader& in, std::size_t count, Columns& columns) {
  auto times = read_whole_column(in, count);
  if (!times || !read_forms(in, count, columns.forms)) return false;
  columns.times = std::move(*times);
  const Announced announced(columns.forms);
  auto flags = read_whole_column(in, announced.of(ValueType::boolean));
  if (!flags) return false;
  columns.flags = std::move(*flags);
  auto wholes = read_whole_column(in, announced.of(ValueType::whole));
  if (!wholes) return false;
  columns.wholes = std::move(*wholes);
  auto reals = read_real_column(in, announced.of(ValueType::real));
  if (!reals) return false;
  columns.reals = std::move(*reals);
  return columns.texts.read(in, announced.of(ValueType::text), limits::sample_string) &&
         columns.errors.read(in, announced.errors, max_word);
}

struct Parsed {
  ChunkSummary summary;
  Columns columns;
};

Result<Parsed> parse(BytesView chunk) {
  OctetReader in(chunk);
  Parsed parsed;
  ECP_TRY(parsed.summary, read_front(in));
  const auto count = static_cast<std::size_t>(parsed.summary.samples);
  if (!read_columns(in, count, parsed.columns)) return bad("a column is damaged");
  if (!in.is_done()) return bad("something follows its last column");
  const auto length = distance(parsed.summary.from, parsed.summary.to);
  for (const auto time : parsed.columns.times) {
    if (static_cast<std::uint64_t>(time) > length) return bad("a time lies outside of it");
  }
  for (const auto flag : parsed.columns.flags) {
    if (flag != 0 && flag != 1) return bad("a flag is neither true nor false");
  }
  return parsed;
}

/// Takes the values out of their columns, in the order of the samples.
class ValueCursor {
 public:
  explicit ValueCursor(const Columns& columns) : columns_(columns) {}
  Value next(std::uint8_t form) {
    if (quality_in(form) == Quality::bad) return 0.0;
    switch (type_in(form)) {
      case ValueType::boolean:
        return columns_.flags[flag_++] == 1;
      case ValueType::whole:
        return columns_.wholes[whole_++];
      case ValueType::real:
        return columns_.reals[real_++];
      default:
        return word(columns_.texts, text_++);
    }
  }
  /// The number that a chart counts, without making a value of it.
  std::optional<double> next_number(std::uint8_t form) {
    if (quality_in(form) == Quality::bad) return std::nullopt;
    switch (type_in(form)) {
      case ValueType::boolean:
        return static_cast<double>(columns_.flags[flag_++]);
      case ValueType::whole:
        return static_cast<double>(columns_.wholes[whole_++]);
      case ValueType::real: {
        const auto real = columns_.reals[real_++];
        return std::isnan(real) ? std::nullopt : std::optional(real);
      }
      default:
        return std::nullopt;
    }
  }
  std::string next_error(std::uint8_t form) {
    return has_error(form) ? word(columns_.errors, error_++) : std::string();
  }

 private:
  static std::string word(const Words& words, std::size_t index) {
    return words.texts[static_cast<std::size_t>(words.uses[index])];
  }
  const Columns& columns_;
  std::size_t flag_ = 0;
  std::size_t whole_ = 0;
  std::size_t real_ = 0;
  std::size_t text_ = 0;
  std::size_t error_ = 0;
};

}  // namespace

std::optional<double> number_of(const Sample& sample) {
  if (sample.quality == Quality::bad) return std::nullopt;
  if (const auto* flag = std::get_if<bool>(&sample.value)) return *flag ? 1.0 : 0.0;
  if (const auto* whole = std::get_if<std::int64_t>(&sample.value)) {
    return static_cast<double>(*whole);
  }
  const auto* real = std::get_if<double>(&sample.value);
  if (real == nullptr || std::isnan(*real)) return std::nullopt;
  return *real;
}

Result<Bytes> encode_chunk(const std::vector<Sample>& samples) {
  if (samples.empty() || samples.size() > max_chunk_samples) return bad("its size is wrong");
  for (const auto& sample : samples) {
    const auto* text = std::get_if<std::string>(&sample.value);
    if (text != nullptr && text->size() > limits::sample_string) return bad("a text is too long");
    if (sample.error.size() > max_word) return bad("an error is too long");
  }
  const auto summary = summary_of(samples);
  const auto columns = columns_of(samples, summary.from);
  OctetWriter out;
  write_summary(out, summary);
  write_whole_column(out, columns.times);
  write_forms(out, columns.forms);
  write_whole_column(out, columns.flags);
  write_whole_column(out, columns.wholes);
  write_real_column(out, columns.reals);
  columns.texts.write(out);
  columns.errors.write(out);
  return out.take();
}

Result<ChunkSummary> read_summary(BytesView chunk) {
  OctetReader in(chunk);
  return read_front(in);
}

Result<std::vector<Sample>> decode_chunk(BytesView chunk, std::string_view tag) {
  ECP_TRY(const auto parsed, parse(chunk));
  std::vector<Sample> samples;
  samples.reserve(parsed.columns.times.size());
  ValueCursor values(parsed.columns);
  for (std::size_t i = 0; i < parsed.columns.times.size(); ++i) {
    const auto form = parsed.columns.forms[i];
    Sample sample;
    sample.tag = tag;
    sample.time = after(parsed.summary.from, static_cast<std::uint64_t>(parsed.columns.times[i]));
    sample.quality = quality_in(form);
    sample.late = is_late(form);
    sample.value = values.next(form);
    sample.error = values.next_error(form);
    samples.push_back(std::move(sample));
  }
  return samples;
}

Result<std::vector<NumberAt>> decode_numbers(BytesView chunk) {
  ECP_TRY(const auto parsed, parse(chunk));
  std::vector<NumberAt> numbers;
  numbers.reserve(parsed.columns.times.size());
  ValueCursor values(parsed.columns);
  for (std::size_t i = 0; i < parsed.columns.times.size(); ++i) {
    const auto form = parsed.columns.forms[i];
    const auto number = values.next_number(form);
    if (!number) continue;
    const auto time = static_cast<std::uint64_t>(parsed.columns.times[i]);
    numbers.push_back({after(parsed.summary.from, time), *number, is_late(form)});
  }
  return numbers;
}

Result<std::vector<Time>> decode_times(BytesView chunk) {
  ECP_TRY(const auto parsed, parse(chunk));
  std::vector<Time> times;
  times.reserve(parsed.columns.times.size());
  for (const auto time : parsed.columns.times) {
    times.push_back(after(parsed.summary.from, static_cast<std::uint64_t>(time)));
  }
  return times;
}

}  // namespace ecp::inline v0::series
