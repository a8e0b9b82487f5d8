// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/idempotency.hpp>

#include <ecp/platform/reasons.hpp>

namespace ecp::inline v0::platform {
namespace {

constexpr Milliseconds lifetime = std::chrono::hours(24);
constexpr std::string_view purpose = "idempotency";

}  // namespace

KeyedRequestStore::~KeyedRequestStore() = default;

Result<std::string> Idempotency::once(const IdBytes& principal, std::string_view key,
                                      std::string_view request_hash,
                                      const std::function<std::string(bool& keep)>& answer) {
  const KeyedRequest request{principal, std::string(key), std::string(request_hash), {}};
  ECP_TRY(
      const auto before,
      store_.write([&](storage::Transaction& transaction) -> Result<std::optional<KeyedRequest>> {
        auto& requests = transaction.get<KeyedRequestStore>();
        ECP_TRY(const bool is_new, requests.insert(request, env_.clock.now()));
        if (is_new) return std::nullopt;
        return requests.find(principal, key);
      }));
  if (before) {
    if (before->request_hash != request_hash) return reasons::key_reused;
    if (before->sealed_answer.empty()) return reasons::request_running;
    ECP_TRY(const auto opened, sealing_.open(purpose, before->sealed_answer));
    return std::string(opened.view());
  }
  bool keep = false;
  std::string text = answer(keep);
  ECP_TRY_VOID(store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& requests = transaction.get<KeyedRequestStore>();
    if (!keep) return requests.remove(principal, key);
    return requests.set_answer(principal, key, sealing_.seal(purpose, Secret(text)));
  }));
  return text;
}

Result<void> Idempotency::sweep() {
  return store_.write([&](storage::Transaction& transaction) {
    return transaction.get<KeyedRequestStore>().remove_before(env_.clock.now() - lifetime);
  });
}

}  // namespace ecp::inline v0::platform
