// SPDX-License-Identifier: Apache-2.0
// Refused: no match for .operator==|invalid operands
#include <ecp/core/secret.hpp>

bool same(const ecp::Secret& left, const ecp::Secret& right) {
#ifdef ECP_WRONG
  return left == right;
#else
  return left.equals(right.view());
#endif
}
