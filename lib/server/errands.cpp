// SPDX-License-Identifier: Apache-2.0
#include <ecp/server/errands.hpp>

#include <ecp/core/time.hpp>
#include <ecp/plane/maintenance.hpp>
#include <ecp/plane/own_broker.hpp>

namespace ecp::inline v0::server {

Result<AuditVerdict> verify_audit(const Settings& settings, const std::optional<Secret>& master_key,
                                  Env env) {
  ECP_TRY(const auto report, plane::verify_audit(settings.plane, master_key, env));
  return AuditVerdict{report.is_whole(), report.summary()};
}

Result<std::string> make_login_link(const Settings& settings, std::string_view email, Env env) {
  ECP_TRY(const auto code, plane::make_login_link(settings.plane, email, env));
  // In the fragment, which browsers do not send: the code shows in no server's log.
  return page_url(settings) + "/#code=" + std::string(code.view());
}

Result<void> reset_password(const Settings& settings, std::string_view email,
                            const Secret& password, Env env) {
  return plane::reset_password(settings.plane, email, password, env);
}

Result<std::string> write_broker_files(const Settings& settings,
                                       const std::optional<Secret>& master_key,
                                       const std::string& folder, const std::string& plugin_path,
                                       Env env) {
  ECP_TRY(const auto files,
          plane::write_broker_files(settings.plane, master_key, folder, plugin_path, env));
  return "written: " + files.config_path + ", " + files.certificate_path + ", " + files.roots_path +
         "\nthe certificate is good until " + to_rfc3339(files.not_after) +
         "; run this again before, and send mosquitto SIGHUP\n"
         "next: on the broker's machine let mosquitto's user own that folder, at the same path, "
         "and "
         "start mosquitto -c " +
         files.config_path + "; then start ecpd serve";
}

std::string page_url(const Settings& settings) {
  const bool v6 = settings.http_address.find(':') != std::string::npos;
  const std::string host = v6 ? "[" + settings.http_address + "]" : settings.http_address;
  return (settings.tls ? "https://" : "http://") + host + ":" + std::to_string(settings.http_port);
}

}  // namespace ecp::inline v0::server
