// SPDX-License-Identifier: Apache-2.0
#include "transport/loopback/network.hpp"

#include <algorithm>

#include <ecp/core/limits.hpp>
#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::transport {

namespace loopback {

GatewayEnd::GatewayEnd(Env world, std::string name)
    : env(world),
      replica(std::move(name)),
      inbox(std::make_shared<Inbox>(world.executor, world.limits.inbound_queue,
                                    limits::inbound_octets)) {}

}  // namespace loopback

namespace {

loopback::Way way_of(const void* receiver, const LoopbackFaults& faults, link::AgentId agent,
                     const Channel& channel) {
  if (!faults.overtake) return {receiver, {}};
  return {receiver,
          agent.to_string() + std::to_string(static_cast<int>(channel.kind)) + channel.label};
}

}  // namespace

bool LoopbackNetwork::State::draw(unsigned thousandths) {
  return thousandths > 0 && env.random.below(1'000) < thousandths;
}

void LoopbackNetwork::State::carry(const loopback::Way& way, const Task& delivery) {
  const int copies = draw(faults.duplicate) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (faults.delay_max.count() == 0 && pipes_[way].tasks.empty()) {
      delivery();
      continue;
    }
    auto& pipe = pipes_[way];
    const auto delay = Milliseconds(static_cast<std::int64_t>(
        env.random.below(static_cast<std::uint64_t>(faults.delay_max.count()) + 1)));
    const auto now = env.clock.steady();
    pipe.last_due = std::max(pipe.last_due, now + delay);
    pipe.tasks.push_back(delivery);
    const auto wait = std::chrono::ceil<Milliseconds>(pipe.last_due - now);
    env.executor.post_after(wait, [self = shared_from_this(), way] {
      const std::lock_guard lock(self->mutex);
      auto& tasks = self->pipes_[way].tasks;
      if (tasks.empty()) return;
      const Task task = std::move(tasks.front());
      tasks.pop_front();
      task();
    });
  }
}

/// The replica that asked; all of them for presence; any one for the rest.
std::vector<std::shared_ptr<loopback::GatewayEnd>> LoopbackNetwork::State::receivers_of(
    const Channel& channel) {
  if (channel.kind == ChannelKind::answer_up) {
    const auto asked = std::find_if(gateways.begin(), gateways.end(), [&](const auto& gateway) {
      return gateway->replica == channel.replica;
    });
    if (asked == gateways.end()) return {};
    return {*asked};
  }
  const bool is_for_all =
      channel.kind == ChannelKind::presence || channel.kind == ChannelKind::state;
  if (is_for_all || gateways.size() <= 1) return gateways;
  return {gateways[env.random.below(gateways.size())]};
}

/// False when nobody listens.
bool LoopbackNetwork::State::deliver_up(link::AgentId agent, const Channel& channel,
                                        const Bytes& payload) {
  const auto targets = receivers_of(channel);
  if (targets.empty()) return false;
  if (draw(faults.lose)) return true;  // On the way to the broker: nobody has it.
  for (const auto& target : targets) {
    carry(way_of(target.get(), faults, agent, channel), [target, agent, channel, payload] {
      target->inbox->push(payload.size(), [target, agent, channel, payload] {
        if (target->handlers.on_message) target->handlers.on_message(agent, channel, payload);
      });
    });
  }
  return true;
}

Result<void> LoopbackNetwork::State::send_up(link::AgentId agent, const Channel& channel,
                                             Bytes payload) {
  const std::lock_guard lock(mutex);
  if (connections.count(agent) == 0) return reasons::link_down;
  if (deliver_up(agent, channel, payload)) return {};
  return Error(reasons::nobody_listens, {{"what", "messages of agents"}});
}

Result<void> LoopbackNetwork::State::send_down(link::AgentId agent, const Channel& channel,
                                               Bytes payload) {
  const std::lock_guard lock(mutex);
  if (all_cut) return reasons::link_down;
  const auto found = connections.find(agent);
  if (found == connections.end()) {
    return Error(reasons::nobody_listens, {{"what", "messages of agent " + agent.to_string()}});
  }
  const auto target = found->second.link;
  const auto number = found->second.number;
  if (draw(faults.lose)) return {};
  carry(way_of(target.get(), faults, agent, channel),
        [this, target, number, channel, payload = std::move(payload)] {
          const auto current = connections.find(target->agent);
          if (current == connections.end() || current->second.number != number) return;
          target->inbox->push(payload.size(), [target, channel, payload] {
            if (target->handlers.on_message) target->handlers.on_message(channel, payload);
          });
        });
  return {};
}

bool LoopbackNetwork::State::join(const std::shared_ptr<loopback::LinkEnd>& link, Bytes will,
                                  LinkLoss& why) {
  std::unique_lock lock(mutex);
  why = denied.count(link->agent) > 0 ? LinkLoss::refused : LinkLoss::network;
  if (denied.count(link->agent) > 0 || all_cut || cut.count(link->agent) > 0) return false;
  const auto found = connections.find(link->agent);
  if (found != connections.end() && found->second.link != link) {
    lock.unlock();
    break_connection(link->agent, LinkLoss::network);  // Taken over by the new one.
    lock.lock();
  }
  connections[link->agent] = {link, std::move(will), next_number_++};
  return true;
}

void LoopbackNetwork::State::leave(const loopback::LinkEnd& link, bool with_will) {
  const std::lock_guard lock(mutex);
  const auto found = connections.find(link.agent);
  if (found == connections.end() || found->second.link.get() != &link) return;
  const auto connection = std::move(found->second);
  connections.erase(found);
  if (with_will) deliver_up(link.agent, {ChannelKind::presence, {}, {}}, connection.will);
}

void LoopbackNetwork::State::break_connection(link::AgentId agent, LinkLoss why) {
  std::shared_ptr<loopback::LinkEnd> link;
  {
    const std::lock_guard lock(mutex);
    const auto found = connections.find(agent);
    if (found == connections.end()) return;
    link = found->second.link;
    const Bytes will = std::move(found->second.will);
    connections.erase(found);
    // A broker that refuses an agent refuses its will too; one that is gone sends none.
    if (why != LinkLoss::refused && !all_cut) {
      deliver_up(agent, {ChannelKind::presence, {}, {}}, will);
    }
  }
  link->lose(why);
}

void LoopbackNetwork::State::break_all() {
  std::vector<link::AgentId> agents;
  {
    const std::lock_guard lock(mutex);
    for (const auto& connection : connections) agents.push_back(connection.first);
  }
  for (const auto agent : agents) break_connection(agent, LinkLoss::network);
}

}  // namespace ecp::inline v0::transport
