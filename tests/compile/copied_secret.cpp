// SPDX-License-Identifier: Apache-2.0
// Refused: use of deleted function|call to deleted constructor
#include <ecp/core/secret.hpp>

ecp::Secret second(const ecp::Secret& first) {
#ifdef ECP_WRONG
  return first;
#else
  return first.clone();
#endif
}
