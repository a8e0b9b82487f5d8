// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One data tag of a pipeline configuration, read and written.

#include <set>
#include <string>

#include <ecp/core/json.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::kind {

/// Names stand in tag paths: no slash.
Result<std::string> read_name(json::Reader& reader, std::set<std::string>& taken);
Result<Milliseconds> read_ms(json::Reader& reader, std::string_view field, Milliseconds fallback,
                             std::int64_t min, std::int64_t max);
Result<TagConfig> read_tag(json::Reader reader, std::set<std::string>& taken);
void write_tag(json::Writer& writer, const TagConfig& tag);

}  // namespace ecp::inline v0::kind
