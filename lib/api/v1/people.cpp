// SPDX-License-Identifier: Apache-2.0
#include "api/v1/people.hpp"

#include <strings.h>

namespace ecp::inline v0::api {

void write_user(json::Writer& writer, const identity::User& user) {
  writer.begin_object().field("id", user.id.to_string()).field("email", user.email);
  writer.field("name", user.name).field("enabled", user.enabled).key("last_login_at");
  if (user.last_login_at) {
    writer.value(to_rfc3339(*user.last_login_at));
  } else {
    writer.null();
  }
  writer.field("created_at", to_rfc3339(user.created_at));
  writer.field("revision", to_number(user.revision)).end_object();
}

http::Response user_response(int status, const identity::User& user) {
  json::Writer writer;
  write_user(writer, user);
  return json_response(status, writer.take(), user.revision);
}

Result<Secret> secret_from(json::Reader& reader, std::string_view name, std::size_t max_octets) {
  ECP_TRY(auto text, reader.raw_text(name, max_octets));
  Secret secret(text);
  ::explicit_bzero(text.data(), text.size());
  return secret;
}

Result<identity::NewUser> new_user_from(json::Reader& reader) {
  identity::NewUser wanted;
  ECP_TRY(wanted.email, reader.text("email", {3, limits::email_length}));
  ECP_TRY(wanted.name, reader.text("name"));
  ECP_TRY(wanted.password, secret_from(reader, "password"));
  return wanted;
}

}  // namespace ecp::inline v0::api
