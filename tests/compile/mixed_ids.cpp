// SPDX-License-Identifier: Apache-2.0
// Refused: could not convert|cannot convert|no viable conversion
#include <ecp/fleet/edge_node_registry.hpp>

bool is_known(ecp::fleet::EdgeNodeRegistry& nodes, const ecp::access::Grant& grant,
              ecp::fleet::EdgeNodeId node, ecp::fleet::EdgeServiceId service) {
#ifdef ECP_WRONG
  return nodes.get(grant, service).has_value() && !node.is_nil();
#else
  return nodes.get(grant, node).has_value() && !service.is_nil();
#endif
}
