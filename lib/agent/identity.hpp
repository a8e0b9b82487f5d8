// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The files that make a machine an edge node, and how they are replaced as a whole.

#include <string>
#include <string_view>

#include <ecp/agent/enrollment.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pki/certificate.hpp>

namespace ecp::inline v0::agent {

/// Key and certificate of an enrolled agent; they stand in one file, so that they change together.
struct Identity {
  link::AgentId agent;  ///< The certificate's common name.
  Secret key_pem;
  std::string chain_pem;
  pki::CertificateFacts facts;
};

[[nodiscard]] bool has_identity(const AgentFiles& files);
/// Fails with `failed_precondition` (agent.not_enrolled) and `data_loss` (agent.bad_identity).
[[nodiscard]] ECP_EXPORT Result<Identity> load_identity(const AgentFiles& files);

/// The key that the next certificate is for: made and kept before it is first used, so that a call
/// whose answer was lost can be repeated with the same one.
[[nodiscard]] Result<Secret> keep_new_key(const AgentFiles& files);

/// Earliest time at which certificates are judged, whatever the clock says; from what can be read
/// of the files.
[[nodiscard]] ECP_EXPORT Time earliest_time(const AgentFiles& files);

/// Check the answer to an enrollment or a renewal (with the id that it must be for), and keep it:
/// the identity last, since it is what makes the folder an enrolled one.
[[nodiscard]] Result<link::LinkDocument> accept_certificate(const AgentFiles& files,
                                                            std::string_view answer,
                                                            const Secret& key_pem,
                                                            const link::AgentId* expected);

/// Check that a link document leaves a way back to its control plane, and keep it and its roots.
[[nodiscard]] Result<void> keep_link_document(const AgentFiles& files,
                                              const link::LinkDocument& document);

}  // namespace ecp::inline v0::agent
