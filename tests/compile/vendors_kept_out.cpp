// SPDX-License-Identifier: Apache-2.0
// Refused: a vendor's header came in
// Everything public together brings none of what the library is made with.
#include <ecp/agent/program.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/plane/maintenance.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/server/server.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/transport/loopback.hpp>
#ifdef ECP_WRONG
#include <sqlite3.h>
#endif
#if defined(ASIO_VERSION) || defined(BOOST_VERSION) || defined(SQLITE_VERSION) ||           \
    defined(RAPIDJSON_MAJOR_VERSION) || defined(FMT_VERSION) || defined(LIBCURL_VERSION) || \
    defined(OPENSSL_VERSION_TEXT) || defined(LIBMOSQUITTO_VERSION_NUMBER) ||                \
    defined(sodium_version_H) || defined(PG_DIAG_SEVERITY) || defined(YAML_CPP_API)
#error "a vendor's header came in"
#endif
