// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <curl/curl.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <mutex>

#include <ecp/http/client.hpp>
#include <ecp/http/reasons.hpp>

#include "http/curl/trust.hpp"

namespace ecp::inline v0::http {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Handle = std::unique_ptr<CURL, Freed<curl_easy_cleanup>>;
using List = std::unique_ptr<curl_slist, Freed<curl_slist_free_all>>;

/// What libcurl's callbacks see of one call.
struct Exchange {
  const ClientRequest& request;
  Url url;
  ClientResponse response;
  bool too_large = false;
  bool refused = false;
  std::size_t header_octets = 0;

  std::size_t take_body(const char* piece, std::size_t size) {
    if (response.body.size() + size > request.max_response) {
      too_large = true;
      return 0;
    }
    response.body.append(piece, size);
    return size;
  }

  std::size_t take_header(std::string_view line) {
    header_octets += line.size();
    if (header_octets > limits::http_header) {
      too_large = true;
      return 0;
    }
    if (line.starts_with("HTTP/")) response.headers = Headers();  // After an interim answer.
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
      auto value = line.substr(colon + 1);
      while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
        value.remove_prefix(1);
      }
      while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) {
        value.remove_suffix(1);
      }
      response.headers.add(std::string(line.substr(0, colon)), std::string(value));
    }
    return line.size();
  }

  /// Judge the very address that is about to be connected to.
  bool may_connect(const sockaddr* address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    std::uint16_t port = 0;
    if (address->sa_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
      inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
      port = ntohs(v4->sin_port);
    } else if (address->sa_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address);
      inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
      port = ntohs(v6->sin6_port);
    }
    refused = !is_address_allowed(request.addresses, text.data(), port);
    return !refused;
  }
};

std::size_t on_body(char* piece, std::size_t unit, std::size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->take_body(piece, unit * count);
}

std::size_t on_header(char* line, std::size_t unit, std::size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->take_header({line, unit * count});
}

curl_socket_t on_open_socket(void* exchange, curlsocktype purpose, curl_sockaddr* address) {
  if (purpose != CURLSOCKTYPE_IPCXN) return CURL_SOCKET_BAD;
  if (!static_cast<Exchange*>(exchange)->may_connect(&address->addr)) return CURL_SOCKET_BAD;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// What curl's options cannot say of the server's certificate.
struct Judgement {
  const ServerTrust& trust;
  const std::string& host;
  Time now;
};

CURLcode on_context(CURL*, void* context, void* object) {
  auto* const tls = static_cast<SSL_CTX*>(context);
  const auto& [trust, host, now] = *static_cast<const Judgement*>(object);
  if (trust.earliest > now) curl::judge_at(tls, trust.earliest);
  const bool pinned = !trust.root_pin || curl::pin_server(tls, &*trust.root_pin);
  return pinned && curl::name_server(tls, host) ? CURLE_OK : CURLE_SSL_CERTPROBLEM;
}

Error failure(const Reason& reason, const Exchange& exchange, Params more = {}) {
  Params params{{"host", exchange.url.host + ":" + std::to_string(exchange.url.port)}};
  for (auto& param : more) params.push_back(std::move(param));
  return Error(reason, std::move(params));
}

Error error_of(CURLcode code, const Exchange& exchange, const char* detail) {
  const auto limit = std::to_string(exchange.request.max_response);
  const std::string problem = *detail != '\0' ? detail : curl_easy_strerror(code);
  if (exchange.too_large) return failure(reasons::answer_too_large, exchange, {{"limit", limit}});
  if (exchange.refused) return failure(reasons::address_refused, exchange);
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return failure(reasons::call_timeout, exchange);
    case CURLE_FILESIZE_EXCEEDED:
      return failure(reasons::answer_too_large, exchange, {{"limit", limit}});
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
      return failure(reasons::untrusted_server, exchange, {{"problem", problem}});
    default:
      return failure(reasons::unreachable, exchange, {{"problem", problem}});
  }
}

/// Header values go out as they are: a line end in one would begin another field.
bool is_clean_field(const std::pair<std::string, std::string>& field) {
  const auto clean = [](const std::string& text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
  };
  return clean(field.first) && clean(field.second);
}

class CurlClient final : public Client {
 public:
  explicit CurlClient(const Clock& clock) : clock_(clock) {}
  ~CurlClient() override { curl_global_cleanup(); }
  Result<ClientResponse> call(const ClientRequest& request) override;

 private:
  const Clock& clock_;
};

void set_method(CURL* handle, const ClientRequest& request) {
  const bool has_body = request.method == Method::post || request.method == Method::put ||
                        request.method == Method::patch || !request.body.empty();
  if (has_body) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
  }
  if (request.method == Method::head) curl_easy_setopt(handle, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, std::string(to_string(request.method)).c_str());
}

void set_bounds(CURL* handle, Exchange& exchange) {
  const auto timeout = static_cast<long>(exchange.request.timeout.count());
  curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, std::max(1L, timeout));
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // Not even from the environment.
  curl_easy_setopt(handle, CURLOPT_NETRC, CURL_NETRC_IGNORED);
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(handle, CURLOPT_MAXFILESIZE_LARGE,
                   static_cast<curl_off_t>(exchange.request.max_response));
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
  curl_easy_setopt(handle, CURLOPT_OPENSOCKETDATA, &exchange);
}

void set_trust(CURL* handle, const ClientRequest& request, Judgement& judgement) {
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(handle, CURLOPT_SSL_CTX_FUNCTION, on_context);
  curl_easy_setopt(handle, CURLOPT_SSL_CTX_DATA, &judgement);
  if (request.trust.root_pin) {
    curl_easy_setopt(handle, CURLOPT_CAINFO, nullptr);  // The pin alone decides.
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  } else if (!request.trust.ca_pem.empty()) {
    curl_blob authorities{const_cast<char*>(request.trust.ca_pem.data()),
                          request.trust.ca_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(handle, CURLOPT_CAINFO_BLOB, &authorities);
    curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
  }
  if (request.identity) {
    curl_blob chain{const_cast<char*>(request.identity->certificate_chain_pem.data()),
                    request.identity->certificate_chain_pem.size(), CURL_BLOB_COPY};
    curl_easy_setopt(handle, CURLOPT_SSLCERT_BLOB, &chain);
    curl_easy_setopt(handle, CURLOPT_SSLKEY, request.identity->key_pem_path.c_str());
  }
}

Result<ClientResponse> CurlClient::call(const ClientRequest& request) {
  Exchange exchange{request, {}, {}};
  ECP_TRY(exchange.url, parse_url(request.url));
  if (!std::all_of(request.headers.all().begin(), request.headers.all().end(), is_clean_field)) {
    return Error(reasons::bad_request, {{"problem", "a header field holds a line end"}});
  }
  const Handle handle(curl_easy_init());
  if (!handle) return failure(reasons::unreachable, exchange, {{"problem", "out of memory"}});
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(handle.get(), CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(handle.get(), CURLOPT_URL, request.url.c_str());
  set_method(handle.get(), request);
  set_bounds(handle.get(), exchange);
  Judgement judgement{request.trust, exchange.url.host, clock_.now()};
  set_trust(handle.get(), request, judgement);
  List fields(curl_slist_append(nullptr, "Expect:"));
  for (const auto& [name, value] : request.headers.all()) {
    std::string field = name;
    field.append(": ").append(value);
    fields.reset(curl_slist_append(fields.release(), field.c_str()));
  }
  curl_easy_setopt(handle.get(), CURLOPT_HTTPHEADER, fields.get());
  const auto code = curl_easy_perform(handle.get());
  if (code != CURLE_OK) return error_of(code, exchange, detail.data());
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  exchange.response.status = static_cast<int>(status);
  return std::move(exchange.response);
}

}  // namespace

Result<std::unique_ptr<Client>> open_client(const Env& env) {
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return Error(reasons::unreachable, {{"host", "libcurl"}, {"problem", "cannot be initialised"}});
  }
  return std::unique_ptr<Client>(std::make_unique<CurlClient>(env.clock));
}

}  // namespace ecp::inline v0::http
