// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <exception>
#include <thread>

#include <ecp/http/reasons.hpp>
#include <ecp/http/server.hpp>

#include "http/beast/connection.hpp"
#include "http/beast/tls.hpp"

namespace ecp::inline v0::http::beast {

std::vector<std::shared_ptr<Connection>> Shared::all_connections() {
  std::vector<std::shared_ptr<Connection>> all;
  const std::lock_guard lock(mutex);
  all.reserve(connections.size());
  for (const auto& [address, weak] : connections) {
    if (auto connection = weak.lock()) all.push_back(std::move(connection));
  }
  return all;
}

namespace {

using SharedPointer = std::shared_ptr<Shared>;

/// Owns the I/O threads; all else is shared with connections, timers and running handlers.
class BeastServer final : public Server {
 public:
  explicit BeastServer(SharedPointer shared)
      : shared_(std::move(shared)), work_(net::make_work_guard(shared_->io)) {}
  ~BeastServer() override { stop(Milliseconds{5000}); }

  Result<void> listen();
  [[nodiscard]] std::uint16_t port() const noexcept override { return port_; }
  Result<void> set_tls(const ServerTls& tls) override;
  void stop(Milliseconds deadline) noexcept override;

 private:
  void start_threads();

  SharedPointer shared_;
  net::executor_work_guard<net::io_context::executor_type> work_;
  std::vector<std::thread> threads_;
  std::uint16_t port_ = 0;
};

Error listen_failed(const ServerOptions& options, std::string problem) {
  return Error(reasons::listen_failed,
               {{"address", options.address + ":" + std::to_string(options.port)},
                {"problem", std::move(problem)}});
}

/// Let each connection look at its deadline, as long as there are any. With the mutex held.
void arm_sweep(const SharedPointer& shared) {
  const auto shortest = std::min(shared->options.read_timeout, shared->options.write_timeout);
  const auto period = std::clamp(shortest / 4, Milliseconds{5}, Milliseconds{1000});
  auto sweep = [weak = std::weak_ptr<Shared>(shared)] {
    const auto alive = weak.lock();
    if (!alive) return;
    const auto now = alive->env.clock.steady();
    for (const auto& connection : alive->all_connections()) {
      alive->post(connection->strand(), [connection, now] { connection->check(now); });
    }
    const std::lock_guard lock(alive->mutex);
    alive->sweep_timer = TimerId::none;
    if (alive->is_open && !alive->connections.empty()) arm_sweep(alive);
  };
  shared->sweep_timer = shared->env.executor.post_after(period, std::move(sweep));
}

void admit(const SharedPointer& shared, tcp::socket socket) {
  const auto most = shared->env.limits.http_connections;
  std::shared_ptr<Connection> connection;
  {
    const std::lock_guard lock(shared->mutex);
    if (shared->connections.size() < most) {
      connection = std::make_shared<Connection>(std::move(socket), shared, shared->tls);
      shared->connections.emplace(connection.get(), connection);
      if (shared->sweep_timer == TimerId::none) arm_sweep(shared);
    }
  }
  if (connection) {
    net::post(connection->strand(), [connection] { connection->start(); });
  } else {
    shared->env.log.warning("http", "refused a connection", {{"limit", std::to_string(most)}});
  }
}

void accept(const SharedPointer& shared) {
  shared->acceptor.async_accept(
      net::make_strand(shared->io), [shared](const error_code& problem, tcp::socket socket) {
        if (shared->draining) return;
        if (!problem) {
          admit(shared, std::move(socket));
          return accept(shared);
        }
        // No descriptors are left: wait a little.
        auto again = [weak = std::weak_ptr<Shared>(shared)] {
          const auto alive = weak.lock();
          if (alive) alive->post(alive->acceptor.get_executor(), [alive] { accept(alive); });
        };
        const std::lock_guard lock(shared->mutex);
        shared->retry_timer = shared->env.executor.post_after(Milliseconds{100}, std::move(again));
      });
}

Result<void> BeastServer::listen() {
  const auto& options = shared_->options;
  auto& acceptor = shared_->acceptor;
  error_code problem;
  const auto address = net::ip::make_address(
      options.address == "localhost" ? "127.0.0.1" : options.address, problem);
  if (problem) return listen_failed(options, "this is not an address of this machine");
  if (!options.tls && !address.is_loopback()) {
    return Error(reasons::plain_refused, {{"address", options.address}});
  }
  const tcp::endpoint endpoint(address, options.port);
  acceptor.open(endpoint.protocol(), problem);
  if (!problem) acceptor.set_option(tcp::acceptor::reuse_address(true), problem);
  if (!problem && address.is_v6()) {
    error_code ignored;
    acceptor.set_option(net::ip::v6_only(false), ignored);
  }
  if (!problem) acceptor.bind(endpoint, problem);
  if (!problem) acceptor.listen(tcp::acceptor::max_listen_connections, problem);
  if (problem) return listen_failed(options, problem.message());
  port_ = acceptor.local_endpoint(problem).port();
  net::post(acceptor.get_executor(), [shared = shared_] { accept(shared); });
  start_threads();
  return {};
}

void BeastServer::start_threads() {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (unsigned i = 0; i < std::max(1U, shared_->options.threads); ++i) {
    threads_.emplace_back([shared = shared_] {
      while (true) {
        try {
          shared->io.run();
          return;
        } catch (const std::exception& problem) {
          shared->env.log.error("http", "an I/O task threw", {{"problem", problem.what()}});
        }
      }
    });
    pthread_setname_np(threads_.back().native_handle(), "ecp-http");
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Result<void> BeastServer::set_tls(const ServerTls& tls) {
  ECP_TRY(auto context, make_context(tls));
  const std::lock_guard lock(shared_->mutex);
  shared_->tls = std::move(context);
  return {};
}

void BeastServer::stop(Milliseconds deadline) noexcept {
  try {
    if (shared_->draining.exchange(true)) return;
    shared_->post(shared_->acceptor.get_executor(), [shared = shared_] {
      error_code ignored;
      shared->acceptor.close(ignored);
    });
    for (const auto& connection : shared_->all_connections()) {
      shared_->post(connection->strand(), [connection] { connection->drain(); });
    }
    {
      std::unique_lock lock(shared_->mutex);
      shared_->changed.wait_for(lock, deadline, [&] {
        return shared_->connections.empty() && shared_->handlers_running == 0;
      });
    }
    for (const auto& connection : shared_->all_connections()) {
      shared_->post(connection->strand(), [connection] { connection->close(); });
    }
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->is_open = false;
      shared_->env.executor.cancel(shared_->sweep_timer);
      shared_->env.executor.cancel(shared_->retry_timer);
    }
    work_.reset();
    if (threads_.empty()) shared_->io.run();  // Never opened: what was posted holds on to us.
    for (auto& thread : threads_) thread.join();
  } catch (const std::exception& problem) {
    shared_->env.log.error("http", "stopping failed", {{"problem", problem.what()}});
  }
}

}  // namespace
}  // namespace ecp::inline v0::http::beast

namespace ecp::inline v0::http {

Result<std::unique_ptr<Server>> open_server(ServerOptions options, Handler handler,
                                            const Env& env) {
  std::shared_ptr<beast::net::ssl::context> tls;
  if (options.tls) {
    ECP_TRY(tls, beast::make_context(*options.tls));
    options.tls->key_pem = Secret();  // The context has it.
  }
  auto shared = std::make_shared<beast::Shared>(std::move(options), std::move(handler), env);
  shared->tls = std::move(tls);
  auto server = std::make_unique<beast::BeastServer>(std::move(shared));
  ECP_TRY_VOID(server->listen());
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace ecp::inline v0::http
