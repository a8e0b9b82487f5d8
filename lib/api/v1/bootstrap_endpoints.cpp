// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/identity/bootstrap.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {

void add_bootstrap_endpoints(Router& router, identity::Bootstrap& bootstrap) {
  router.add_public({http::Method::post, "/api/v1/bootstrap",
                     [&bootstrap](const http::Request& request) -> Result<http::Response> {
                       ECP_TRY(auto body, body_of(request));
                       ECP_TRY(const auto secret, secret_from(body.reader(), "secret"));
                       ECP_TRY(auto wanted, new_user_from(body.reader()));
                       ECP_TRY_VOID(body.reader().finish());
                       ECP_TRY(const auto user,
                               bootstrap.complete(secret, std::move(wanted), origin_of(request)));
                       return user_response(201, user);
                     }});
}

}  // namespace ecp::inline v0::api
