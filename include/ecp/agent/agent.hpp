// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The agent of an edge node as one object.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ecp/agent/enrollment.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/http/client.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/storage/store.hpp>
#include <ecp/transport/agent_link.hpp>

namespace ecp::inline v0::agent {

struct AgentOptions {
  link::LinkDocument link;        ///< As given at enrollment or fetched last.
  std::string version = "0.1.0";  ///< Of the program, told to the plane.
  std::string data_folder;        ///< Holds the identity; empty: no HTTPS, no renewal (loopback).
  bool writes = true;             ///< False: no device write, whoever asks.
  std::size_t buffer_bytes = 256 * mebibyte;
  Milliseconds telemetry_interval{0};  ///< How long new samples gather before they are sent.
  Milliseconds flush_interval{100};  ///< Group commit of samples.
};

/// What an agent works with.
///
/// Ownership: taken over; an absent client means that nothing is ever fetched.
struct AgentParts {
  std::unique_ptr<storage::Store> store;  ///< With pipeline_module() and agent_module().
  std::unique_ptr<pipeline::DriverFactory> drivers;
  std::unique_ptr<http::Client> http;
  /// Makes the link; called again when a new link document names other brokers or roots.
  std::function<Result<std::unique_ptr<transport::AgentLink>>(const link::LinkDocument&)> open_link;
};

/// What the agent is doing, for its owner and for tests.
struct AgentStatus {
  bool linked = false;
  link::Generation applied;
  std::int64_t buffered = 0;
  std::int64_t dropped = 0;
  std::vector<link::Heartbeat::Service> services;
};

/// Runs what the manifest says, with the control plane or without it.
///
/// Everything but drivers' and links' callbacks runs on one lane of the env's workers, one task at
/// a time; HTTP calls run beside it. Ownership: the env outlives it. Destroying it without stop()
/// is like a power cut: samples not yet
///   committed are gone, everything else is on disk.
/// Thread safety: any thread, but not from a callback.
class ECP_EXPORT Agent {
 public:
  /// Read the last desired state. Nothing runs yet.
  [[nodiscard]] static Result<std::unique_ptr<Agent>> open(AgentOptions options, AgentParts parts,
                                                           Env env);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Apply the last desired state and begin connecting.
  Result<void> start();
  /// Stop services and link, commit what is in memory. Idempotent.
  void stop() noexcept;
  [[nodiscard]] AgentStatus status() const;

 private:
  class State;
  explicit Agent(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::agent
