// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The probe as a command: words in, texts out.

#include <functional>
#include <string>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::agent {

/// As people write it.
struct ProbeRequest {
  std::string target;  ///< "tcp://host:502"
  std::string range = "400001-400010";
  std::string units = "1-247";
  std::string timeout = "300ms";  ///< Of one request.
  std::string delay = "0ms";      ///< Between two requests.
};
struct ProbeAnswer {
  std::string table;  ///< For people.
  std::string yaml;   ///< Likely data tags as a pipeline's configuration.
};

/// Read a Modbus TCP device, and nothing else. Blocks for at most the time-out and delay of each
/// unit and piece of the range; `tell` gets lines of progress. Fails with `invalid_argument` for a
/// word that is wrong, else as pipeline::probe.
[[nodiscard]] ECP_EXPORT Result<ProbeAnswer> probe_device(
    const ProbeRequest& request, const std::function<void(std::string_view)>& tell);

}  // namespace ecp::inline v0::agent
