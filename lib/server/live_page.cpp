// SPDX-License-Identifier: Apache-2.0
#include "live_page.hpp"

#include <map>
#include <memory>

#include <ecp/api/endpoint.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::server {

namespace {

constexpr std::size_t page_file =
    512 * kibibyte;  // Uncompressed; the build bounds it more tightly.

// Scripts, styles and calls of our own origin and nothing else; no page may frame ours.
constexpr const char* content_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' "
    "data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

struct PageFile {
  const char* type;
  std::string content;
};

http::Response page_response(const PageFile& file) {
  http::Response response;
  response.headers.set("Content-Type", file.type);
  response.headers.set("Content-Security-Policy", content_policy);
  response.headers.set("Cache-Control", "no-cache");
  response.body = file.content;
  return response;
}

}  // namespace

Result<void> add_live_page(api::Router& router, const std::string& folder) {
  using Files = std::map<std::string, PageFile, std::less<>>;
  auto assets = std::make_shared<Files>();  // Shared by the copies of the handler.
  ECP_TRY(auto index, read_file(folder + "/index.html", page_file));
  ECP_TRY(auto script, read_file(folder + "/assets/live.js", page_file));
  ECP_TRY(auto style, read_file(folder + "/assets/style.css", page_file));
  assets->insert({"live.js", {"text/javascript; charset=utf-8", std::move(script)}});
  assets->insert({"style.css", {"text/css; charset=utf-8", std::move(style)}});
  router.add_public(
      {http::Method::get, "/",
       [page = PageFile{"text/html; charset=utf-8", std::move(index)}](
           const http::Request&) -> Result<http::Response> { return page_response(page); }});
  router.add_public({http::Method::get, "/assets/:file",
                     [assets](const http::Request& request) -> Result<http::Response> {
                       const auto found = assets->find(request.parameter("file"));
                       if (found == assets->end()) {
                         return Error(reasons::not_found, {{"noun", "file"}});
                       }
                       return page_response(found->second);
                     }});
  return {};
}

}  // namespace ecp::inline v0::server
