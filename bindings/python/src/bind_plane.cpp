// SPDX-License-Identifier: Apache-2.0
#include <memory>
#include <optional>
#include <string>

#include <ecp/identity/user.hpp>
#include <ecp/tenancy/organization.hpp>

#include "network.hpp"

namespace ecp_python {

namespace {

using ecp::access::Principal;
using ecp::access::PrincipalKind;
using ecp::access::Scope;
using ecp::access::UserId;
using ecp::plane::ControlPlane;
using ecp::plane::PlaneConfig;

/// A settings struct that Python makes from keywords and may change.
template <class T>
class Settings {
 public:
  Settings(py::module_& m, const char* name, std::string key)
      : key_(std::move(key)), class_(m, name, docstring(key_)) {
    class_.def(py::init([](const py::kwargs& values) {
      py::object made = py::cast(T());
      for (const auto& [field, value] : values) {
        if (!py::hasattr(made, field)) {
          throw py::type_error("there is no setting " + std::string(py::str(field)));
        }
        made.attr(field) = value;
      }
      return py::cast<T>(made);
    }));
  }
  template <class Member>
  Settings& field(const char* name, Member T::*member) {
    class_.def_readwrite(name, member, docstring(key_ + "::" + name));
    return *this;
  }

 private:
  std::string key_;
  py::class_<T> class_;
};

void bind_config(py::module_& m) {
  using ecp::plane::BrokerConfig;
  Settings<BrokerConfig>(m, "BrokerConfig", "plane::BrokerConfig")
      .field("bind", &BrokerConfig::bind)
      .field("port", &BrokerConfig::port)
      .field("mosquitto_path", &BrokerConfig::mosquitto_path)
      .field("plugin_path", &BrokerConfig::plugin_path)
      .field("keep_running", &BrokerConfig::keep_running);
  Settings<PlaneConfig>(m, "PlaneConfig", "plane::PlaneConfig")
      .field("data_folder", &PlaneConfig::data_folder)
      .field("store_url", &PlaneConfig::store_url)
      .field("master_key_path", &PlaneConfig::master_key_path)
      .field("broker", &PlaneConfig::broker)
      .field("agent_urls", &PlaneConfig::agent_urls)
      .field("server_names", &PlaneConfig::server_names)
      .field("heartbeat", &PlaneConfig::heartbeat)
      .field("reconnect_cap", &PlaneConfig::reconnect_cap)
      .field("series_keep", &PlaneConfig::series_keep)
      .field("webhook_allowed", &PlaneConfig::webhook_allowed)
      .field("workers", &PlaneConfig::workers);
}

template <class Registry>
Reached<Registry> reach(const Access& access, typename Reached<Registry>::Getter registry) {
  Reached<Registry> reached;
  static_cast<Access&>(reached) = access;
  reached.registry = registry;
  return reached;
}

/// A property of Access that leads to a registry.
template <class Registry>
auto leads_to(Registry& (ControlPlane::*registry)() noexcept) {
  return [registry](const Access& self) { return reach<Registry>(self, registry); };
}

/// The same of ControlPlane, for use-cases that need no grant.
template <class Registry>
auto leads_openly_to(Registry& (ControlPlane::*registry)() noexcept) {
  return [registry](const std::shared_ptr<Plane>& self) {
    return reach<Registry>({self, {PrincipalKind::user, {}, "python"}, Scope::platform()},
                           registry);
  };
}

Access narrowed(const Access& self, const Scope& scope) {
  return {self.plane, self.principal, scope};
}

void bind_access(py::module_& m) {
  const py::keep_alive<0, 1> keep;
  py::class_<Access>(m, "Access",
                     "What one principal may do in one scope: each property is a registry, and "
                     "each of its calls checks the rights that the principal has at that moment.")
      .def_readonly("scope", &Access::scope)
      .def("within", &narrowed, "place"_a, keep, "The same principal in another scope.")
      .def(
          "within",
          [](const Access& self, const ecp::tenancy::Organization& place) {
            return narrowed(self, {place.id, {}});
          },
          "place"_a, keep)
      .def(
          "within",
          [](const Access& self, const ecp::tenancy::Project& place) {
            return narrowed(self, {place.organization, place.id});
          },
          "place"_a, keep)
      .def_property_readonly("audit", py::cpp_function(leads_to(&ControlPlane::audit), keep))
      .def_property_readonly("organizations",
                             py::cpp_function(leads_to(&ControlPlane::organizations), keep))
      .def_property_readonly("projects", py::cpp_function(leads_to(&ControlPlane::projects), keep))
      .def_property_readonly("users", py::cpp_function(leads_to(&ControlPlane::users), keep))
      .def_property_readonly("sessions", py::cpp_function(leads_to(&ControlPlane::sessions), keep))
      .def_property_readonly("members", py::cpp_function(leads_to(&ControlPlane::members), keep))
      .def_property_readonly("enrollment_tokens",
                             py::cpp_function(leads_to(&ControlPlane::enrollment_tokens), keep))
      .def_property_readonly("edge_nodes",
                             py::cpp_function(leads_to(&ControlPlane::edge_nodes), keep))
      .def_property_readonly("edge_services",
                             py::cpp_function(leads_to(&ControlPlane::edge_services), keep))
      .def_property_readonly("alarm_rules",
                             py::cpp_function(leads_to(&ControlPlane::alarm_rules), keep))
      .def_property_readonly("alarms", py::cpp_function(leads_to(&ControlPlane::alarms), keep))
      .def_property_readonly("webhooks", py::cpp_function(leads_to(&ControlPlane::webhooks), keep));
}

std::shared_ptr<Plane> open(const PlaneConfig& config, const std::shared_ptr<World>& world,
                            Network* network, const ecp::Secret* master_key) {
  ecp::plane::Parts parts;
  if (network != nullptr) parts.gateway = network->network.gateway();
  if (master_key != nullptr) parts.master_key = master_key->clone();
  const py::gil_scoped_release unlocked;
  return std::make_shared<Plane>(
      world, unwrap(ControlPlane::open(config, std::move(parts), world->env())));
}

Access as_user(const std::shared_ptr<Plane>& self, UserId user) {
  return {self, {PrincipalKind::user, user.bytes(), "python"}, Scope::platform()};
}

/// Everything that says who calls.
void bind_principals(py::class_<Plane, std::shared_ptr<Plane>>& plane) {
  const py::keep_alive<0, 1> keep;
  plane
      .def("as_user", &as_user, "user"_a, keep,
           "Act as a user, with the rights that he has. The program vouches for him; to have him "
           "prove himself, use sessions.log_in and sessions.authenticate.")
      .def(
          "as_user",
          [](const std::shared_ptr<Plane>& self, const ecp::identity::User& user) {
            return as_user(self, user.id);
          },
          "user"_a, keep)
      .def(
          "as_user",
          [](const std::shared_ptr<Plane>& self, const Principal& user) {
            return Access{self, user, Scope::platform()};
          },
          "user"_a, keep)
      .def(
          "as_system",
          [](const std::shared_ptr<Plane>& self) {
            return Access{self, {PrincipalKind::system, {}, "python"}, Scope::platform()};
          },
          keep, "Act as this program itself, with all rights; audited as `python`.");
}

}  // namespace

void bind_plane(py::module_& m) {
  bind_config(m);
  bind_access(m);
  const py::keep_alive<0, 1> keep;
  py::class_<Plane, std::shared_ptr<Plane>> plane(m, "ControlPlane",
                                                  docstring("plane::ControlPlane"));
  plane
      .def_static(
          "open",
          [](const PlaneConfig& config, const std::shared_ptr<World>& env, Network* network,
             const ecp::Secret* master_key) {
            const auto opened = open(config, env, network, master_key);
            auto made = py::cast(opened);
            stop_with(made, py::cpp_function(
                                [kept = std::weak_ptr(opened)] {
                                  if (const auto held = kept.lock()) held->stop();
                                },
                                Unlocked()));
            return made;
          },
          "config"_a, py::arg("env").none(false), "network"_a = py::none(),
          "master_key"_a = py::none(), py::keep_alive<0, 2>(), py::keep_alive<0, 3>(),
          docstring("plane::ControlPlane::open"))
      .def("stop", &Plane::stop, Unlocked(), docstring("plane::ControlPlane::stop"))
      .def("__enter__", [](const py::object& self) { return self; })
      .def("__exit__",
           [](Plane& self, const py::args& /*problem*/) {
             const py::gil_scoped_release unlocked;
             self.stop();
           })
      .def(
          "is_listening",
          [](Plane& self) {
            return self.use([](ControlPlane& control) { return control.is_listening(); });
          },
          Unlocked(), docstring("plane::ControlPlane::is_listening"))
      .def(
          "bootstrap_secret_path",
          [](Plane& self) {
            return self.use([](ControlPlane& control) { return control.bootstrap_secret_path(); });
          },
          Unlocked(), docstring("plane::ControlPlane::bootstrap_secret_path"))
      .def(
          "root_path",
          [](Plane& self) {
            return self.use([](ControlPlane& control) { return control.root_path(); });
          },
          Unlocked(), docstring("plane::ControlPlane::root_path"))
      .def_property_readonly("bootstrap",
                             py::cpp_function(leads_openly_to(&ControlPlane::bootstrap), keep))
      .def_property_readonly("sessions",
                             py::cpp_function(leads_openly_to(&ControlPlane::sessions), keep))
      .def_property_readonly("enrollment",
                             py::cpp_function(leads_openly_to(&ControlPlane::enrollment), keep));
  bind_principals(plane);
}

}  // namespace ecp_python
