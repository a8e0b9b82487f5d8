// SPDX-License-Identifier: Apache-2.0
#include <cstdio>

#include <ecp/kind/pipeline_config.hpp>

int main() {
  const auto address = ecp::kind::parse_modbus_address("1!400011");
  if (!address) return 1;
  std::printf("holding register at offset %d\n", static_cast<int>(address->offset));
  return 0;
}
