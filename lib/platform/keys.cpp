// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/keys.hpp>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::platform {

KeyStore::~KeyStore() = default;

Result<Secret> load_or_create_key(storage::Store& store, const Sealing& sealing, const Env& env,
                                  std::string_view name,
                                  const std::function<Result<Secret>()>& make) {
  const auto find = [&](storage::Transaction& transaction) {
    return transaction.get<KeyStore>().find(name);
  };
  ECP_TRY(auto sealed, store.read(find));
  if (!sealed) {
    ECP_TRY(const auto made, make());
    const Bytes row = sealing.seal(name, made);
    ECP_TRY(sealed,
            store.write([&](storage::Transaction& transaction) -> Result<std::optional<Bytes>> {
              auto& keys = transaction.get<KeyStore>();
              ECP_TRY_VOID(keys.insert_if_absent(name, row, env.clock.now()));
              return keys.find(name);
            }));
  }
  if (!sealed) return Error(ecp::reasons::damaged, {{"noun", "key"}});
  return sealing.open(name, *sealed);
}

}  // namespace ecp::inline v0::platform
