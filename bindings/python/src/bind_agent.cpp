// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <memory>
#include <string>

#include <ecp/agent/agent.hpp>
#include <ecp/core/file.hpp>
#include <ecp/http/client.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/transport/mqtt.hpp>

#include "network.hpp"

namespace ecp_python {

namespace {

namespace agent = ecp::agent;
namespace transport = ecp::transport;
using ecp::Result;
using ecp::link::LinkDocument;
using Link = Result<std::unique_ptr<transport::AgentLink>>;

/// An agent and what it lives in.
struct AgentHandle {
  std::shared_ptr<World> world;      ///< Shared with Python's own object of it.
  std::shared_ptr<Network> network;  ///< The same; null over MQTT.
  std::unique_ptr<agent::Agent> agent;
};

struct Wanted {
  std::string folder;
  bool writes = true;
  ecp::Milliseconds flush_interval{100};
};

Link open_mqtt(const agent::AgentFiles& files, const LinkDocument& document, ecp::Env env) {
  transport::MqttLinkOptions options;
  for (const auto& broker : document.brokers) options.brokers.push_back({broker.host, broker.port});
  options.tls = {files.roots(), files.identity(), files.identity()};
  options.agent = document.agent;
  options.keep_alive = document.keep_alive;
  return transport::open_mqtt_agent_link(std::move(options), env);
}

/// Over the loopback when there is a network, else over MQTT and HTTPS with the folder's identity.
std::unique_ptr<agent::Agent> open(const Wanted& wanted, const LinkDocument& link,
                                   const std::shared_ptr<Network>& network, ecp::Env env) {
  static const std::array modules{&ecp::storage::pipeline_module(), &ecp::storage::agent_module()};
  const agent::AgentFiles files{wanted.folder};
  unwrap(ecp::make_private_folder(wanted.folder));
  ecp::storage::SqliteOptions file;
  file.path = files.database();
  agent::AgentParts parts;
  parts.store = unwrap(ecp::storage::open_sqlite(file, modules, env));
  parts.drivers = ecp::pipeline::open_modbus_drivers(env);
  agent::AgentOptions options;
  options.link = link;
  options.writes = wanted.writes;
  options.flush_interval = wanted.flush_interval;
  if (network != nullptr) {
    parts.open_link = [network](const LinkDocument& document) -> Link {
      return network->network.link(document.agent);
    };
  } else {
    options.data_folder = wanted.folder;
    parts.http = unwrap(ecp::http::open_client(env));
    parts.open_link = [files, env](const LinkDocument& document) {
      return open_mqtt(files, document, env);
    };
  }
  return unwrap(agent::Agent::open(std::move(options), std::move(parts), env));
}

py::object opened(const std::string& folder, const LinkDocument& link,
                  const std::shared_ptr<World>& env, const std::shared_ptr<Network>& network,
                  bool writes, ecp::Milliseconds flush_interval) {
  const auto handle = std::make_shared<AgentHandle>(AgentHandle{env, network, nullptr});
  {
    const py::gil_scoped_release unlocked;
    handle->agent = open({folder, writes, flush_interval}, link, network, env->env());
  }
  auto made = py::cast(handle);
  stop_with(made, py::cpp_function(
                      [kept = std::weak_ptr(handle)] {
                        if (const auto held = kept.lock()) held->agent->stop();
                      },
                      Unlocked()));
  return made;
}

void bind_enrollment(py::module_& m) {
  m.def(
      "enroll",
      [](const std::string& url, const std::string& name, const std::string& data_folder,
         const ecp::Secret& token, const std::shared_ptr<World>& env) {
        const auto client = unwrap(ecp::http::open_client(env->env()));
        return unwrap(agent::enroll({url, name, data_folder}, token, *client, env->env()));
      },
      "url"_a, "name"_a, "data_folder"_a, "token"_a, py::arg("env").none(false), Unlocked(),
      docstring("agent::enroll"));
  m.def(
      "load_link_document",
      [](const std::string& data_folder) {
        return unwrap(agent::load_link_document({data_folder}));
      },
      "data_folder"_a, Unlocked(), docstring("agent::load_link_document"));
}

}  // namespace

void bind_agent(py::module_& m) {
  Record<agent::AgentStatus>(m, "AgentStatus", "agent::AgentStatus")
      .field("linked", &agent::AgentStatus::linked)
      .field("applied", &agent::AgentStatus::applied)
      .field("buffered", &agent::AgentStatus::buffered)
      .field("dropped", &agent::AgentStatus::dropped)
      .field("services", &agent::AgentStatus::services);
  py::class_<AgentHandle, std::shared_ptr<AgentHandle>>(m, "Agent", docstring("agent::Agent"))
      .def_static("open", &opened, "folder"_a, "link"_a, py::arg("env").none(false),
                  "network"_a = py::none(), "writes"_a = true,
                  "flush_interval"_a = ecp::Milliseconds(100), py::keep_alive<0, 3>(),
                  py::keep_alive<0, 4>(), docstring("agent::Agent::open"))
      .def(
          "start", [](AgentHandle& self) { unwrap(self.agent->start()); }, Unlocked(),
          docstring("agent::Agent::start"))
      .def(
          "stop", [](AgentHandle& self) { self.agent->stop(); }, Unlocked(),
          docstring("agent::Agent::stop"))
      .def(
          "status", [](AgentHandle& self) { return self.agent->status(); }, Unlocked(),
          docstring("agent::Agent::status"))
      .def(
          "__enter__",
          [](const py::object& self) {
            auto& handle = self.cast<AgentHandle&>();
            const py::gil_scoped_release unlocked;
            unwrap(handle.agent->start());
            return &handle;
          },
          py::return_value_policy::reference)
      .def("__exit__", [](AgentHandle& self, const py::args& /*problem*/) {
        const py::gil_scoped_release unlocked;
        self.agent->stop();
      });
  bind_enrollment(m);
}

}  // namespace ecp_python
