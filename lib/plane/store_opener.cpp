// SPDX-License-Identifier: Apache-2.0
#include "plane/store_opener.hpp"

#include <array>
#include <string>
#include <string_view>

#include <ecp/core/file.hpp>
#include <ecp/plane/reasons.hpp>
#include <ecp/storage/sql/access.hpp>
#include <ecp/storage/sql/alarm.hpp>
#include <ecp/storage/sql/audit.hpp>
#include <ecp/storage/sql/fleet.hpp>
#include <ecp/storage/sql/identity.hpp>
#include <ecp/storage/sql/platform.hpp>
#include <ecp/storage/sql/rbac.hpp>
#include <ecp/storage/sql/tenancy.hpp>
#include <ecp/storage/sqlite.hpp>
#ifdef ECP_PLANE_WITH_POSTGRES
#include <ecp/series/postgres.hpp>
#include <ecp/storage/postgres.hpp>
#endif

namespace ecp::inline v0::plane {

namespace {

using OpenedStore = Result<std::unique_ptr<storage::Store>>;
using OpenedSeries = Result<std::unique_ptr<series::SeriesStore>>;

OpenedStore open_sqlite_url(std::string_view url, const Env& env) {
  storage::SqliteOptions options;
  options.path = url.substr(url.find(':') + 1);
  return storage::open_sqlite(options, store_modules(), env);
}

/// Values have files of their own, beside the database of the records.
OpenedSeries open_embedded(const PlaneConfig& config, std::string_view /*url*/, const Env& env) {
  const auto folder = config.data_folder + "/series";
  ECP_TRY_VOID(make_private_folder(folder));
  return series::open_embedded_series(folder, env);
}

#ifdef ECP_PLANE_WITH_POSTGRES
OpenedStore open_postgres_url(std::string_view url, const Env& env) {
  storage::PostgresOptions options;
  options.url = url;
  return storage::open_postgres(options, store_modules(), env);
}

OpenedSeries open_postgres_series(const PlaneConfig& /*config*/, std::string_view url,
                                  const Env& env) {
  series::PostgresSeriesOptions options;
  options.url = url;
  return series::open_postgres_series(options, env);
}
#endif

/// One row per backend: what keeps records, and what keeps values in the same place.
struct Opener {
  std::string_view scheme;
  OpenedStore (*open)(std::string_view url, const Env& env);
  OpenedSeries (*open_series)(const PlaneConfig& config, std::string_view url, const Env& env);
};
constexpr Opener openers[] = {
    {"sqlite:", &open_sqlite_url, &open_embedded},
#ifdef ECP_PLANE_WITH_POSTGRES
    {"postgresql:", &open_postgres_url, &open_postgres_series},
    {"postgres:", &open_postgres_url, &open_postgres_series},
#endif
};

std::string store_url_of(const PlaneConfig& config) {
  return config.store_url.empty() ? "sqlite:" + config.data_folder + "/ecpd.db" : config.store_url;
}

Result<const Opener*> opener_of(std::string_view url) {
  for (const auto& opener : openers) {
    if (url.starts_with(opener.scheme)) return &opener;
  }
  // Only the scheme: the rest may hold a password.
  return Error(reasons::unknown_store, {{"url", std::string(url.substr(0, url.find(':')))}});
}

}  // namespace

std::span<const storage::StoreModule* const> store_modules() {
  static const std::array modules{&storage::access_module(),  &storage::audit_module(),
                                  &storage::tenancy_module(), &storage::identity_module(),
                                  &storage::rbac_module(),    &storage::platform_module(),
                                  &storage::fleet_module(),   &storage::alarm_module()};
  return modules;
}

Result<std::unique_ptr<storage::Store>> open_store(const PlaneConfig& config, const Env& env) {
  const auto url = store_url_of(config);
  ECP_TRY(const auto* const opener, opener_of(url));
  return opener->open(url, env);
}

Result<std::unique_ptr<series::SeriesStore>> open_series(const PlaneConfig& config,
                                                         const Env& env) {
  const auto url = config.series_url.empty() ? store_url_of(config) : config.series_url;
  ECP_TRY(const auto* const opener, opener_of(url));
  return opener->open_series(config, url, env);
}

}  // namespace ecp::inline v0::plane
