// SPDX-License-Identifier: Apache-2.0

/// @file
/// A plugin that allows everything: what the proof at each start must not let pass.

extern "C" {
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

__attribute__((visibility("default"))) int mosquitto_plugin_version(int, const int*) { return 5; }

__attribute__((visibility("default"))) int mosquitto_plugin_init(mosquitto_plugin_id_t* identifier,
                                                                 void**, mosquitto_opt*, int) {
  const auto allow = [](int, void*, void*) -> int { return MOSQ_ERR_SUCCESS; };
  return mosquitto_callback_register(identifier, MOSQ_EVT_ACL_CHECK, allow, nullptr, nullptr);
}

__attribute__((visibility("default"))) int mosquitto_plugin_cleanup(void*, mosquitto_opt*, int) {
  return MOSQ_ERR_SUCCESS;
}
}
