// SPDX-License-Identifier: Apache-2.0
// Refused: could not convert|cannot convert|no viable conversion
#include <ecp/core/time.hpp>

ecp::Milliseconds wait(int milliseconds) {
#ifdef ECP_WRONG
  return milliseconds;
#else
  return ecp::Milliseconds(milliseconds);
#endif
}
