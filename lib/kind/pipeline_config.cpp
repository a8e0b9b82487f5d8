// SPDX-License-Identifier: Apache-2.0
#include <ecp/kind/pipeline_config.hpp>

#include <set>

#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>

#include "kind/names.hpp"
#include "kind/tag_config.hpp"

namespace ecp::inline v0::kind {
namespace {

std::string path_of(std::string_view parent, std::string_view list, std::size_t index) {
  std::string path(parent);
  if (!path.empty()) path += '.';
  return path.append(list).append("[").append(std::to_string(index)).append("]");
}

Result<GroupConfig> read_group(json::Reader reader, std::set<std::string>& taken,
                               std::size_t& tags_left) {
  GroupConfig group;
  ECP_TRY(group.name, read_name(reader, taken));
  ECP_TRY(group.interval, read_ms(reader, "interval_ms", group.interval, 10, 3'600'000));
  ECP_TRY(const auto tags, reader.array("tags", tags_left));
  tags_left -= tags.size();
  std::set<std::string> names;
  for (std::size_t i = 0; i < tags.size(); ++i) {
    ECP_TRY(auto member, json::Reader::open(tags[i], path_of(reader.path(), "tags", i)));
    ECP_TRY(auto tag, read_tag(std::move(member), names));
    group.tags.push_back(std::move(tag));
  }
  ECP_TRY_VOID(reader.finish());
  return group;
}

Result<void> read_connection(json::Reader& reader, DriverConfig& driver) {
  ECP_TRY(driver.type, reader.choice("type", {"modbus-tcp"}));
  ECP_TRY(driver.host, reader.text("host", {1, 253}));
  ECP_TRY(const auto port, reader.integer_or("port", 502, 1, 65'535));
  driver.port = static_cast<std::uint16_t>(port);
  ECP_TRY(driver.timeout, read_ms(reader, "timeout_ms", driver.timeout, 10, 60'000));
  ECP_TRY(const auto in_flight, reader.integer_or("max_in_flight", 1, 1, 16));
  driver.max_in_flight = static_cast<int>(in_flight);
  ECP_TRY(const auto retries, reader.integer_or("retries", 0, 0, 5));
  driver.retries = static_cast<int>(retries);
  ECP_TRY(driver.back_off_min, read_ms(reader, "back_off_min_ms", driver.back_off_min, 50, 60'000));
  ECP_TRY(driver.back_off_max,
          read_ms(reader, "back_off_max_ms", driver.back_off_max, 50, 3'600'000));
  if (driver.back_off_max < driver.back_off_min) {
    return reader.bad("back_off_max_ms", "is below back_off_min_ms");
  }
  ECP_TRY(const auto registers, reader.integer_or("registers_per_read", 125, 1, 125));
  driver.registers_per_read = static_cast<int>(registers);
  ECP_TRY(const auto gap, reader.integer_or("gap_registers", 10, 0, 124));
  driver.gap_registers = static_cast<int>(gap);
  return {};
}

Result<DriverConfig> read_driver(json::Reader reader, std::set<std::string>& taken,
                                 std::size_t& tags_left) {
  DriverConfig driver;
  ECP_TRY(driver.name, read_name(reader, taken));
  ECP_TRY_VOID(read_connection(reader, driver));
  ECP_TRY(const auto groups, reader.array("groups", limits::groups_per_driver));
  std::set<std::string> names;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    ECP_TRY(auto member, json::Reader::open(groups[i], path_of(reader.path(), "groups", i)));
    ECP_TRY(auto group, read_group(std::move(member), names, tags_left));
    driver.groups.push_back(std::move(group));
  }
  ECP_TRY_VOID(reader.finish());
  return driver;
}

void write_group(json::Writer& writer, const GroupConfig& group) {
  writer.begin_object().field("name", group.name);
  writer.field("interval_ms", group.interval.count());
  writer.key("tags").begin_array();
  for (const auto& tag : group.tags) write_tag(writer, tag);
  writer.end_array().end_object();
}

void write_driver(json::Writer& writer, const DriverConfig& driver) {
  writer.begin_object().field("name", driver.name).field("type", driver.type);
  writer.field("host", driver.host).field("port", int{driver.port});
  writer.field("timeout_ms", driver.timeout.count());
  writer.field("max_in_flight", driver.max_in_flight).field("retries", driver.retries);
  writer.field("back_off_min_ms", driver.back_off_min.count());
  writer.field("back_off_max_ms", driver.back_off_max.count());
  writer.field("registers_per_read", driver.registers_per_read);
  writer.field("gap_registers", driver.gap_registers).key("groups").begin_array();
  for (const auto& group : driver.groups) write_group(writer, group);
  writer.end_array().end_object();
}

}  // namespace

std::string_view to_string(TagType type) noexcept {
  return type_names.begin()[static_cast<std::size_t>(type)];
}

std::size_t register_count(TagType type, std::size_t text_registers) {
  switch (type) {
    case TagType::boolean:
    case TagType::int16:
    case TagType::uint16:
      return 1;
    case TagType::int32:
    case TagType::uint32:
    case TagType::float32:
      return 2;
    case TagType::int64:
    case TagType::uint64:
    case TagType::float64:
      return 4;
    case TagType::text:
      return text_registers;
  }
  return 1;
}

Result<PipelineConfig> parse_pipeline_config(std::string_view text) {
  ECP_TRY(auto document, json::ObjectDocument::parse(text, limits::resource_body));
  auto& reader = document.reader();
  PipelineConfig config;
  ECP_TRY(const auto drivers, reader.array("drivers", limits::drivers_per_service));
  std::set<std::string> names;
  auto tags_left = limits::tags_per_service;
  for (std::size_t i = 0; i < drivers.size(); ++i) {
    ECP_TRY(auto member, json::Reader::open(drivers[i], path_of(reader.path(), "drivers", i)));
    ECP_TRY(auto driver, read_driver(std::move(member), names, tags_left));
    config.drivers.push_back(std::move(driver));
  }
  ECP_TRY_VOID(reader.finish());
  return config;
}

std::string to_json(const PipelineConfig& config) {
  json::Writer writer;
  writer.begin_object().key("drivers").begin_array();
  for (const auto& driver : config.drivers) write_driver(writer, driver);
  writer.end_array().end_object();
  return writer.take();
}

std::optional<TagPath> parse_tag_path(std::string_view text) {
  const auto first = text.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const auto second = text.find('/', first + 1);
  if (second == std::string_view::npos || text.find('/', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  TagPath path{std::string(text.substr(0, first)),
               std::string(text.substr(first + 1, second - first - 1)),
               std::string(text.substr(second + 1))};
  if (path.driver.empty() || path.group.empty() || path.tag.empty()) return std::nullopt;
  return path;
}

const TagConfig* find_tag(const PipelineConfig& config, std::string_view path) noexcept {
  const auto parts = parse_tag_path(path);
  if (!parts) return nullptr;
  for (const auto& driver : config.drivers) {
    if (driver.name != parts->driver) continue;
    for (const auto& group : driver.groups) {
      if (group.name != parts->group) continue;
      for (const auto& tag : group.tags) {
        if (tag.name == parts->tag) return &tag;
      }
    }
  }
  return nullptr;
}

std::string to_json(const ServiceResource& resource) {
  json::Writer writer;
  writer.begin_object().field("v", 1).field("id", resource.id.to_string());
  writer.field("name", resource.name).field("kind", resource.kind);
  writer.field("runtime", resource.runtime).field("running", resource.running);
  writer.key("config").raw(resource.config_json).end_object();
  return writer.take();
}

Result<ServiceResource> parse_service_resource(std::string_view text) {
  ECP_TRY(auto document, json::ObjectDocument::parse(text, limits::resource_body));
  auto& reader = document.reader();
  ServiceResource resource;
  ECP_TRY(resource.id, reader.id<link::EdgeServiceId>("id"));
  ECP_TRY(resource.name, reader.text("name"));
  ECP_TRY(resource.kind, reader.text("kind"));
  ECP_TRY(resource.runtime, reader.text("runtime"));
  ECP_TRY(resource.running, reader.boolean("running"));
  ECP_TRY(const auto config, reader.value("config"));
  resource.config_json = config.to_text();
  return resource;
}

}  // namespace ecp::inline v0::kind
