// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/verify.hpp>

#include <map>

#include <ecp/audit/audit_store.hpp>
#include <ecp/audit/reasons.hpp>
#include <ecp/pki/signature.hpp>

namespace ecp::inline v0::audit {
namespace {

constexpr std::int64_t page = 1'000;

/// Checkpoints of one chain by sequence; several may name the same one.
using Claims = std::multimap<std::int64_t, Checkpoint>;

/// Verifies one chain.
class Walk {
 public:
  Walk(AuditStore& audit, const VerifyInputs& inputs, const ChainSummary& summary, Claims claims)
      : audit_(audit), inputs_(inputs), claims_(std::move(claims)) {
    report_.chain = summary.chain;
    report_.unsealed = summary.unsealed;
    report_.checkpoints = static_cast<std::int64_t>(claims_.size());
  }

  /// Fault of this chain, if any.
  Result<std::optional<Fault>> run() {
    ECP_TRY(auto fault, walk_entries());
    if (fault) return fault;
    return check_end();
  }
  [[nodiscard]] const ChainReport& report() const noexcept { return report_; }

 private:
  Result<std::optional<Fault>> walk_entries() {
    for (;;) {
      ECP_TRY(const auto entries, audit_.sealed(report_.chain, head_.sequence, page));
      for (const auto& stored : entries) {
        if (auto fault = step(stored)) return fault;
      }
      if (static_cast<std::int64_t>(entries.size()) < page) return std::nullopt;
    }
  }

  std::optional<Fault> step(const StoredEntry& stored) {
    const std::int64_t expected = head_.sequence + 1;
    const std::string id = stored.entry.id.to_string();
    if (stored.seal->sequence != expected) return fault(expected, "", "is missing");
    if (hash_of(stored.entry) != stored.hash) return fault(expected, id, "was changed");
    head_ = {expected, chain_hash_of(head_.hash, expected, stored.hash)};
    if (head_.hash != stored.seal->chain_hash) {
      return fault(expected, id, "is not the one that was sealed here");
    }
    const auto [first, last] = claims_.equal_range(expected);
    for (auto claim = first; claim != last; ++claim) {
      if (auto problem = problem_of(claim->second)) return problem;
      proven_ = expected;
    }
    report_.entries = expected;
    return std::nullopt;
  }

  /// A claim about the sequence where the walk stands.
  std::optional<Fault> problem_of(const Checkpoint& claim) const {
    if (!is_signed(claim)) {
      return fault(claim.head.sequence, "", "has a checkpoint without a valid signature");
    }
    if (claim.head.hash != head_.hash) {
      return fault(proven_ + 1, "",
                   "or a later one, up to " + std::to_string(claim.head.sequence) +
                       ", is not the one that was signed");
    }
    return std::nullopt;
  }

  Result<std::optional<Fault>> check_end() {
    const auto beyond = claims_.upper_bound(head_.sequence);
    if (beyond != claims_.end()) {
      if (!is_signed(beyond->second)) {
        return fault(beyond->first, "", "has a checkpoint without a valid signature");
      }
      return fault(head_.sequence + 1, "",
                   "is missing: the log was signed up to " +
                       std::to_string(claims_.rbegin()->first) + " and has been cut");
    }
    ECP_TRY(const auto stored, audit_.head(report_.chain));
    if (stored.sequence != head_.sequence || stored.hash != head_.hash) {
      return fault(std::min(stored.sequence, head_.sequence) + 1, "",
                   "does not agree with the head of the chain");
    }
    if (head_.sequence > proven_) return fault(proven_ + 1, "", "is covered by no signature");
    return std::nullopt;
  }

  [[nodiscard]] bool is_signed(const Checkpoint& claim) const {
    const auto signature = from_base64(claim.signature);
    if (!signature) return false;
    for (const auto& key : inputs_.public_keys) {
      if (pki::verify_signature(key, signed_octets(claim), *signature)) return true;
    }
    return false;
  }

  [[nodiscard]] Fault fault(std::int64_t sequence, std::string entry, std::string problem) const {
    return {report_.chain, sequence, std::move(entry), std::move(problem)};
  }

  AuditStore& audit_;
  const VerifyInputs& inputs_;
  Claims claims_;
  ChainReport report_;
  ChainHead head_;
  std::int64_t proven_ = 0;  ///< Last sequence that a good signature covers.
};

Result<std::map<access::OrganizationId, Claims>> read_lines(std::string_view lines) {
  std::map<access::OrganizationId, Claims> claims;
  for (int number = 1; !lines.empty(); ++number) {
    const auto end = lines.find('\n');
    // A last line without its end was being written when the power went.
    if (end == std::string_view::npos) break;
    const auto line = lines.substr(0, end);
    lines.remove_prefix(end + 1);
    if (line.empty()) continue;
    auto checkpoint = checkpoint_from_line(line);
    if (!checkpoint) {
      return Error(reasons::bad_checkpoint_file,
                   {{"line", std::to_string(number)}, {"problem", checkpoint.error().message()}});
    }
    const auto chain = checkpoint->chain;
    const auto sequence = checkpoint->head.sequence;
    claims[chain].emplace(sequence, std::move(*checkpoint));
  }
  return claims;
}

Result<void> add_stored(AuditStore& audit, access::OrganizationId chain, Claims& claims) {
  std::int64_t above = 0;
  for (;;) {
    ECP_TRY(auto stored, audit.checkpoints(chain, above, page));
    for (auto& checkpoint : stored) {
      above = checkpoint.head.sequence;
      claims.emplace(above, std::move(checkpoint));
    }
    if (static_cast<std::int64_t>(stored.size()) < page) return {};
  }
}

/// Entries without a place: whole in themselves.
Result<void> check_unsealed(AuditStore& audit, VerifyReport& report) {
  ECP_TRY(const auto entries, audit.unsealed(INT64_MAX));
  for (const auto& stored : entries) {
    if (hash_of(stored.entry) == stored.hash) continue;
    report.faults.push_back(
        {stored.entry.scope.organization, 0, stored.entry.id.to_string(), "was changed"});
  }
  return {};
}

Result<VerifyReport> verify_all(AuditStore& audit, const VerifyInputs& inputs,
                                std::map<access::OrganizationId, Claims> claims) {
  VerifyReport report;
  ECP_TRY(auto chains, audit.chains());
  for (const auto& [chain, unused] : claims) {
    const auto known = std::find_if(chains.begin(), chains.end(),
                                    [id = chain](const auto& one) { return one.chain == id; });
    if (known == chains.end()) chains.push_back({chain, 0, 0});
  }
  for (const auto& summary : chains) {
    Claims of_chain = std::move(claims[summary.chain]);
    ECP_TRY_VOID(add_stored(audit, summary.chain, of_chain));
    Walk walk(audit, inputs, summary, std::move(of_chain));
    ECP_TRY(auto fault, walk.run());
    if (fault) report.faults.push_back(std::move(*fault));
    report.chains.push_back(walk.report());
  }
  ECP_TRY_VOID(check_unsealed(audit, report));
  return report;
}

}  // namespace

std::string VerifyReport::summary() const {
  if (!faults.empty()) {
    const Fault& first = faults.front();
    std::string text = "audit NOT verified: in chain " + chain_name(first.chain) + ", entry ";
    text += first.sequence > 0 ? std::to_string(first.sequence) : "(not sealed yet)";
    if (!first.entry.empty()) text += " (" + first.entry + ")";
    return text + " " + first.problem;
  }
  std::int64_t entries = 0;
  std::int64_t unsealed = 0;
  for (const auto& chain : chains) {
    entries += chain.entries;
    unsealed += chain.unsealed;
  }
  return "audit verified: " + std::to_string(entries) + " entries in " +
         std::to_string(chains.size()) + " chains, " + std::to_string(unsealed) + " unsealed";
}

Result<VerifyReport> verify(storage::Store& store, const VerifyInputs& inputs) {
  ECP_TRY(auto claims, read_lines(inputs.checkpoint_lines));
  return store.read([&](storage::Transaction& transaction) {
    return verify_all(transaction.get<AuditStore>(), inputs, claims);
  });
}

}  // namespace ecp::inline v0::audit
