// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/keys.hpp>

#include <array>

#include <sodium.h>

#include <ecp/core/file.hpp>
#include <ecp/platform/reasons.hpp>

namespace ecp::inline v0::platform {
namespace {

constexpr std::size_t key_size = crypto_secretbox_KEYBYTES;
constexpr std::size_t longest_file = 256;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

/// A key of its own for each purpose, so that sealed octets cannot be moved to another one.
Secret key_for(const Secret& master, std::string_view purpose) {
  std::array<char, key_size> key{};
  ::crypto_generichash(reinterpret_cast<unsigned char*>(key.data()), key.size(), octets(purpose),
                       purpose.size(), octets(master.view()), master.view().size());
  Secret secret(std::string_view(key.data(), key.size()));
  ::sodium_memzero(key.data(), key.size());
  return secret;
}

}  // namespace

KeyStore::~KeyStore() = default;

Sealing::Sealing(Secret key, Random& random) : key_(std::move(key)), random_(&random) {}

Result<Sealing> Sealing::make(const Secret& master_key, const Env& env) {
  [[maybe_unused]] const int unused = ::sodium_init();  // 1 when somebody was earlier.
  auto key = from_hex(master_key.view());
  if (!key || key->size() != key_size) return reasons::bad_master_key;
  Sealing sealing(Secret(*key), env.random);
  ::sodium_memzero(key->data(), key->size());
  return sealing;
}

Result<Sealing> Sealing::load_or_create(const std::string& path, const Env& env) {
  auto key = read_secret_file(path, longest_file);
  if (!key && key.error().code() == ErrorCode::not_found) {
    Secret made(to_hex(env.random.bytes(key_size)));
    ECP_TRY_VOID(write_file_durably(path, std::string(made.view()) + "\n", 0600));
    return make(made, env);
  }
  if (!key) return std::move(key).error();
  return make(*key, env);
}

Bytes Sealing::seal(std::string_view purpose, const Secret& secret) const {
  const Secret key = key_for(key_, purpose);
  Bytes sealed = random_->bytes(crypto_secretbox_NONCEBYTES);
  const Bytes nonce = sealed;
  sealed.resize(nonce.size() + crypto_secretbox_MACBYTES + secret.view().size());
  ::crypto_secretbox_easy(reinterpret_cast<unsigned char*>(sealed.data() + nonce.size()),
                          octets(secret.view()), secret.view().size(), octets(nonce),
                          octets(key.view()));
  return sealed;
}

Result<Secret> Sealing::open(std::string_view purpose, BytesView sealed) const {
  const Error wrong(reasons::wrong_master_key, {{"name", std::string(purpose)}});
  constexpr std::size_t around = crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
  if (sealed.size() < around) return wrong;
  const Secret key = key_for(key_, purpose);
  Bytes plain(sealed.size() - around, '\0');
  const auto box = sealed.substr(crypto_secretbox_NONCEBYTES);
  const int failed =
      ::crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()), octets(box),
                                   box.size(), octets(sealed), octets(key.view()));
  if (failed != 0) return wrong;
  Secret secret(plain);
  ::sodium_memzero(plain.data(), plain.size());
  return secret;
}

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
  return sealing.open(name, *sealed);
}

}  // namespace ecp::inline v0::platform
