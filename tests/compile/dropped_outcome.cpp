// SPDX-License-Identifier: Apache-2.0
// Refused: ignoring return(ed)? value|nodiscard
#include <ecp/tenancy/registries.hpp>

void run(ecp::tenancy::ProjectRegistry& projects, const ecp::access::Grant& grant) {
#ifdef ECP_WRONG
  projects.remove(grant, grant.scope(), ecp::Revision::first);
#else
  const auto removed = projects.remove(grant, grant.scope(), ecp::Revision::first);
  static_cast<void>(removed.has_value());
#endif
}
