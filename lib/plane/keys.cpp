// SPDX-License-Identifier: Apache-2.0
#include "plane/keys.hpp"

namespace ecp::inline v0::plane {

namespace {

Result<pki::SigningKey> load_signing_key(storage::Store& store, const platform::Sealing& sealing,
                                         const Env& env, std::string_view name) {
  ECP_TRY(const auto secret,
          platform::load_or_create_key(store, sealing, env, name, []() -> Result<Secret> {
            ECP_TRY(const auto key, pki::SigningKey::generate());
            return key.to_secret();
          }));
  return pki::SigningKey::from_secret(secret);
}

}  // namespace

Result<platform::Sealing> open_sealing(const PlaneConfig& config,
                                       const std::optional<Secret>& master_key, const Env& env) {
  if (master_key) return platform::Sealing::make(*master_key, env);
  const auto path =
      config.master_key_path.empty() ? config.data_folder + "/master.key" : config.master_key_path;
  return platform::Sealing::load_or_create(path, env);
}

Result<pki::SigningKey> load_audit_key(storage::Store& store, const platform::Sealing& sealing,
                                       Env env) {
  return load_signing_key(store, sealing, env, "audit");
}

Result<Keys> load_keys(storage::Store& store, const platform::Sealing& sealing, Env env) {
  ECP_TRY(const auto secret,
          platform::load_or_create_key(store, sealing, env, "authority", [&]() -> Result<Secret> {
            ECP_TRY(const auto authority, pki::Authority::create("ECP", env));
            return authority.to_secret();
          }));
  ECP_TRY(auto authority, pki::Authority::from_secret(secret, env));
  ECP_TRY(auto audit_key, load_audit_key(store, sealing, env));
  ECP_TRY(auto manifest_key, load_signing_key(store, sealing, env, "manifest"));
  ECP_TRY(auto group,
          platform::load_or_create_key(store, sealing, env, "share-group", [&]() -> Result<Secret> {
            return Secret(to_hex(env.random.bytes(16)));
          }));
  return Keys{std::move(authority), std::move(audit_key), std::move(manifest_key),
              std::move(group)};
}

}  // namespace ecp::inline v0::plane
