// SPDX-License-Identifier: Apache-2.0
#include <ecp/link/documents.hpp>

#include "binding.hpp"

namespace ecp_python {

void bind_link(py::module_& m) {
  namespace link = ecp::link;
  bind_id<link::EdgeNodeId>(m, "EdgeNodeId");
  bind_id<link::EdgeServiceId>(m, "EdgeServiceId");
  bind_id<link::CommandId>(m, "CommandId");
  bind_id<link::AlarmRuleId>(m, "AlarmRuleId");

  py::enum_<link::ServiceState>(m, "ServiceState", docstring("link::ServiceState"))
      .value("unknown", link::ServiceState::unknown)
      .value("starting", link::ServiceState::starting)
      .value("running", link::ServiceState::running)
      .value("degraded", link::ServiceState::degraded)
      .value("failed", link::ServiceState::failed)
      .value("stopped", link::ServiceState::stopped);
  py::enum_<link::ResourceState>(m, "ResourceState", docstring("link::ResourceState"))
      .value("pending", link::ResourceState::pending)
      .value("applied", link::ResourceState::applied)
      .value("failed", link::ResourceState::failed);
  py::enum_<link::CommandState>(m, "CommandState", docstring("link::CommandState"))
      .value("pending", link::CommandState::pending)
      .value("done", link::CommandState::done)
      .value("failed", link::CommandState::failed)
      .value("refused", link::CommandState::refused)
      .value("expired", link::CommandState::expired)
      .value("unknown", link::CommandState::unknown);

  Record<link::Generation>(m, "Generation", "link::Generation")
      .field("epoch", &link::Generation::epoch)
      .field("generation", &link::Generation::generation);
  Record<link::Heartbeat::Host>(m, "Host", "link::Heartbeat::Host")
      .field("load_1m", &link::Heartbeat::Host::load_1m)
      .field("memory_total", &link::Heartbeat::Host::memory_total)
      .field("memory_available", &link::Heartbeat::Host::memory_available)
      .field("disk_free", &link::Heartbeat::Host::disk_free);
  Record<link::Heartbeat::Service>(m, "ReportedService", "link::Heartbeat::Service")
      .field("id", &link::Heartbeat::Service::id)
      .field("state", &link::Heartbeat::Service::state)
      .field("reason", &link::Heartbeat::Service::reason);
  Record<link::LinkDocument>(m, "LinkDocument", "link::LinkDocument")
      .field("agent", &link::LinkDocument::agent)
      .field("https_urls", &link::LinkDocument::https_urls)
      .field("heartbeat", &link::LinkDocument::heartbeat)
      .field("reconnect_cap", &link::LinkDocument::reconnect_cap)
      .python()
      .def("to_json", [](const link::LinkDocument& self) { return link::to_json(self); })
      .def_static(
          "parse", [](std::string_view text) { return unwrap(link::parse_link_document(text)); },
          "text"_a);
}

}  // namespace ecp_python
