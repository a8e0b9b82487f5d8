// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/reasons.hpp>

namespace ecp::inline v0::platform {
namespace {

// Sealed octets: version (1), nonce (24), authenticator and content. The box's key is made of the
// master key and the purpose (BLAKE2b), so that nothing opens under another purpose.
constexpr char version = 1;
constexpr std::size_t key_size = crypto_secretbox_KEYBYTES;
constexpr std::size_t nonce_size = crypto_secretbox_NONCEBYTES;
constexpr std::size_t head_size = 1 + nonce_size;
constexpr std::size_t key_file_size = 256;
static_assert(key_size == crypto_generichash_BYTES);
static_assert(key_size == crypto_generichash_KEYBYTES);

const unsigned char* octets_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* octets_of(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

/// Octets that are wiped at the end.
class WipedKey {
 public:
  WipedKey(const Secret& master, std::string_view purpose) {
    crypto_generichash(octets_.data(), octets_.size(), octets_of(purpose), purpose.size(),
                       octets_of(master.view()), master.view().size());
  }
  ~WipedKey() { sodium_memzero(octets_.data(), octets_.size()); }
  WipedKey(const WipedKey&) = delete;
  WipedKey& operator=(const WipedKey&) = delete;
  [[nodiscard]] const unsigned char* data() const { return octets_.data(); }

 private:
  std::array<unsigned char, key_size> octets_{};
};

Error wrong_key(std::string_view purpose) {
  return Error(reasons::wrong_master_key, {{"name", std::string(purpose)}});
}

Error cannot_make(const std::string& path, int problem) {
  return Error(
      ecp::reasons::io,
      {{"path", path}, {"action", "made"}, {"problem", std::generic_category().message(problem)}});
}

/// The hexadecimal text of a new key.
Secret new_key_text(Random& random) {
  auto octets = random.bytes(key_size);
  auto text = to_hex(octets);
  Secret secret(text);
  sodium_memzero(octets.data(), octets.size());
  sodium_memzero(text.data(), text.size());
  return secret;
}

/// All that will be sealed depends on the key's file, so its name must outlast a power cut.
Result<void> sync_folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  const int opened =
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int problem = opened >= 0 && ::fsync(opened) == 0 ? 0 : errno;
  if (opened >= 0) ::close(opened);
  if (problem != 0) return cannot_make(path, problem);
  return {};
}

/// Make the file unless another program is quicker: a link, unlike a rename, never replaces.
Result<void> create_key_file(const std::string& path, Random& random) {
  const auto mine = path + ".new-" + to_hex(random.bytes(8));
  ECP_TRY_VOID(write_file_durably(mine, new_key_text(random).view()));
  const int problem = ::link(mine.c_str(), path.c_str()) == 0 ? 0 : errno;
  ::unlink(mine.c_str());
  if (problem != 0 && problem != EEXIST) return cannot_make(path, problem);
  return sync_folder_of(path);
}

}  // namespace

Sealing::Sealing(Secret key, Random& random) : key_(std::move(key)), random_(&random) {}

Result<Sealing> Sealing::make(const Secret& master_key, const Env& env) {
  if (sodium_init() < 0) return Error(ecp::reasons::internal, {}, "sodium_init");
  if (master_key.view().size() != 2 * key_size) return reasons::bad_master_key;
  auto decoded = from_hex(master_key.view());
  if (!decoded) return reasons::bad_master_key;
  auto& octets = *decoded;
  Sealing sealing(Secret(octets), env.random);
  sodium_memzero(octets.data(), octets.size());
  return sealing;
}

Result<Sealing> Sealing::load_or_create(const std::string& path, const Env& env) {
  auto text = read_secret_file(path, key_file_size);
  if (!text && text.error().code() == ErrorCode::not_found) {
    ECP_TRY_VOID(create_key_file(path, env.random));
    text = read_secret_file(path, key_file_size);
  }
  if (!text && text.error().code() != ErrorCode::invalid_argument) return std::move(text).error();
  auto sealing = text ? make(*text, env) : Result<Sealing>(reasons::bad_master_key);
  if (!sealing && sealing.error().is(reasons::bad_master_key)) {
    return Error(reasons::bad_master_key_file, {{"path", path}});
  }
  return sealing;
}

Bytes Sealing::seal(std::string_view purpose, const Secret& secret) const {
  const WipedKey key(key_, purpose);
  const auto content = secret.view();
  Bytes sealed(head_size + crypto_secretbox_MACBYTES + content.size(), '\0');
  sealed[0] = version;
  random_->fill({octets_of(sealed) + 1, nonce_size});
  crypto_secretbox_easy(octets_of(sealed) + head_size, octets_of(content), content.size(),
                        octets_of(sealed) + 1, key.data());
  return sealed;
}

Result<Secret> Sealing::open(std::string_view purpose, BytesView sealed) const {
  if (sealed.size() < head_size + crypto_secretbox_MACBYTES || sealed[0] != version) {
    return wrong_key(purpose);
  }
  const WipedKey key(key_, purpose);
  Bytes content(sealed.size() - head_size - crypto_secretbox_MACBYTES, '\0');
  const int outcome =
      crypto_secretbox_open_easy(octets_of(content), octets_of(sealed) + head_size,
                                 sealed.size() - head_size, octets_of(sealed) + 1, key.data());
  if (outcome != 0) return wrong_key(purpose);
  Secret secret(content);
  sodium_memzero(content.data(), content.size());
  return secret;
}

}  // namespace ecp::inline v0::platform
