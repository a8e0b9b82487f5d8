// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a machine becomes an edge node: its key, certificate and link document.

#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/client.hpp>
#include <ecp/link/documents.hpp>

namespace ecp::inline v0::agent {

/// Files of an agent in its data folder.
struct AgentFiles {
  std::string folder;
  [[nodiscard]] std::string identity() const { return folder + "/identity.pem"; }
  [[nodiscard]] std::string roots() const { return folder + "/roots.pem"; }
  [[nodiscard]] std::string link() const { return folder + "/link.json"; }
  [[nodiscard]] std::string new_key() const { return folder + "/new-key.pem"; }
  [[nodiscard]] std::string database() const { return folder + "/agent.db"; }
  [[nodiscard]] std::string server_time() const { return folder + "/server-time"; }
  [[nodiscard]] std::string status() const { return folder + "/status.json"; }
};

struct EnrollmentRequest {
  std::string url;  ///< "https://host:port"
  std::string name;
  std::string data_folder;
};

/// Enroll with a token "ecpt_<secret>.<SHA-256 of the root in hex, or `system`>". The key is made
/// and kept before it is used, so that a lost answer is made good by calling again. The server is
/// judged by the token's pin before the token is sent. Fails with `already_exists`
/// (agent.already_enrolled) when the folder holds an identity.
[[nodiscard]] ECP_EXPORT Result<link::LinkDocument> enroll(const EnrollmentRequest& request,
                                                           const Secret& token,
                                                           http::Client& client, Env env);

/// The link document of an enrolled folder. Fails with `failed_precondition` (agent.not_enrolled).
[[nodiscard]] ECP_EXPORT Result<link::LinkDocument> load_link_document(const AgentFiles& files);

/// Time at which certificates are judged: never before the program was built, the own certificate
/// became valid, or the server was last heard.
[[nodiscard]] ECP_EXPORT Time trusted_time(Time system, Time own_not_before, Time last_server);

/// Keep the server's time for judging certificates after a restart, when it is an hour or more
/// later than what is kept.
ECP_EXPORT Result<void> note_server_time(const AgentFiles& files, Time server_time);

/// Fetch the link document anew with the agent's certificate and keep it.
[[nodiscard]] ECP_EXPORT Result<link::LinkDocument> fetch_link_document(
    const AgentFiles& files, const link::LinkDocument& known, http::Client& client);

/// True when two thirds of the certificate's life are over.
[[nodiscard]] ECP_EXPORT Result<bool> needs_renewal(const AgentFiles& files, Time now);
/// Get a certificate for a new key, proven by the old one; also after expiry.
[[nodiscard]] ECP_EXPORT Result<link::LinkDocument> renew(const AgentFiles& files,
                                                          const link::LinkDocument& known,
                                                          http::Client& client);
/// Fetch a resource's body by its hash and check it.
[[nodiscard]] ECP_EXPORT Result<std::string> fetch_resource(const AgentFiles& files,
                                                            const link::LinkDocument& known,
                                                            http::Client& client,
                                                            std::string_view sha256);

}  // namespace ecp::inline v0::agent
