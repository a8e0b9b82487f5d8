// SPDX-License-Identifier: Apache-2.0
// Refused: could not convert|cannot convert|cannot initialize|no viable conversion
#include <ecp/core/page.hpp>

ecp::Revision revision(int number) {
#ifdef ECP_WRONG
  return number;
#else
  return static_cast<ecp::Revision>(number);
#endif
}
