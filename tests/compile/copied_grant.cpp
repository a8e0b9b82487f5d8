// SPDX-License-Identifier: Apache-2.0
// Refused: use of deleted function|call to deleted constructor
#include <utility>

#include <ecp/access/grant.hpp>

ecp::access::Grant keep(ecp::access::Grant& grant) {
#ifdef ECP_WRONG
  return grant;
#else
  return std::move(grant);
#endif
}
