// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The comments of the public headers; the table is made by docstrings.py while building.

#include <string_view>

namespace ecp_python {

/// The comment above a name ("fleet::EdgeNodeRegistry::get"), or behind a member; "" when it has
/// none.
const char* docstring(std::string_view name);

}  // namespace ecp_python
