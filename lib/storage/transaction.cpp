// SPDX-License-Identifier: Apache-2.0
#include <cassert>

#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

Transaction::Transaction(sql::Connection& connection,
                         const std::map<std::string_view, StoreFactory>& factories, bool can_write)
    : connection_(connection), factories_(factories), can_write_(can_write) {}

Transaction::~Transaction() = default;

void Transaction::after_commit(std::function<void()> wake) {
  after_commit_.push_back(std::move(wake));
}

void* Transaction::find(std::string_view store_name) {
  const auto made = stores_.find(store_name);
  if (made != stores_.end()) return made->second.get();
  const auto factory = factories_.find(store_name);
  assert(factory != factories_.end() && "the store's module was not given to the opener");
  auto store = factory->second.make(connection_);
  return stores_.emplace(factory->first, std::move(store)).first->second.get();
}

}  // namespace ecp::inline v0::storage
