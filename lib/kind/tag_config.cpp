// SPDX-License-Identifier: Apache-2.0
#include "kind/tag_config.hpp"

#include <ecp/core/limits.hpp>

#include "kind/names.hpp"

namespace ecp::inline v0::kind {
namespace {

constexpr double largest = 1e300;  // Bound of every number that people may write.
constexpr Milliseconds longest_wait{24LL * 3'600'000};

bool is_bit_area(ModbusArea area) {
  return area == ModbusArea::coil || area == ModbusArea::discrete_input;
}

Result<void> check_address(const json::Reader& reader, const TagConfig& tag) {
  const auto& address = tag.address;
  const bool boolean = tag.type == TagType::boolean;
  if (is_bit_area(address.area) != boolean && !address.bit) {
    return reader.bad("type", boolean ? "boolean needs a coil, a discrete input or a bit .0 to .15"
                                      : "of a coil or discrete input is boolean");
  }
  if (address.bit && !boolean) return reader.bad("type", "of a single bit is boolean");
  if ((tag.type == TagType::text) != (address.text_registers > 0)) {
    return reader.bad("address", "has a length such as .10H exactly when the type is text");
  }
  if (address.offset + register_count(tag.type, address.text_registers) > 65'536) {
    return reader.bad("address", "reaches beyond register 65536");
  }
  return {};
}

Result<void> check_writing(const json::Reader& reader, const TagConfig& tag) {
  const bool numeric = tag.type != TagType::boolean && tag.type != TagType::text;
  if (tag.writable && (tag.address.area == ModbusArea::input_register ||
                       tag.address.area == ModbusArea::discrete_input)) {
    return reader.bad("writable", "is not possible for inputs");
  }
  if (tag.writable && tag.address.bit) {
    return reader.bad("writable", "is not possible for a single bit of a register");
  }
  if (tag.writable && numeric && (!tag.min || !tag.max)) {
    return reader.bad(tag.min ? "max" : "min", "is required for a writable number");
  }
  if (!numeric && (tag.min || tag.max)) return reader.bad("min", "and max belong to numbers");
  if (tag.min && tag.max && *tag.min > *tag.max) return reader.bad("min", "is above max");
  if (tag.max_step && !numeric) return reader.bad("max_step", "belongs to numbers");
  if (tag.max_step && *tag.max_step <= 0) return reader.bad("max_step", "must be above 0");
  if (tag.writable) return {};
  if (tag.max_step) return reader.bad("max_step", "belongs to writable data tags");
  if (tag.min_interval.count() > 0) {
    return reader.bad("min_interval_ms", "belongs to writable data tags");
  }
  return {};
}

/// A safe value is one that a writer might write, too.
Result<void> check_safe_value(const json::Reader& reader, const TagConfig& tag,
                              const json::Value& value) {
  const bool fits = tag.type == TagType::boolean ? value.is_bool()
                    : tag.type == TagType::text  ? value.is_string()
                                                 : value.is_number();
  if (!fits) return reader.bad("safe_value", "is not of the data tag's type");
  if (value.is_string() && value.get_string().size() > tag.address.text_registers * 2) {
    return reader.bad("safe_value", "is longer than the data tag");
  }
  if (!value.is_number()) return {};
  const double number = value.get_number();
  const bool inside = tag.min && tag.max && number >= *tag.min && number <= *tag.max;
  return inside ? Result<void>() : reader.bad("safe_value", "is not between min and max");
}

Result<void> read_loss(json::Reader& rules, Loss loss, TagConfig& tag) {
  ECP_TRY(auto reader, rules.optional_object(to_string(loss)));
  if (!reader) return {};
  LossRule rule;
  rule.of = loss;
  ECP_TRY(const auto after, reader->integer("after_ms", 100, longest_wait.count()));
  rule.after = Milliseconds{after};
  if (loss == Loss::writer && rule.after <= tag.min_interval) {
    return reader->bad("after_ms", "must be above min_interval_ms, or no writer could be in time");
  }
  const auto value = reader->optional_value("safe_value");
  if (value && !value->is_null()) {
    ECP_TRY_VOID(check_safe_value(*reader, tag, *value));
    rule.safe_value_json = value->to_text();
  }
  ECP_TRY_VOID(reader->finish());
  tag.on_loss.push_back(std::move(rule));
  return {};
}

Result<void> read_write_rules(json::Reader& reader, TagConfig& tag) {
  ECP_TRY(tag.writable, reader.boolean_or("writable", false));
  ECP_TRY(tag.min, reader.optional_number("min", -largest, largest));
  ECP_TRY(tag.max, reader.optional_number("max", -largest, largest));
  ECP_TRY(tag.max_step, reader.optional_number("max_step", -largest, largest));
  ECP_TRY(tag.min_interval,
          read_ms(reader, "min_interval_ms", tag.min_interval, 0, longest_wait.count()));
  ECP_TRY_VOID(check_writing(reader, tag));
  ECP_TRY(auto losses, reader.optional_object("on_loss"));
  if (!losses) return {};
  if (!tag.writable) return reader.bad("on_loss", "belongs to writable data tags");
  ECP_TRY_VOID(read_loss(*losses, Loss::cloud, tag));
  ECP_TRY_VOID(read_loss(*losses, Loss::writer, tag));
  return losses->finish();
}

Result<void> read_value_rules(json::Reader& reader, TagConfig& tag) {
  const bool numeric = tag.type != TagType::boolean && tag.type != TagType::text;
  ECP_TRY(tag.scale, reader.number_or("scale", 1.0, -largest, largest));
  if (tag.scale == 0.0) return reader.bad("scale", "must not be 0");
  if (!numeric && tag.scale != 1.0) return reader.bad("scale", "belongs to numbers");
  ECP_TRY(const auto precision, reader.integer_or("precision", -1, -1, 17));
  tag.precision = static_cast<int>(precision);
  ECP_TRY(tag.deadband, reader.number_or("deadband", 0.0, 0.0, largest));
  if (!numeric && tag.deadband != 0.0) return reader.bad("deadband", "belongs to numbers");
  ECP_TRY(tag.report_unchanged, reader.boolean_or("report_unchanged", true));
  return read_write_rules(reader, tag);
}

void write_loss(json::Writer& writer, const LossRule& rule) {
  writer.key(to_string(rule.of)).begin_object().field("after_ms", rule.after.count());
  if (!rule.safe_value_json.empty()) writer.key("safe_value").raw(rule.safe_value_json);
  writer.end_object();
}

}  // namespace

std::string_view to_string(Loss loss) noexcept { return loss == Loss::cloud ? "cloud" : "writer"; }

Result<std::string> read_name(json::Reader& reader, std::set<std::string>& taken) {
  ECP_TRY(auto name, reader.text("name"));
  if (name.find('/') != std::string::npos) return reader.bad("name", "must not contain a slash");
  if (!taken.insert(name).second) return reader.bad("name", "is there twice");
  return name;
}

Result<Milliseconds> read_ms(json::Reader& reader, std::string_view field, Milliseconds fallback,
                             std::int64_t min, std::int64_t max) {
  ECP_TRY(const auto number, reader.integer_or(field, fallback.count(), min, max));
  return Milliseconds{number};
}

Result<TagConfig> read_tag(json::Reader reader, std::set<std::string>& taken) {
  TagConfig tag;
  ECP_TRY(tag.name, read_name(reader, taken));
  ECP_TRY(tag.address_text, reader.text("address", {1, 40}));
  auto address = parse_modbus_address(tag.address_text);
  if (!address) return reader.bad("address", address.error().message());
  tag.address = *address;
  ECP_TRY(const auto type, reader.choice("type", type_names));
  tag.type = *type_of(type);
  if (reader.has("byte_order")) {
    ECP_TRY(const auto order, reader.choice("byte_order", order_names));
    tag.byte_order = *order_of(order);
  }
  ECP_TRY_VOID(check_address(reader, tag));
  ECP_TRY_VOID(read_value_rules(reader, tag));
  ECP_TRY_VOID(reader.finish());
  return tag;
}

void write_tag(json::Writer& writer, const TagConfig& tag) {
  writer.begin_object().field("name", tag.name).field("address", tag.address_text);
  writer.field("type", to_string(tag.type)).field("byte_order", name_of(tag.byte_order));
  writer.field("scale", tag.scale).field("precision", tag.precision);
  writer.field("deadband", tag.deadband).field("report_unchanged", tag.report_unchanged);
  writer.field("writable", tag.writable);
  if (tag.min) writer.field("min", *tag.min);
  if (tag.max) writer.field("max", *tag.max);
  if (tag.max_step) writer.field("max_step", *tag.max_step);
  if (tag.min_interval.count() > 0) writer.field("min_interval_ms", tag.min_interval.count());
  if (!tag.on_loss.empty()) {
    writer.key("on_loss").begin_object();
    for (const auto& rule : tag.on_loss) write_loss(writer, rule);
    writer.end_object();
  }
  writer.end_object();
}

}  // namespace ecp::inline v0::kind
