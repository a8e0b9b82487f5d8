// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>

#include "link/fields.hpp"

namespace ecp::inline v0::link {

namespace {

constexpr std::size_t length_size = 4;

Error bad_batch() { return {ecp::reasons::bad_text, {{"coding", "telemetry batch"}}}; }

}  // namespace

Bytes encode_telemetry(const TelemetryHead& head, BytesView body) {
  auto writer = fields::begin_document();
  writer.field("buffer_id", head.buffer_id).field("stream", head.stream);
  writer.field("first", head.first).field("last", head.last).field("floor", head.floor);
  fields::write_ranges(writer, "dropped", head.dropped);
  if (head.renumbered > 0) writer.field("renumbered", head.renumbered);
  fields::write_life(writer, head.life);
  const std::string text = fields::end_document(writer);
  Bytes payload;
  payload.reserve(length_size + text.size() + body.size());
  for (std::size_t i = 0; i < length_size; ++i) {
    payload.push_back(static_cast<char>((text.size() >> (8 * i)) & 0xff));
  }
  return payload.append(text).append(body);
}

Result<std::pair<TelemetryHead, BytesView>> decode_telemetry(BytesView payload) {
  if (payload.size() < length_size || payload.size() > limits::mqtt_packet) return bad_batch();
  std::size_t length = 0;
  for (std::size_t i = length_size; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(payload[i]);
  }
  if (length > payload.size() - length_size) return bad_batch();
  ECP_TRY(auto parsed,
          fields::open_document(payload.substr(length_size, length), limits::link_document));
  auto& reader = parsed.reader();
  TelemetryHead head;
  ECP_TRY(head.buffer_id, reader.text("buffer_id", fields::word_bounds));
  ECP_TRY(head.stream, reader.text("stream", fields::word_bounds));
  ECP_TRY(head.first, reader.integer("first", 0, fields::max_number));
  ECP_TRY(head.last, reader.integer("last", head.first - 1, fields::max_number));
  if (head.last - head.first >= static_cast<std::int64_t>(limits::batch_samples)) {
    return reader.bad("last", "is too far from first");
  }
  ECP_TRY(head.floor, reader.integer("floor", 0, fields::max_number));
  ECP_TRY(head.dropped, fields::read_ranges(reader, "dropped"));
  ECP_TRY(head.renumbered, reader.integer_or("renumbered", 0, 0, fields::max_number));
  ECP_TRY(head.life, fields::read_life(reader));
  return std::pair<TelemetryHead, BytesView>(std::move(head), payload.substr(length_size + length));
}

std::string to_json(const Ack& ack) {
  auto writer = fields::begin_document();
  writer.field("stream", ack.stream).field("buffer_id", ack.buffer_id).field("upto", ack.upto);
  fields::write_ranges(writer, "ranges", ack.ranges);
  writer.field("renew", ack.renew);
  fields::write_life(writer, ack.life);
  if (ack.highest > 0) writer.field("highest", ack.highest);
  return fields::end_document(writer);
}

Result<Ack> parse_ack(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::link_document));
  auto& reader = parsed.reader();
  Ack ack;
  ECP_TRY(ack.stream, reader.text("stream", fields::word_bounds));
  ECP_TRY(ack.buffer_id, reader.text("buffer_id", fields::word_bounds));
  ECP_TRY(ack.upto, reader.integer("upto", -1, fields::max_number));
  ECP_TRY(ack.ranges, fields::read_ranges(reader, "ranges"));
  ECP_TRY(ack.renew, reader.boolean_or("renew", false));
  ECP_TRY(ack.life, fields::read_life(reader));
  ECP_TRY(ack.highest, reader.integer_or("highest", 0, 0, fields::max_number));
  return ack;
}

}  // namespace ecp::inline v0::link
