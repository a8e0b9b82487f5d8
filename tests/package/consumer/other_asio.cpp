// SPDX-License-Identifier: Apache-2.0
// A program with an Asio of its own, under its own name and of another version and layout, linked
// with the library that has another.
#include <unistd.h>
#include <array>
#include <cstdio>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/version.hpp>

#include <ecp/asio_executor.hpp>
#include <ecp/core/env.hpp>
#include <ecp/pipeline/driver.hpp>

static_assert(ASIO_VERSION == ECP_OTHER_ASIO_VERSION, "the installed Asio was found first");

int main() {
  ecp::StreamLog log(STDERR_FILENO, ecp::LogLevel::warning, ecp::system_clock());
  ecp::RealEnv world(log, 1);
  asio::io_context context;
  // The peer of our own driver: it is enough that somebody connects.
  asio::ip::tcp::acceptor acceptor(context, {asio::ip::make_address("127.0.0.1"), 0});
  asio::ip::tcp::socket peer(context);
  bool connected = false;
  acceptor.async_accept(peer, [&](const std::error_code& problem) {
    connected = !problem;
    context.stop();
  });

  ecp::AsioExecutor executor(context);
  executor.post_after(ecp::Milliseconds(10'000), [&] { context.stop(); });
  const auto drivers = ecp::pipeline::open_modbus_drivers(world.env());
  ecp::kind::DriverConfig config;
  config.name = "plc";
  config.type = "modbus-tcp";
  config.host = "127.0.0.1";
  config.port = acceptor.local_endpoint().port();
  ecp::kind::TagConfig tag;
  tag.name = "t";
  config.groups = {{"fast", ecp::Milliseconds(100), {tag}}};
  auto driver = drivers->open(config);
  if (!driver) return 1;
  (*driver)->start({[](std::vector<ecp::pipeline::Reading>) {}, [](std::optional<ecp::Error>) {}});
  context.run();
  (*driver)->stop();
  world.stop();
  std::puts(connected ? "both work" : "nobody connected");
  return connected ? 0 : 1;
}
