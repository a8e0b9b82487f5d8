// SPDX-License-Identifier: Apache-2.0
// Refused: could not convert|no viable conversion
#include <ecp/core/result.hpp>

ecp::Result<bool> is_here(const int* found) {
#ifdef ECP_WRONG
  return found;
#else
  return found != nullptr;
#endif
}
