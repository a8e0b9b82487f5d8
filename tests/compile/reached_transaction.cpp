// SPDX-License-Identifier: Apache-2.0
// Refused: is private within this context|calling a private constructor|use of deleted function
#include <ecp/storage/store.hpp>

ecp::Result<void> run(ecp::storage::Store& store) {
#ifdef ECP_WRONG
  ecp::storage::Transaction kept = *static_cast<ecp::storage::Transaction*>(nullptr);
#endif
  return store.read([](ecp::storage::Transaction&) -> ecp::Result<void> { return {}; });
}
