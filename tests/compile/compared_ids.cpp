// SPDX-License-Identifier: Apache-2.0
// Refused: no match for .operator==|invalid operands
#include <ecp/access/ids.hpp>

bool same(ecp::access::OrganizationId organization, ecp::access::ProjectId project) {
#ifdef ECP_WRONG
  return organization == project;
#else
  return organization.bytes() == project.bytes();
#endif
}
