// SPDX-License-Identifier: Apache-2.0
#include "transport/direction.hpp"

#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::transport {

Result<void> check_channel(const Channel& channel, bool up) {
  const bool label_fits =
      has_label(channel.kind) ? is_channel_word(channel.label) : channel.label.empty();
  const bool replica_fits =
      has_replica(channel.kind) ? is_channel_word(channel.replica) : channel.replica.empty();
  if (goes_up(channel.kind) != up || !label_fits || !replica_fits) return reasons::bad_channel;
  return {};
}

}  // namespace ecp::inline v0::transport
