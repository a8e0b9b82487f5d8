// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makes the agent what its manifest says.

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/agent/agent_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::agent {

/// Accepts manifests and applies their resources.
///
/// Transactions: its own units of work. Thread safety: the agent's lane alone.
class Reconciler {
 public:
  struct Appliers {
    std::function<Result<void>(std::string_view name, std::string_view body)> apply;
    std::function<void(std::string_view name)> remove;
  };
  Reconciler(storage::Store& store, pipeline::Buffer& buffer, link::AgentId agent,
             Appliers appliers, Env env);

  /// Read what was accepted, and apply it; what was good last where the newer version is not here
  /// or fails. A device is not read by a version that is replaced at once.
  Result<void> boot();
  void set_keys(std::vector<link::LinkDocument::ManifestKey> keys) { keys_ = std::move(keys); }
  /// Verify, then parse, then keep and apply a manifest. Fails with `permission_denied` for a wrong
  /// signature, an unknown key or another agent's manifest, `conflict` unless it is greater than
  /// the one accepted.
  Result<void> accept(const link::SignedManifest& signed_manifest);
  /// Hashes of bodies that must be fetched.
  [[nodiscard]] const std::vector<std::string>& missing() const noexcept { return missing_; }
  /// False when the last of accept() and take_body() failed halfway, after the manifest or body
  /// was kept: settle() finishes it.
  [[nodiscard]] bool is_settled() const noexcept { return is_settled_; }
  [[nodiscard]] Result<void> settle() { return reconcile(); }
  /// A body was fetched; its hash is checked here again.
  Result<void> take_body(std::string_view sha256, std::string_view body);

  [[nodiscard]] link::Generation generation() const noexcept { return generation_; }
  [[nodiscard]] const std::string& manifest_sha256() const noexcept { return manifest_sha256_; }
  /// The manifest accepted last, as it was signed; none before the first.
  [[nodiscard]] Result<std::optional<StoredManifest>> stored_manifest();

 private:
  Result<link::Manifest> verify(const link::SignedManifest& signed_manifest) const;
  Result<void> keep(const link::Manifest& manifest, const link::SignedManifest& signed_manifest);
  /// The version of a resource that was good last.
  struct Good {
    std::string name;
    std::string body;
    bool has_newer = false;  ///< A newer one is here and was not tried yet.
  };
  void apply_good(const Good& good);
  [[nodiscard]] bool is_applied(std::string_view name) const;
  void apply_row(ResourceRow& row, const std::string& body);
  Result<void> reconcile();
  [[nodiscard]] std::vector<link::ReportedItem> reported() const;

  storage::Store& store_;
  pipeline::Buffer& buffer_;
  link::AgentId agent_;
  Appliers appliers_;
  Env env_;
  std::vector<link::LinkDocument::ManifestKey> keys_;
  link::Generation generation_;
  std::string manifest_sha256_;
  std::vector<ResourceRow> rows_;
  std::vector<std::string> missing_;
  bool is_settled_ = true;
};

}  // namespace ecp::inline v0::agent
