// SPDX-License-Identifier: Apache-2.0
#include <ecp/audit/entry.hpp>

#include <ecp/audit/audit_store.hpp>
#include <ecp/audit/reasons.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::audit {
namespace {

BytesView view(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

void write_statement(json::Writer& writer, const Checkpoint& checkpoint) {
  writer.begin_object()
      .field("v", 1)
      .field("chain", chain_name(checkpoint.chain))
      .field("sequence", checkpoint.head.sequence)
      .field("hash", to_hex(checkpoint.head.hash))
      .field("at", to_ms(checkpoint.at))
      .field("previous", checkpoint.previous)
      .field("key", checkpoint.key_id)
      .end_object();
}

Result<Checkpoint> read_checkpoint(json::Reader& line) {
  Checkpoint checkpoint;
  ECP_TRY(checkpoint.signature, line.text("signature", {1, 128}));
  ECP_TRY(auto statement, line.object("checkpoint"));
  ECP_TRY_VOID(statement.integer("v", 1, 1));
  ECP_TRY(const auto chain, statement.text("chain", {1, 64}));
  if (chain != chain_name({})) {
    ECP_TRY(checkpoint.chain, access::OrganizationId::parse(chain));
  }
  ECP_TRY(checkpoint.head.sequence, statement.integer("sequence", 1, INT64_MAX));
  ECP_TRY(const auto hex, statement.text("hash", {64, 64}));
  ECP_TRY(const auto hash, from_hex(hex));
  std::copy(hash.begin(), hash.end(), checkpoint.head.hash.begin());
  ECP_TRY(const auto at, statement.integer("at", 0, INT64_MAX));
  checkpoint.at = from_ms(at);
  ECP_TRY(checkpoint.previous, statement.text("previous", {0, 128}));
  ECP_TRY(checkpoint.key_id, statement.text("key", {1, 64}));
  return checkpoint;
}

}  // namespace

AuditStore::~AuditStore() = default;

std::string details_to_json(const Details& details) {
  json::Writer writer;
  writer.begin_array();
  for (const auto& [name, value] : details) {
    writer.begin_array().value(name).value(value).end_array();
  }
  writer.end_array();
  return writer.take();
}

Result<Details> details_from_json(std::string_view json) {
  ECP_TRY(const auto document, json::Document::parse(json));
  const auto root = document.root();
  Details details;
  for (std::size_t index = 0; root.is_array() && index < root.size(); ++index) {
    const auto pair = root.at(index);
    if (!pair.is_array() || pair.size() != 2) {
      return Error(ecp::reasons::damaged, {{"noun", "audit entry"}});
    }
    details.emplace_back(pair.at(0).get_string(), pair.at(1).get_string());
  }
  return details;
}

std::string canonical_octets(const Entry& entry) {
  json::Writer writer;
  writer.begin_array()
      .value("ecp-audit-1")
      .value(entry.id.to_string())
      .value(chain_name(entry.scope.organization))
      .value(entry.scope.project.is_nil() ? std::string() : entry.scope.project.to_string())
      .value(to_ms(entry.at))
      .value(entry.principal_kind)
      .value(entry.principal)
      .value(entry.source)
      .value(entry.request)
      .value(entry.remote)
      .value(entry.operation)
      .value(entry.outcome == Outcome::done ? "done" : "denied")
      .value(entry.subject_kind)
      .value(entry.subject_id)
      .value(entry.subject_name)
      .raw(details_to_json(entry.details))
      .end_array();
  return writer.take();
}

Sha256 hash_of(const Entry& entry) { return sha256(canonical_octets(entry)); }

Sha256 chain_hash_of(const Sha256& before, std::int64_t sequence, const Sha256& entry_hash) {
  Bytes octets(view(before));
  for (int shift = 56; shift >= 0; shift -= 8) {
    octets.push_back(static_cast<char>((static_cast<std::uint64_t>(sequence) >> shift) & 0xff));
  }
  octets += view(entry_hash);
  return sha256(octets);
}

std::string chain_name(access::OrganizationId chain) {
  return chain.is_nil() ? "platform" : chain.to_string();
}

std::string signed_octets(const Checkpoint& checkpoint) {
  json::Writer writer;
  write_statement(writer, checkpoint);
  return "ecp-audit-checkpoint-1\n" + writer.take();
}

std::string to_line(const Checkpoint& checkpoint) {
  json::Writer writer;
  writer.begin_object().key("checkpoint");
  write_statement(writer, checkpoint);
  writer.field("signature", checkpoint.signature).end_object();
  return writer.take();
}

Result<Checkpoint> checkpoint_from_line(std::string_view line) {
  ECP_TRY(auto document, json::ObjectDocument::parse(line));
  return read_checkpoint(document.reader());
}

}  // namespace ecp::inline v0::audit
