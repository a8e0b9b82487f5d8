// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The configuration that our broker runs with.

#include <string>

#include <ecp/core/result.hpp>
#include <ecp/transport/broker.hpp>

namespace ecp::inline v0::transport::broker {

/// Write mosquitto's configuration. Fails with transport.bad_options on values that cannot stand in
/// it, and transport.no_broker_program when program or plugin is missing.
Result<std::string> make_config(const BrokerOptions& options);

/// Hex digest over the configuration and the content of plugin and certificates: a broker that was
/// started with another one is not adopted.
Result<std::string> fingerprint(const BrokerOptions& options, const std::string& config);

/// Fails with transport.port_taken when somebody listens there already.
Result<void> check_port(const BrokerOptions& options);

}  // namespace ecp::inline v0::transport::broker
