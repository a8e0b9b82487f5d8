// SPDX-License-Identifier: Apache-2.0

/// @file
/// The guard as a mosquitto plugin (interface version 5). Runs in the broker's only thread.

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <new>
#include <set>
#include <string>

extern "C" {
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
}
#include "transport/mqtt/plugin/guard.hpp"
#include "transport/mqtt/topics.hpp"

namespace {

namespace guard = ecp::transport::guard;

struct Plugin {
  mosquitto_plugin_id_t* identifier = nullptr;
  guard::DenySet denied;
  std::set<std::string> to_cut;  ///< Revoked clients that came back; cut at the next tick.
};

/// Take the file of revoked agents, when there is one; false when it cannot be understood.
bool load(Plugin& plugin, const mosquitto_opt* options, int count) {
  for (int i = 0; i < count; ++i) {
    if (std::string(options[i].key) != "deny_file") continue;
    std::ifstream file(options[i].value, std::ios::binary);
    if (!file) return errno == ENOENT;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (plugin.denied.take(text) != guard::DenySet::Outcome::replaced) return false;
  }
  return true;
}

bool attempt_of(const mosquitto_evt_acl_check& event, guard::Attempt& attempt) {
  const char* name = mosquitto_client_username(event.client);
  if (name == nullptr || event.topic == nullptr) return false;
  attempt.name = name;
  attempt.topic = event.topic;
  attempt.retain = event.retain;
  switch (event.access) {
    case MOSQ_ACL_READ:
      attempt.action = guard::Action::deliver;
      return true;
    case MOSQ_ACL_WRITE:
      attempt.action = guard::Action::publish;
      return true;
    case MOSQ_ACL_SUBSCRIBE:
      attempt.action = guard::Action::subscribe;
      return true;
    case MOSQ_ACL_UNSUBSCRIBE:
      attempt.action = guard::Action::unsubscribe;
      return true;
    default:
      return false;
  }
}

int check(Plugin& plugin, const mosquitto_evt_acl_check& event) {
  guard::Attempt attempt{};
  if (!attempt_of(event, attempt)) return MOSQ_ERR_ACL_DENIED;
  if (plugin.denied.holds(attempt.name)) {
    // Its own check is no place to end a session; the tick is.
    if (attempt.action != guard::Action::deliver) plugin.to_cut.emplace(attempt.name);
    return MOSQ_ERR_ACL_DENIED;
  }
  if (attempt.action == guard::Action::deliver) attempt.retain = false;
  return guard::allows(attempt) ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ACL_DENIED;
}

int control(Plugin& plugin, const mosquitto_evt_control& event) {
  const char* name = mosquitto_client_username(event.client);
  const auto refuse = [] {
    // mosquitto 2.0.11 acknowledges a control message whatever its handler says, so say it aloud.
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: ecp: a control message was refused");
    return MOSQ_ERR_SUCCESS;
  };
  if (name == nullptr || !guard::is_replica_name(name) || event.payload == nullptr) return refuse();
  const auto before = plugin.denied.names();
  const std::string_view message(static_cast<const char*>(event.payload), event.payloadlen);
  if (plugin.denied.take(message) == guard::DenySet::Outcome::refused) return refuse();
  for (const auto& denied : plugin.denied.names()) {
    if (before.count(denied) > 0) continue;
    mosquitto_kick_client_by_username(denied.c_str(), false);
  }
  mosquitto_log_printf(MOSQ_LOG_INFO, "ecp: %u agents are revoked",
                       static_cast<unsigned>(plugin.denied.names().size()));
  return MOSQ_ERR_SUCCESS;
}

void tick(Plugin& plugin) {
  for (const auto& name : plugin.to_cut) {
    mosquitto_log_printf(MOSQ_LOG_NOTICE, "ecp: revoked agent %s is cut", name.c_str());
    mosquitto_kick_client_by_username(name.c_str(), false);
  }
  plugin.to_cut.clear();
}

// Nothing may be thrown into the broker; whatever goes wrong is a refusal.
int on_check(int, void* event, void* plugin) {
  try {
    return check(*static_cast<Plugin*>(plugin), *static_cast<mosquitto_evt_acl_check*>(event));
  } catch (...) {
    return MOSQ_ERR_ACL_DENIED;
  }
}

bool on_load(Plugin& plugin, const mosquitto_opt* options, int count) {
  try {
    return load(plugin, options, count);
  } catch (...) {
    return false;
  }
}

int on_control(int, void* event, void* plugin) {
  try {
    return control(*static_cast<Plugin*>(plugin),
                   *static_cast<const mosquitto_evt_control*>(event));
  } catch (...) {
    return MOSQ_ERR_NOMEM;
  }
}

int on_tick(int, void*, void* plugin) {
  try {
    tick(*static_cast<Plugin*>(plugin));
  } catch (...) {
    return MOSQ_ERR_NOMEM;
  }
  return MOSQ_ERR_SUCCESS;
}

}  // namespace

extern "C" {

__attribute__((visibility("default"))) int mosquitto_plugin_version(int count,
                                                                    const int* versions) {
  for (int i = 0; i < count; ++i) {
    if (versions[i] == 5) return 5;
  }
  return -1;
}

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier,
                                                                 void** data,
                                                                 mosquitto_opt* options,
                                                                 int count) {
  auto plugin = std::unique_ptr<Plugin>(new (std::nothrow) Plugin());
  if (!plugin) return MOSQ_ERR_NOMEM;
  if (!on_load(*plugin, options, count)) {
    mosquitto_log_printf(MOSQ_LOG_ERR, "Error: ecp: the file of revoked agents cannot be used");
    return MOSQ_ERR_INVAL;
  }
  plugin->identifier = identifier;
  const std::string topic(ecp::transport::topics::control);
  int code =
      mosquitto_callback_register(identifier, MOSQ_EVT_ACL_CHECK, on_check, nullptr, plugin.get());
  if (code == 0) {
    code = mosquitto_callback_register(identifier, MOSQ_EVT_CONTROL, on_control, topic.c_str(),
                                       plugin.get());
  }
  if (code == 0) {
    code = mosquitto_callback_register(identifier, MOSQ_EVT_TICK, on_tick, nullptr, plugin.get());
  }
  if (code != 0) return code;
  *data = plugin.release();
  return MOSQ_ERR_SUCCESS;
}

__attribute__((visibility("default"))) int mosquitto_plugin_cleanup(void* data, mosquitto_opt*,
                                                                    int) {
  const std::unique_ptr<Plugin> plugin(static_cast<Plugin*>(data));
  if (!plugin) return MOSQ_ERR_SUCCESS;
  const std::string topic(ecp::transport::topics::control);
  mosquitto_callback_unregister(plugin->identifier, MOSQ_EVT_ACL_CHECK, on_check, nullptr);
  mosquitto_callback_unregister(plugin->identifier, MOSQ_EVT_CONTROL, on_control, topic.c_str());
  mosquitto_callback_unregister(plugin->identifier, MOSQ_EVT_TICK, on_tick, nullptr);
  return MOSQ_ERR_SUCCESS;
}

}  // extern "C"
