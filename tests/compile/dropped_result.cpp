// SPDX-License-Identifier: Apache-2.0
// Refused: ignoring return(ed)? value|nodiscard
#include <ecp/core/result.hpp>

ecp::Result<int> measure();

void run() {
#ifdef ECP_WRONG
  measure();
#else
  if (!measure()) return;
#endif
}
