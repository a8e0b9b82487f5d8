// SPDX-License-Identifier: Apache-2.0
#include <unordered_map>

#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/series/reasons.hpp>
#include <ecp/series/sample.hpp>

#include "series/compact_samples.hpp"
#include "series/octets.hpp"

namespace ecp::inline v0::series {
namespace {

constexpr std::uint8_t plain_version = 1;  // Of agents of before; read for ever, never written.
constexpr std::uint8_t compact_version = 2;
constexpr std::size_t max_word = 512;  // A tag path or a reason symbol.

// The octet before each plain value: bits 0-1 quality, bit 2 late, bits 3-5 type.
enum class Coding : std::uint8_t { none, no, yes, integer, real, text };

/// Texts in the order of their first use.
class WordList {
 public:
  std::uint64_t index(const std::string& word) {
    const auto made = places_.try_emplace(word, words_.size());
    if (made.second) words_.push_back(&made.first->first);
    return made.first->second;
  }
  void write(OctetWriter& out) const {
    out.number(words_.size());
    for (const auto* word : words_) out.text(*word);
  }

 private:
  std::unordered_map<std::string, std::uint64_t> places_;
  std::vector<const std::string*> words_;
};

Error bad(std::string_view problem) {
  return {reasons::bad_block, {{"problem", std::string(problem)}}};
}

Result<std::vector<std::string>> read_words(OctetReader& in) {
  const auto count = in.number();
  if (!count || *count > limits::batch_samples) return bad("its dictionary is too long");
  std::vector<std::string> words;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const auto word = in.text(max_word);
    if (!word || !is_clean_utf8(*word)) return bad("a word of its dictionary is damaged");
    words.emplace_back(*word);
  }
  return words;
}

Result<Value> read_value(OctetReader& in, Coding coding) {
  switch (coding) {
    case Coding::none:
      return Value(0.0);
    case Coding::no:
      return Value(false);
    case Coding::yes:
      return Value(true);
    case Coding::integer:
      if (const auto number = in.signed_number()) return Value(*number);
      break;
    case Coding::real:
      if (const auto number = in.real()) return Value(*number);
      break;
    case Coding::text:
      if (const auto text = in.text(limits::sample_string)) return Value(std::string(*text));
      break;
  }
  return bad("a value is damaged");
}

Result<Sample> read_sample(OctetReader& in, const std::vector<std::string>& tags,
                           const std::vector<std::string>& errors, std::int64_t& time) {
  const auto tag = in.number();
  const auto delta = in.signed_number();
  const auto head = in.octet();
  if (!tag || !delta || !head || *tag >= tags.size()) return bad("a sample is damaged");
  const auto coding = static_cast<unsigned>(*head >> 3U);
  if ((*head & 3U) > 2 || coding > 5) return bad("a sample has an unknown type");
  time = static_cast<std::int64_t>(static_cast<std::uint64_t>(time) +
                                   static_cast<std::uint64_t>(*delta));
  Sample sample;
  sample.tag = tags[static_cast<std::size_t>(*tag)];
  sample.time = from_ms(time);
  sample.quality = static_cast<Quality>(*head & 3U);
  sample.late = (*head & 4U) != 0;
  if ((sample.quality == Quality::bad) != (coding == 0)) return bad("a quality has a wrong value");
  if (sample.quality == Quality::bad) {
    const auto error = in.number();
    if (!error || *error >= errors.size()) return bad("an error is damaged");
    sample.error = errors[static_cast<std::size_t>(*error)];
    return sample;
  }
  ECP_TRY(sample.value, read_value(in, static_cast<Coding>(coding)));
  return sample;
}

}  // namespace

Bytes encode_samples(const std::vector<Sample>& samples) {
  WordList tags;
  WordList errors;
  OctetWriter body;
  compact::SampleWriter writer(body);
  for (const auto& sample : samples) {
    const bool is_bad = sample.quality == Quality::bad;
    writer.add(sample, tags.index(sample.tag), is_bad ? errors.index(sample.error) : 0);
  }
  OctetWriter out;
  out.octet(compact_version);
  out.number(samples.size());
  tags.write(out);
  errors.write(out);
  return out.take() + body.take();
}

Result<std::vector<Sample>> decode_samples(BytesView block) {
  OctetReader in(block);
  const auto version = in.octet();
  if (!version || *version < plain_version || *version > compact_version) {
    return bad("its version is not known");
  }
  const auto count = in.number();
  if (!count || *count > limits::batch_samples) return bad("it has too many samples");
  ECP_TRY(const auto tags, read_words(in));
  ECP_TRY(const auto errors, read_words(in));
  std::vector<Sample> samples;
  samples.reserve(static_cast<std::size_t>(*count));
  compact::SampleReader reader(in, tags, errors);
  std::int64_t time = 0;
  for (std::uint64_t i = 0; i < *count; ++i) {
    const bool is_plain = *version == plain_version;
    ECP_TRY(auto sample, is_plain ? read_sample(in, tags, errors, time) : reader.next());
    samples.push_back(std::move(sample));
  }
  if (!in.is_done()) return bad("something follows its last sample");
  return samples;
}

std::string to_json(const Value& value) {
  json::Writer writer;
  if (const auto* flag = std::get_if<bool>(&value)) writer.value(*flag);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) writer.value(*integer);
  if (const auto* real = std::get_if<double>(&value)) writer.value(*real);
  if (const auto* text = std::get_if<std::string>(&value)) writer.value(*text);
  return writer.take();
}

void write_json(json::Writer& writer, const Sample& sample) {
  constexpr std::string_view qualities[] = {"good", "bad", "uncertain_time"};
  writer.begin_object().field("tag", sample.tag).field("time", to_rfc3339(sample.time));
  writer.key("value");
  if (sample.quality == Quality::bad) {
    writer.null();
  } else {
    writer.raw(to_json(sample.value));
  }
  writer.field("quality", qualities[static_cast<std::size_t>(sample.quality)]);
  writer.key("error");
  if (sample.error.empty()) {
    writer.null();
  } else {
    writer.value(sample.error);
  }
  writer.field("late", sample.late).end_object();
}

}  // namespace ecp::inline v0::series
