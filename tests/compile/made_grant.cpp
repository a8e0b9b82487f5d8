// SPDX-License-Identifier: Apache-2.0
// Refused: is private within this context|calling a private constructor
#include <ecp/rbac/authorizer.hpp>

ecp::Result<ecp::access::Grant> grant(const ecp::rbac::Authorizer& authorizer,
                                      const ecp::access::PermissionRegistry& registry,
                                      ecp::access::DenialSink& sink, const ecp::Env& env) {
#ifdef ECP_WRONG
  return ecp::access::Grant({}, {}, {}, {}, {}, registry, sink, env);
#else
  static_cast<void>(registry), static_cast<void>(sink), static_cast<void>(env);
  return authorizer.authorize({}, {}, {});
#endif
}
