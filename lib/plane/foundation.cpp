// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/file.hpp>

#include "plane/control_plane_state.hpp"
#include "plane/store_opener.hpp"

namespace ecp::inline v0::plane {

Result<Foundation> lay_foundation(const PlaneConfig& config, Parts& parts, Env env) {
  ECP_TRY_VOID(make_private_folder(config.data_folder));
  ECP_TRY(auto lock, FolderLock::take(config.data_folder));
  ECP_TRY(auto sealing, open_sealing(config, parts.master_key, env));
  auto store = std::move(parts.store);
  auto series = std::move(parts.series);
  if (store == nullptr) {
    ECP_TRY(store, open_store(config, env));
  }
  if (series == nullptr) {
    ECP_TRY(series, open_series(config, env));
  }
  ECP_TRY(auto keys, load_keys(*store, sealing, env));
  auto client = std::move(parts.client);
  if (client == nullptr) {
    ECP_TRY(client, http::open_client(env));
  }
  Foundation base{std::move(lock),  std::move(sealing),
                  std::move(store), std::make_unique<Keys>(std::move(keys)),
                  nullptr,          std::move(series),
                  std::move(client)};
  base.credentials = std::make_unique<Credentials>(config, base.keys->authority, env);
  ECP_TRY_VOID(base.credentials->refresh());
  return base;
}

}  // namespace ecp::inline v0::plane
