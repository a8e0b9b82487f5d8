// SPDX-License-Identifier: Apache-2.0
#include "network.hpp"

namespace ecp_python {

void bind_transport(py::module_& m) {
  using ecp::link::AgentId;
  const auto text = [](const char* name) { return docstring(name); };
  py::class_<Network, std::shared_ptr<Network>>(m, "LoopbackNetwork",
                                                text("transport::LoopbackNetwork"))
      .def(py::init<std::shared_ptr<World>>(), py::arg("env").none(false), py::keep_alive<1, 2>())
      .def(
          "cut", [](Network& self, AgentId agent) { self.network.cut(agent); }, "agent"_a,
          Unlocked(), text("transport::LoopbackNetwork::cut"))
      .def(
          "heal", [](Network& self, AgentId agent) { self.network.heal(agent); }, "agent"_a,
          Unlocked(), text("transport::LoopbackNetwork::heal"))
      .def(
          "cut_all", [](Network& self) { self.network.cut_all(); }, Unlocked(),
          text("transport::LoopbackNetwork::cut_all"))
      .def(
          "heal_all", [](Network& self) { self.network.heal_all(); }, Unlocked())
      .def(
          "set_faults",
          [](Network& self, unsigned lose, unsigned duplicate, ecp::Milliseconds delay_max) {
            self.network.set_faults({lose, duplicate, delay_max});
          },
          "lose"_a = 0, "duplicate"_a = 0, "delay_max"_a = ecp::Milliseconds(0), Unlocked(),
          text("transport::LoopbackFaults"));
}

}  // namespace ecp_python
