// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Stores in front of the product's own, and modules that have one of them instead.

#include <algorithm>
#include <vector>

#include <ecp/storage/transaction.hpp>

namespace ecp_test {

/// Has the product's own store of a port behind it. Made anew in each transaction.
template <class Port>
class InFront : public Port {
 public:
  InFront(const ecp::storage::StoreModule& own, ecp::storage::sql::Connection& connection)
      : real_(std::find_if(own.factories.begin(), own.factories.end(), [](const auto& factory) {
                return factory.store_name == Port::store_name;
              })->make(connection)) {}

 protected:
  [[nodiscard]] Port& real() const { return *static_cast<Port*>(real_.get()); }

 private:
  ecp::storage::ErasedStore real_;
};

/// A module with another adapter of one of its stores.
template <class Port, class Adapter>
class PlantedModule {
 public:
  explicit PlantedModule(const ecp::storage::StoreModule& own)
      : factories_(own.factories.begin(), own.factories.end()), module_(own) {
    for (auto& factory : factories_) {
      if (factory.store_name != Port::store_name) continue;
      factory = {Port::store_name, [](ecp::storage::sql::Connection& connection) {
                   return ecp::storage::erase<Port>(new Adapter(connection));
                 }};
    }
    module_.factories = factories_;
  }
  [[nodiscard]] const ecp::storage::StoreModule& module() const { return module_; }

 private:
  std::vector<ecp::storage::StoreFactory> factories_;
  ecp::storage::StoreModule module_;
};

/// The one module of an adapter.
template <class Port, class Adapter>
[[nodiscard]] const ecp::storage::StoreModule& planted_in(const ecp::storage::StoreModule& own) {
  static const PlantedModule<Port, Adapter> planted(own);
  return planted.module();
}

}  // namespace ecp_test
