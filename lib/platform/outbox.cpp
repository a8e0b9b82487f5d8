// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/outbox.hpp>

namespace ecp::inline v0::platform {

OutboxStore::~OutboxStore() = default;

}  // namespace ecp::inline v0::platform
