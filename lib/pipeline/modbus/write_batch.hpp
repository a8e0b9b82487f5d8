// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Writes of several data tags on their way: sent, read back, compared.

#include <functional>
#include <memory>
#include <vector>

#include <ecp/pipeline/driver.hpp>

#include "pipeline/modbus/channel.hpp"

namespace ecp::inline v0::pipeline::modbus {

/// Sends its writes in order, one request after the other, then reads back what was taken. Holding
/// registers that follow each other are one request; when the device refuses that, they go alone.
///
/// Everything on the io thread. Ownership: keeps itself alive by its requests on their way.
class WriteBatch : public std::enable_shared_from_this<WriteBatch> {
 public:
  struct Handlers {
    std::function<void(std::uint32_t group, const Read& read, const Bytes& octets)> on_read_back;
    std::function<void()> on_end;
  };
  WriteBatch(const kind::DriverConfig& config, std::shared_ptr<Channel> channel, Handlers handlers)
      : config_(config), channel_(std::move(channel)), handlers_(std::move(handlers)) {}

  void start(std::vector<Write> writes);

 private:
  struct Item {
    Write write;
    Bytes raw;
    bool is_written = false;
    bool is_told = false;
  };
  /// Items from `first` on that go in one request.
  struct Piece {
    std::size_t first = 0;
    std::size_t count = 1;
  };

  void send(std::size_t first);
  void answered(Piece piece, const Bytes& request, const Result<Bytes>& answer);
  void fail(Piece piece, const Error& why);
  void verify();
  void read_back(const Read& read, std::uint32_t group);
  void compare(const Read& read, std::uint32_t group, const Result<Bytes>& octets);
  void read_done();
  void tell(Item& item, Result<series::Value> result);
  [[nodiscard]] Piece piece_from(std::size_t first) const;
  [[nodiscard]] Bytes request_of(Piece piece) const;
  [[nodiscard]] const kind::TagConfig& tag_of(const Item& item) const {
    return config_.groups[item.write.place.group].tags[item.write.place.tag];
  }

  const kind::DriverConfig& config_;
  std::shared_ptr<Channel> channel_;  // Shared with its operations on their way.
  Handlers handlers_;
  std::vector<Item> items_;
  std::size_t alone_until_ = 0;  ///< Items before it were refused together, and go one by one.
  std::size_t reads_ = 0;        ///< Under way.
};

}  // namespace ecp::inline v0::pipeline::modbus
