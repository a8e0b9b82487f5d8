// SPDX-License-Identifier: Apache-2.0
//
// The floor of ingest: libmosquitto alone takes what a broker delivers, and counts it.
//
//   ecp-bare-subscriber PORT ROOTS_PEM IDENTITY_PEM CLIENT_ID FILTER
//
// Prints "connected 1" once subscribed; each line on standard input is answered with how many
// messages came. The identity's file holds certificate and key.

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

namespace {

constexpr int keep_alive_s = 60;
constexpr int step_ms = 1'000;

struct Counts {
  std::string filter;
  std::uint64_t messages = 0;
  std::uint64_t octets = 0;
};

Counts& counts_of(void* object) { return *static_cast<Counts*>(object); }

void set_callbacks(mosquitto* client) {
  mosquitto_connect_callback_set(client, [](mosquitto* self, void* object, int code) {
    if (code == 0) {
      mosquitto_subscribe(self, nullptr, counts_of(object).filter.c_str(), 1);
    } else {
      std::cerr << mosquitto_connack_string(code) << '\n';
    }
  });
  mosquitto_subscribe_callback_set(client, [](mosquitto*, void*, int, int, const int*) {
    std::cout << "connected 1" << std::endl;
  });
  mosquitto_message_callback_set(client, [](mosquitto*, void* object, const mosquitto_message* m) {
    auto& counts = counts_of(object);
    ++counts.messages;
    counts.octets += static_cast<std::uint64_t>(m->payloadlen);
  });
}

/// Read, write and keep alive until standard input ends.
int serve(mosquitto* client, const Counts& counts) {
  while (true) {
    std::array<pollfd, 2> inputs{
        {{STDIN_FILENO, POLLIN, 0}, {mosquitto_socket(client), POLLIN, 0}}};
    if (mosquitto_want_write(client)) inputs[1].events |= POLLOUT;
    poll(inputs.data(), inputs.size(), step_ms);
    if (inputs[1].revents != 0 && mosquitto_loop_read(client, 1) != MOSQ_ERR_SUCCESS) return 1;
    if (mosquitto_want_write(client)) mosquitto_loop_write(client, 1);
    mosquitto_loop_misc(client);
    if (inputs[0].revents == 0) continue;
    std::string line;
    if (!std::getline(std::cin, line)) return 0;
    std::cout << "messages=" << counts.messages << " octets=" << counts.octets << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: ecp-bare-subscriber PORT ROOTS_PEM IDENTITY_PEM CLIENT_ID FILTER\n";
    return 2;
  }
  mosquitto_lib_init();
  Counts counts{argv[5]};
  auto* client = mosquitto_new(argv[4], true, &counts);
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_tls_set(client, argv[2], nullptr, argv[3], argv[3], nullptr);
  set_callbacks(client);
  if (mosquitto_connect(client, "127.0.0.1", std::atoi(argv[1]), keep_alive_s) != 0) return 1;
  return serve(client, counts);
}
