// SPDX-License-Identifier: Apache-2.0
#include "api/v1/people.hpp"

#include <algorithm>

namespace ecp::inline v0::api {

void write_user(json::Writer& writer, const identity::User& user) {
  writer.begin_object().field("id", user.id.to_string()).field("email", user.email);
  writer.field("name", user.name).field("enabled", user.enabled);
  writer.field("last_login_at", text_of(user.last_login_at));
  writer.field("created_at", to_rfc3339(user.created_at));
  writer.field("revision", to_number(user.revision)).end_object();
}

http::Response user_response(int status, const identity::User& user) {
  json::Writer writer;
  write_user(writer, user);
  return json_response(status, writer.take(), user.revision);
}

Result<identity::NewUser> read_new_user(json::Reader& reader) {
  identity::NewUser user;
  ECP_TRY(user.email, reader.text("email", email_bounds));
  ECP_TRY(user.name, reader.text("name"));
  ECP_TRY(user.password, read_secret(reader, "password", password_octets));
  return user;
}

Result<Secret> read_secret(json::Reader& reader, std::string_view name, std::size_t max_octets) {
  ECP_TRY(auto text, reader.raw_text(name, max_octets));
  Secret secret(text);
  std::fill(text.begin(), text.end(), '\0');
  return secret;
}

std::optional<std::string> text_of(std::optional<Time> time) {
  if (!time) return std::nullopt;
  return to_rfc3339(*time);
}

}  // namespace ecp::inline v0::api
