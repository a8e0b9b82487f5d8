// SPDX-License-Identifier: Apache-2.0
// Prints documents that are made from the program's own tables, so that they cannot be wrong.
//
//   ecp-docs errors > docs/errors.md
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

#include <ecp/agent/reasons.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/pipeline/reasons.hpp>
#include <ecp/plane/control_plane.hpp>

namespace {

constexpr const char* errors_head = R"(# Errors

<!-- Made by `make docs` from the reasons in the code; not edited by hand. -->

Every refusal of the API has this body, and the same reasons stand in logs, in the states of services
and in the answers to commands:

```json
{"code": 1001, "reason": "core.bad_field", "message": "name must not be empty",
 "params": {"field": "name", "problem": "must not be empty"}}
```

`code` and `reason` name the row of this table and never change their meaning; `message` is the row's
text with `params` filled in. The HTTP status follows from the class, but for a few reasons that HTTP
has a status of its own for. The same request may succeed later when the class is `unavailable`,
`timeout`, `conflict` or `resource_exhausted`. Numbers from 100000 are free for products built on ECP.

| code | reason | class | HTTP status | text |
|---|---|---|---|---|
)";

ecp::ReasonCatalogue all_reasons() {
  auto catalogue = ecp::plane::reason_catalogue();
  catalogue.add(ecp::api::reasons::api_catalogue);
  catalogue.add(ecp::pipeline::pipeline_catalogue);
  catalogue.add(ecp::agent::agent_catalogue);
  return catalogue;
}

/// A table's cell: no bar of the text may end it.
std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string errors_document() {
  std::string out = errors_head;
  const auto catalogue = all_reasons();
  for (const auto* reason : catalogue.all()) {
    out += "| " + std::to_string(reason->number) + " | `" + std::string(reason->symbol) + "` | `" +
           std::string(to_string(reason->code)) + "` | " +
           std::to_string(ecp::api::http_status(*reason)) + " | " + cell(reason->text) + " |\n";
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[1], "errors") != 0) {
    std::fputs("usage: ecp-docs errors\n", stderr);
    return 2;
  }
  const auto document = errors_document();
  return std::fputs(document.c_str(), stdout) < 0 || std::fflush(stdout) != 0 ? 1 : 0;
}
