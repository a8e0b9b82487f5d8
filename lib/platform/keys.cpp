// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/keys.hpp>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::platform {

Result<Secret> load_or_create_key(storage::Store& store, const Sealing& sealing, const Env& env,
                                  std::string_view name,
                                  const std::function<Result<Secret>()>& make) {
  const auto purpose = "key " + std::string(name);
  ECP_TRY(const auto stored, store.read([&](storage::Transaction& transaction) {
    return transaction.get<KeyStore>().find(name);
  }));
  if (stored) return sealing.open(purpose, *stored);

  ECP_TRY(const auto key, make());
  const auto sealed = sealing.seal(purpose, key);
  const auto now = env.clock.now();
  ECP_TRY(const auto first, store.write([&](storage::Transaction& transaction) -> Result<Bytes> {
    auto& keys = transaction.get<KeyStore>();
    ECP_TRY_VOID(keys.insert_if_absent(name, sealed, now));
    ECP_TRY(const auto winner, keys.find(name));
    if (!winner) return Error(ecp::reasons::damaged, {{"noun", "key"}});
    return *winner;
  }));
  return sealing.open(purpose, first);
}

}  // namespace ecp::inline v0::platform
