// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include <ecp/pki/certificate.hpp>

#include "binding.hpp"

namespace ecp_python {

void bind_pki(py::module_& m) {
  m.def(
      "make_p256_key", [] { return unwrap(ecp::pki::make_p256_key()); }, Unlocked(),
      docstring("pki::make_p256_key"));
  m.def(
      "make_csr",
      [](const ecp::Secret& key_pem, std::string_view common_name) {
        return unwrap(ecp::pki::make_csr(key_pem, common_name));
      },
      "key_pem"_a, "common_name"_a, Unlocked(), docstring("pki::make_csr"));
}

}  // namespace ecp_python
