// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A control plane in a temporary folder, over the loopback transport and a clock that is moved.

#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/identity/bootstrap.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/identity/user_registry.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/transport/loopback.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {

struct PlaneWorld {
  ecp::plane::PlaneConfig config() const {
    ecp::plane::PlaneConfig made;
    made.data_folder = folder.file("plane");
    made.outgoing_threads = 0;
    made.agent_urls = {"https://127.0.0.1:8443"};
    made.server_names = {"plane.example.com"};
    return made;
  }
  /// The store is used in the caller's thread, as in the simulation.
  std::unique_ptr<ecp::storage::Store> open_store() {
    ecp::storage::SqliteOptions options;
    options.path = folder.file("plane/ecpd.db");
    options.writer_thread = false;
    must(ecp::make_private_folder(folder.file("plane")));
    return must(ecp::storage::open_sqlite(options, ecp::plane::store_modules(), world.env()));
  }
  ecp::Result<std::unique_ptr<ecp::plane::ControlPlane>> open() { return open_on(open_store()); }
  ecp::Result<std::unique_ptr<ecp::plane::ControlPlane>> open_on(
      std::unique_ptr<ecp::storage::Store> store) {
    ecp::plane::Parts parts;
    parts.store = std::move(store);
    parts.gateway = network.gateway();
    return ecp::plane::ControlPlane::open(config(), std::move(parts), world.env());
  }
  void make_admin(ecp::plane::ControlPlane& plane) {
    const auto secret =
        must(ecp::read_secret_file(plane.bootstrap_secret_path(), 4 * ecp::kibibyte));
    must(plane.bootstrap().complete(
        secret, {"admin@example.com", "Admin", ecp::Secret("green-valve-turns-slowly")}, {}));
  }

  TemporaryFolder folder;
  ecp::ManualEnv world;
  ecp::transport::LoopbackNetwork network{world.env()};
};

}  // namespace ecp_test
