// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/backoff.hpp"
#include "transport/direction.hpp"
#include "transport/loopback/ends.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr std::size_t max_payload_size = limits::mqtt_packet - packet_overhead;

class LoopbackLinkEnd final : public AgentLink {
 public:
  explicit LoopbackLinkEnd(std::shared_ptr<loopback::LinkEnd> end) : end_(std::move(end)) {}
  ~LoopbackLinkEnd() override { stop(); }

  Result<void> start(LinkHandlers handlers) override {
    {
      const std::lock_guard lock(end_->mutex);
      if (end_->started)
        return Error(reasons::bad_options,
                     {{"option", "the link"}, {"problem", "was started before"}});
      end_->started = true;
      end_->handlers = std::move(handlers);
    }
    end_->inbox->push_state([end = end_] { end->connect(); });
    return {};
  }

  void stop() noexcept override {
    TimerId timer = TimerId::none;
    {
      const std::lock_guard lock(end_->mutex);
      if (end_->stopped) return;
      end_->stopped = true;
      end_->up = false;
      std::swap(timer, end_->timer);
    }
    end_->env.executor.cancel(timer);
    end_->inbox->close();
    end_->network->leave(*end_, true);
  }

  void send(Channel channel, Bytes payload, DoneHandler done) override {
    auto result = try_send(channel, std::move(payload));
    end_->env.executor.post([end = end_, result = std::move(result), done = std::move(done)] {
      bool stopped = false;
      {
        const std::lock_guard lock(end->mutex);
        stopped = end->stopped;
        if (result) --end->pending;
      }
      if (!done) return;
      if (stopped) return done(Error(ecp::reasons::cancelled, {{"what", "the message"}}));
      done(result);
    });
  }

  [[nodiscard]] std::size_t max_payload() const noexcept override { return max_payload_size; }

  void reconnect() override {
    end_->network->leave(*end_, true);
    end_->inbox->push_state([end = end_] {
      {
        const std::lock_guard lock(end->mutex);
        end->up = false;
        end->env.executor.cancel(std::exchange(end->timer, TimerId::none));
      }
      if (end->handlers.on_state) end->handlers.on_state(LinkState::down, LinkLoss::none);
      end->connect();
    });
  }

  void set_reconnect_cap(Milliseconds longest) override {
    const std::lock_guard lock(end_->mutex);
    end_->reconnect_cap = longest;
  }

 private:
  Result<void> try_send(const Channel& channel, Bytes payload) {
    if (auto fits = check_channel(channel, true); !fits) return fits;
    if (payload.size() > max_payload_size) {
      return Error(reasons::too_large, {{"size", std::to_string(payload.size())},
                                        {"limit", std::to_string(max_payload_size)}});
    }
    {
      const std::lock_guard lock(end_->mutex);
      if (!end_->up) return reasons::link_down;
      if (end_->pending >= limits::outbound_queue) {
        return Error(reasons::queue_full, {{"limit", std::to_string(limits::outbound_queue)}});
      }
    }
    if (auto sent = end_->network->send_up(end_->agent, channel, std::move(payload)); !sent) {
      return sent;
    }
    const std::lock_guard lock(end_->mutex);
    ++end_->pending;
    return {};
  }

  const std::shared_ptr<loopback::LinkEnd> end_;  ///< Shared with the network and tasks under way.
};

}  // namespace

namespace loopback {

LinkEnd::LinkEnd(std::shared_ptr<LoopbackNetwork::State> net, link::AgentId id, Env world,
                 Milliseconds longest_wait)
    : network(std::move(net)),
      agent(id),
      env(world),
      inbox(std::make_shared<Inbox>(world.executor, world.limits.inbound_queue,
                                    limits::inbound_octets)),
      reconnect_cap(longest_wait) {}

void LinkEnd::connect() {
  {
    const std::lock_guard lock(mutex);
    if (stopped || up) return;
  }
  if (handlers.on_state) handlers.on_state(LinkState::connecting, LinkLoss::none);
  LinkHandlers::Presence presence;
  if (handlers.on_connecting) {
    auto made = handlers.on_connecting();
    if (!made) {
      env.log.warning("transport", "the agent is not ready to connect",
                      {{"problem", made.error().describe()}});
      return retry_later(LinkLoss::none);
    }
    presence = std::move(*made);
  }
  LinkLoss why = LinkLoss::none;
  if (!network->join(shared_from_this(), std::move(presence.will), why)) return retry_later(why);
  {
    const std::lock_guard lock(mutex);
    up = true;
    attempt = 0;
  }
  // Nobody listening is no failure: presence is rebuilt from heartbeats.
  (void)network->send_up(agent, {ChannelKind::presence, {}, {}}, std::move(presence.birth));
  if (handlers.on_state) handlers.on_state(LinkState::up, LinkLoss::none);
}

void LinkEnd::retry_later(LinkLoss why) {
  {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    up = false;
    timer = env.executor.post_after(retry_delay(env.random, attempt++, reconnect_cap),
                                    [weak = weak_from_this()] {
                                      const auto self = weak.lock();
                                      if (self)
                                        self->inbox->push_state([self] { self->connect(); });
                                    });
  }
  if (handlers.on_state) handlers.on_state(LinkState::down, why);
}

void LinkEnd::lose(LinkLoss why) {
  {
    const std::lock_guard lock(mutex);
    if (!up) return;
    up = false;
  }
  inbox->push_state([self = shared_from_this(), why] { self->retry_later(why); });
}

std::unique_ptr<AgentLink> make_link(std::shared_ptr<LinkEnd> end) {
  return std::make_unique<LoopbackLinkEnd>(std::move(end));
}

}  // namespace loopback

}  // namespace ecp::inline v0::transport
