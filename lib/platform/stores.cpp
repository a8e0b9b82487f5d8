// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/idempotency.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/outbox.hpp>

namespace ecp::inline v0::platform {

IdempotencyStore::~IdempotencyStore() = default;
KeyStore::~KeyStore() = default;
OutboxStore::~OutboxStore() = default;

}  // namespace ecp::inline v0::platform
