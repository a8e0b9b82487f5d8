// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/idempotency.hpp>

#include <ecp/platform/reasons.hpp>

namespace ecp::inline v0::platform {
namespace {

/// An answer opens under its own key alone.
std::string purpose_of(const KeyedRequest& request) {
  return "answer " + id_to_text("principal", request.principal) + " " + request.key;
}

}  // namespace

KeyedRequestStore::~KeyedRequestStore() = default;

Result<std::string> Idempotency::once(const IdBytes& principal, std::string_view key,
                                      std::string_view request_hash,
                                      const std::function<std::string(bool& keep)>& answer) {
  const KeyedRequest request{principal, std::string(key), std::string(request_hash), {}};
  ECP_TRY(const auto before, begin(request));
  if (before) {
    if (before->request_hash != request_hash) return reasons::key_reused;
    if (before->sealed_answer.empty()) return reasons::request_running;
    ECP_TRY(const auto opened, sealing_.open(purpose_of(request), before->sealed_answer));
    return std::string(opened.view());
  }
  bool is_kept = false;
  std::string text;
  try {
    text = answer(is_kept);
  } catch (...) {
    free(request);
    throw;  // The caller's own.
  }
  if (is_kept) {
    keep(request, text);
  } else {
    free(request);
  }
  return text;
}

/// The request that has the key already; none: it is this one's now.
Result<std::optional<KeyedRequest>> Idempotency::begin(const KeyedRequest& request) {
  return store_.write(
      [&](storage::Transaction& transaction) -> Result<std::optional<KeyedRequest>> {
        auto& requests = transaction.get<KeyedRequestStore>();
        const Time now = env_.clock.now();
        ECP_TRY_VOID(requests.remove_before(now - kept_for));
        ECP_TRY(const bool is_new, requests.insert(request, now));
        if (is_new) return std::nullopt;
        return requests.find(request.principal, request.key);
      });
}

void Idempotency::free(const KeyedRequest& request) {
  const auto freed = store_.write([&](storage::Transaction& transaction) {
    return transaction.get<KeyedRequestStore>().remove(request.principal, request.key);
  });
  if (!freed) {
    env_.log.error("platform", "an idempotency key stays taken",
                   {{"problem", freed.error().describe()}});
  }
}

/// What was done stays done when its answer cannot be kept, so that is no failure of the request.
void Idempotency::keep(const KeyedRequest& request, std::string_view text) {
  const auto sealed = sealing_.seal(purpose_of(request), Secret(text));
  const auto kept = store_.write([&](storage::Transaction& transaction) {
    return transaction.get<KeyedRequestStore>().set_answer(request.principal, request.key, sealed);
  });
  if (!kept) {
    env_.log.error("platform", "an answer is not kept", {{"problem", kept.error().describe()}});
  }
}

}  // namespace ecp::inline v0::platform
