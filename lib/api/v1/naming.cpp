// SPDX-License-Identifier: Apache-2.0
#include "api/v1/naming.hpp"

namespace ecp::inline v0::api {
namespace {

constexpr json::TextBounds description_bounds{0, limits::description_length};

}  // namespace

Result<tenancy::Naming> naming_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  tenancy::Naming naming;
  ECP_TRY(naming.name, reader.text("name"));
  ECP_TRY(auto description, reader.optional_text("description", description_bounds));
  naming.description = std::move(description).value_or("");
  ECP_TRY_VOID(reader.finish());
  return naming;
}

Result<tenancy::NamingChanges> naming_changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  tenancy::NamingChanges changes;
  ECP_TRY(changes.name, reader.optional_text("name"));
  ECP_TRY(changes.description, reader.optional_text("description", description_bounds));
  ECP_TRY_VOID(reader.finish());
  return changes;
}

}  // namespace ecp::inline v0::api
