// SPDX-License-Identifier: Apache-2.0
#include "pipeline/modbus/write_batch.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline::modbus {
namespace {

std::string text_of(const Error& error) {
  return std::string(error.reason->symbol) + ": " + error.message();
}

}  // namespace

void WriteBatch::start(std::vector<Write> writes) {
  for (auto& write : writes) items_.push_back({std::move(write), {}, false, false});
  for (std::size_t i = 0; i < items_.size(); ++i) {
    auto raw = encode_value(tag_of(items_[i]), items_[i].write.value);
    if (!raw) return fail({i, 1}, raw.error());  // Before any request: nothing was written.
    items_[i].raw = std::move(*raw);
  }
  send(0);
}

/// Neighbours in the order given and in the device's memory.
WriteBatch::Piece WriteBatch::piece_from(std::size_t first) const {
  Piece piece{first, 1};
  const auto& start = tag_of(items_[first]).address;
  if (start.area != kind::ModbusArea::holding_register) return piece;
  std::size_t octets = items_[first].raw.size();
  for (auto i = first + 1; i < items_.size(); ++i, ++piece.count) {
    const auto& next = tag_of(items_[i]).address;
    const bool follows = next.area == start.area && next.unit == start.unit &&
                         next.offset == start.offset + octets / 2;
    octets += items_[i].raw.size();
    if (!follows || octets / 2 > most_written_registers) break;
  }
  return piece;
}

Bytes WriteBatch::request_of(Piece piece) const {
  Bytes raw;
  for (std::size_t i = 0; i < piece.count; ++i) raw += items_[piece.first + i].raw;
  return write_request(tag_of(items_[piece.first]), raw);
}

void WriteBatch::send(std::size_t first) {
  if (first == items_.size()) return verify();
  const auto piece = first < alone_until_ ? Piece{first, 1} : piece_from(first);
  auto request = request_of(piece);
  const auto unit = tag_of(items_[first]).address.unit;
  channel_->submit({unit, request, true,
                    [self = shared_from_this(), piece, request](const Result<Bytes>& answer) {
                      self->answered(piece, request, answer);
                    },
                    config_.retries});
}

void WriteBatch::answered(Piece piece, const Bytes& request, const Result<Bytes>& answer) {
  auto taken = answer ? write_answer(request, *answer) : Result<void>(answer.error());
  if (!taken && piece.count > 1 && taken.error().is(reasons::device_exception)) {
    alone_until_ = piece.first + piece.count;
    return send(piece.first);
  }
  if (!taken) return fail(piece, taken.error());
  for (std::size_t i = 0; i < piece.count; ++i) items_[piece.first + i].is_written = true;
  send(piece.first + piece.count);
}

/// What comes after a failure stays unwritten: it may rest on what failed.
void WriteBatch::fail(Piece piece, const Error& why) {
  for (auto i = piece.first; i < items_.size(); ++i) {
    tell(items_[i], i < piece.first + piece.count
                        ? why
                        : Error(reasons::not_written, {{"problem", "not written"}}));
  }
  for (std::size_t i = 0; i < piece.first; ++i) {
    if (!items_[i].is_written)
      tell(items_[i], Error(reasons::not_written, {{"problem", "refused"}}));
  }
  verify();
}

void WriteBatch::verify() {
  std::map<std::uint32_t, std::vector<std::uint32_t>> written;  // Tags by group.
  for (const auto& item : items_) {
    if (item.is_written) written[item.write.place.group].push_back(item.write.place.tag);
  }
  std::vector<std::pair<std::uint32_t, Read>> reads;
  for (const auto& [group, tags] : written) {
    for (auto& read : plan_reads(config_.groups[group].tags, tags, config_.registers_per_read, 0)) {
      reads.emplace_back(group, std::move(read));
    }
  }
  reads_ = reads.size() + 1;  // One for this call, which answers may overtake.
  for (const auto& [group, read] : reads) read_back(read, group);
  read_done();
}

void WriteBatch::read_back(const Read& read, std::uint32_t group) {
  channel_->submit({read.unit, read_request(read), true,
                    [self = shared_from_this(), read, group](const Result<Bytes>& answer) {
                      self->compare(read, group, answer ? read_answer(read, *answer) : answer);
                      self->read_done();
                    },
                    0});
}

void WriteBatch::compare(const Read& read, std::uint32_t group, const Result<Bytes>& octets) {
  if (!octets && read.tags.size() > 1 && octets.error().is(reasons::device_exception)) {
    reads_ += read.tags.size();
    for (const auto tag : read.tags)
      read_back(read_of(config_.groups[group].tags[tag], tag), group);
    return;
  }
  if (octets) handlers_.on_read_back(group, read, *octets);
  for (auto& item : items_) {
    const auto& place = item.write.place;
    const auto covered = std::find(read.tags.begin(), read.tags.end(), place.tag);
    if (!item.is_written || item.is_told || place.group != group || covered == read.tags.end()) {
      continue;
    }
    if (!octets) {
      tell(item, Error(reasons::write_unknown, {{"problem", text_of(octets.error())}}));
      continue;
    }
    const auto found = raw_of(tag_of(item), read, *octets);
    auto value = decode(tag_of(item), found);
    if (found == item.raw) {
      tell(item, std::move(value));
    } else {
      tell(item, Error(reasons::write_not_verified,
                       {{"value", value ? series::to_json(*value) : "no value"}}));
    }
  }
}

void WriteBatch::read_done() {
  if (--reads_ == 0) handlers_.on_end();
}

void WriteBatch::tell(Item& item, Result<series::Value> result) {
  if (std::exchange(item.is_told, true)) return;
  item.write.done(std::move(result));
}

}  // namespace ecp::inline v0::pipeline::modbus
