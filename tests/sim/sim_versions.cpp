// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_versions.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>

#include "support/results.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

using transport::Channel;
using transport::ChannelKind;
using transport::DoneHandler;

constexpr std::size_t length_octets = 4;  // Of a telemetry head.
constexpr std::size_t room = 4'096;       // For what a newer agent says more in a telemetry head.
constexpr std::int64_t newer_version = 2;

void rewrite(SimVersion version, json::Writer& writer, const json::Value& value);

/// First and last, as text and as an object, so that no reader hangs on order or kind.
void write_newer(json::Writer& writer, const json::Value& object) {
  writer.field("a_newer_word", "that nobody knows");
  for (std::size_t i = 0; i < object.size(); ++i) {
    const auto [name, value] = object.member(i);
    writer.key(name);
    if (name == "v") {
      writer.value(newer_version);
    } else if (name == "bodies") {  // Its members are names of resources.
      writer.raw(value.to_text());
    } else {
      rewrite(SimVersion::newer, writer, value);
    }
  }
  writer.key("newer_members").begin_object().key("numbers").begin_array();
  writer.value(1).value(2.5).null().end_array().end_object();
}

void write_older(json::Writer& writer, const json::Value& object) {
  constexpr std::array<std::string_view, 3> later{"life", "highest", "renumbered"};
  for (std::size_t i = 0; i < object.size(); ++i) {
    const auto [name, value] = object.member(i);
    if (std::find(later.begin(), later.end(), name) != later.end()) continue;
    writer.key(name).raw(value.to_text());
  }
}

void rewrite(SimVersion version, json::Writer& writer, const json::Value& value) {
  if (value.is_object()) {
    writer.begin_object();
    version == SimVersion::newer ? write_newer(writer, value) : write_older(writer, value);
    writer.end_object();
  } else if (value.is_array()) {
    writer.begin_array();
    for (std::size_t i = 0; i < value.size(); ++i) rewrite(version, writer, value.at(i));
    writer.end_array();
  } else {
    writer.raw(value.to_text());
  }
}

Bytes rewritten(SimVersion version, BytesView text) {
  const auto document = must(json::Document::parse(text));
  json::Writer writer;
  rewrite(version, writer, document.root());
  return writer.take();
}

/// Of telemetry only the head is JSON.
Bytes rewritten_telemetry(SimVersion version, BytesView payload) {
  std::size_t length = 0;
  for (std::size_t i = length_octets; i-- > 0;) {
    length = length << 8 | static_cast<unsigned char>(payload[i]);
  }
  const auto head = rewritten(version, payload.substr(length_octets, length));
  Bytes made;
  for (std::size_t i = 0; i < length_octets; ++i) {
    made.push_back(static_cast<char>((head.size() >> (8 * i)) & 0xff));
  }
  return made.append(head).append(payload.substr(length_octets + length));
}

/// What came later stands in these alone.
bool has_later_members(ChannelKind kind) {
  return kind == ChannelKind::telemetry || kind == ChannelKind::reported ||
         kind == ChannelKind::alarm || kind == ChannelKind::event || kind == ChannelKind::ack;
}

class LinkOfVersion final : public transport::AgentLink {
 public:
  LinkOfVersion(SimVersion version, std::unique_ptr<transport::AgentLink> real)
      : version_(version), real_(std::move(real)) {}

  Result<void> start(transport::LinkHandlers handlers) override {
    if (handlers.on_connecting) {
      handlers.on_connecting =
          [version = version_,
           say = std::move(handlers.on_connecting)]() -> Result<transport::LinkHandlers::Presence> {
        ECP_TRY(auto said, say());
        said.birth = as_written_by(version, ChannelKind::presence, std::move(said.birth));
        said.will = as_written_by(version, ChannelKind::presence, std::move(said.will));
        return said;
      };
    }
    return real_->start(std::move(handlers));
  }
  void stop() noexcept override { real_->stop(); }
  void send(Channel channel, Bytes payload, DoneHandler done) override {
    auto made = as_written_by(version_, channel.kind, std::move(payload));
    real_->send(std::move(channel), std::move(made), std::move(done));
  }
  [[nodiscard]] std::size_t max_payload() const noexcept override {
    return real_->max_payload() - room;
  }
  void reconnect() override { real_->reconnect(); }
  void set_reconnect_cap(Milliseconds longest) override { real_->set_reconnect_cap(longest); }

 private:
  SimVersion version_;
  std::unique_ptr<transport::AgentLink> real_;
};

class GatewayOfVersion final : public transport::AgentGateway {
 public:
  GatewayOfVersion(SimVersion version, std::unique_ptr<transport::AgentGateway> real)
      : version_(version), real_(std::move(real)) {}

  Result<void> start(transport::GatewayHandlers handlers) override {
    return real_->start(std::move(handlers));
  }
  void stop() noexcept override { real_->stop(); }
  void send(link::AgentId agent, Channel channel, Bytes payload, DoneHandler done) override {
    auto made = as_written_by(version_, channel.kind, std::move(payload));
    real_->send(agent, std::move(channel), std::move(made), std::move(done));
  }
  void deny(link::AgentId agent) override { real_->deny(agent); }
  void set_denied(std::span<const link::AgentId> agents) override { real_->set_denied(agents); }
  void tell(Bytes payload) override { real_->tell(std::move(payload)); }
  [[nodiscard]] const std::string& replica() const noexcept override { return real_->replica(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return real_->dropped(); }

 private:
  SimVersion version_;
  std::unique_ptr<transport::AgentGateway> real_;
};

}  // namespace

/// One that would not fit into a packet any more stays as it is.
Bytes as_written_by(SimVersion version, ChannelKind kind, Bytes payload) {
  if (version == SimVersion::same) return payload;
  if (version == SimVersion::older && !has_later_members(kind)) return payload;
  auto made = kind == ChannelKind::telemetry ? rewritten_telemetry(version, payload)
                                             : rewritten(version, payload);
  return made.size() + room > limits::mqtt_packet ? payload : made;
}

std::unique_ptr<transport::AgentLink> of_version(SimVersion version,
                                                 std::unique_ptr<transport::AgentLink> link) {
  if (version == SimVersion::same) return link;
  return std::make_unique<LinkOfVersion>(version, std::move(link));
}

std::unique_ptr<transport::AgentGateway> of_version(
    SimVersion version, std::unique_ptr<transport::AgentGateway> gateway) {
  if (version == SimVersion::same) return gateway;
  return std::make_unique<GatewayOfVersion>(version, std::move(gateway));
}

}  // namespace ecp_test
