// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/probe.hpp>

#include <ecp/pipeline/probe.hpp>

namespace ecp::inline v0::agent {

Result<ProbeAnswer> probe_device(const ProbeRequest& request,
                                 const std::function<void(std::string_view)>& tell) {
  pipeline::ProbeOptions options;
  ECP_TRY_VOID(pipeline::read_probe_target(request.target, options));
  ECP_TRY_VOID(pipeline::read_probe_range(request.range, options));
  ECP_TRY_VOID(pipeline::read_probe_units(request.units, options));
  ECP_TRY(options.timeout, pipeline::read_probe_time("--timeout", request.timeout));
  ECP_TRY(options.delay, pipeline::read_probe_time("--delay", request.delay));
  ECP_TRY(const auto findings, pipeline::probe(options, tell));
  return ProbeAnswer{pipeline::probe_table(findings), pipeline::probe_yaml(options, findings)};
}

}  // namespace ecp::inline v0::agent
