// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// JSON of audit entries; private to the endpoints and the feed.

#include <map>
#include <span>
#include <string>

#include <ecp/audit/entry.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::api {

/// What users and agents are called now, by the text of their ids. Who is gone is missing.
using PrincipalNames = std::map<std::string, std::string, std::less<>>;

[[nodiscard]] Result<PrincipalNames> principal_names(storage::Transaction& transaction,
                                                     std::span<const audit::StoredEntry> entries);

void write_entry(json::Writer& writer, const audit::StoredEntry& stored,
                 const PrincipalNames& names);

}  // namespace ecp::inline v0::api
