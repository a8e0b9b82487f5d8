// SPDX-License-Identifier: Apache-2.0
// Refused: could not convert|no viable conversion|conversion from
#include <string>

#include <ecp/core/secret.hpp>

ecp::Secret password(const std::string& text) {
#ifdef ECP_WRONG
  return text;
#else
  return ecp::Secret(text);
#endif
}
