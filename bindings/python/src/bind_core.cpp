// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>

#include <ecp/access/ids.hpp>
#include <ecp/core/error.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/log.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/core/secret.hpp>

#include "handles.hpp"

namespace ecp_python {

namespace {

constexpr ecp::ErrorCode codes[] = {
    ecp::ErrorCode::invalid_argument,
    ecp::ErrorCode::unauthenticated,
    ecp::ErrorCode::permission_denied,
    ecp::ErrorCode::not_found,
    ecp::ErrorCode::already_exists,
    ecp::ErrorCode::conflict,
    ecp::ErrorCode::failed_precondition,
    ecp::ErrorCode::resource_exhausted,
    ecp::ErrorCode::internal,
    ecp::ErrorCode::data_loss,
    ecp::ErrorCode::unimplemented,
    ecp::ErrorCode::unavailable,
    ecp::ErrorCode::cancelled,
    ecp::ErrorCode::timeout,
};

/// "not_found" becomes "NotFoundError".
std::string class_name(ecp::ErrorCode code) {
  std::string name;
  bool upper = true;
  for (const char letter : ecp::to_string(code)) {
    if (letter == '_') {
      upper = true;
    } else {
      name += upper ? static_cast<char>(letter - 'a' + 'A') : letter;
      upper = false;
    }
  }
  return name + "Error";
}

py::object new_exception(py::module_& m, const std::string& name, const char* text,
                         const py::handle& base) {
  auto made = py::reinterpret_steal<py::object>(
      PyErr_NewExceptionWithDoc(("ecp." + name).c_str(), text, base.ptr(), nullptr));
  m.add_object(name.c_str(), made);
  return made;
}

void raise(const ecp::Error& error) {
  const auto exceptions = py::module_::import("ecp._ecp");
  const auto class_of_it = class_name(error.code());
  const py::object type = exceptions.attr(class_of_it.c_str());
  py::dict params;
  for (const auto& [name, value] : error.params) params[py::str(name)] = py::str(value);
  const py::object made = type(error.describe());
  made.attr("code") = error.code();
  made.attr("reason") = std::string(error.reason->symbol);
  made.attr("params") = params;
  made.attr("message") = error.message();
  made.attr("context") = error.context;
  made.attr("is_retryable") = ecp::is_retryable(error.code());
  PyErr_SetObject(type.ptr(), made.ptr());
}

void bind_errors(py::module_& m) {
  py::enum_<ecp::ErrorCode> names(m, "ErrorCode", docstring("ErrorCode"));
  for (const auto code : codes) names.value(std::string(ecp::to_string(code)).c_str(), code);
  const auto base = new_exception(m, "Error", docstring("Error"), PyExc_Exception);
  for (const auto code : codes) {
    const auto text = "An error of the class " + std::string(ecp::to_string(code)) + ".";
    new_exception(m, class_name(code), text.c_str(), base);
  }
  py::register_exception_translator([](std::exception_ptr problem) {
    try {
      if (problem) std::rethrow_exception(problem);
    } catch (const Failure& failure) {
      raise(failure.error());
    }
  });
}

void bind_secret(py::module_& m) {
  py::class_<ecp::Secret>(m, "Secret", docstring("Secret"))
      .def(py::init<std::string_view>(), "text"_a)
      .def("view", &ecp::Secret::view)
      .def("empty", &ecp::Secret::empty)
      .def("equals", &ecp::Secret::equals, "other"_a)
      .def("clone", &ecp::Secret::clone, docstring("Secret::clone"))
      .def("__repr__", [](const ecp::Secret& /*self*/) { return "Secret(...)"; });
  py::implicitly_convertible<py::str, ecp::Secret>();
}

void bind_page(py::module_& m) {
  py::class_<PageOfObjects>(m, "Page", docstring("Page"))
      .def_readonly("items", &PageOfObjects::items)
      .def_readonly("total", &PageOfObjects::total, docstring("Page::total"))
      .def("__len__", [](const PageOfObjects& self) { return self.items.size(); })
      .def("__iter__", [](const PageOfObjects& self) { return py::iter(self.items); })
      .def("__getitem__", [](const PageOfObjects& self,
                             const py::object& place) { return py::object(self.items[place]); })
      .def("__repr__", [](const PageOfObjects& self) {
        return "Page(" + std::to_string(self.items.size()) + " of " + std::to_string(self.total) +
               ")";
      });
}

void bind_world(py::module_& m) {
  py::enum_<ecp::LogLevel>(m, "LogLevel")
      .value("debug", ecp::LogLevel::debug)
      .value("info", ecp::LogLevel::info)
      .value("warning", ecp::LogLevel::warning)
      .value("error", ecp::LogLevel::error);
  py::class_<World, std::shared_ptr<World>>(m, "RealEnv", docstring("RealEnv"))
      .def_static(
          "open",
          [](unsigned worker_threads, ecp::LogLevel log) {
            auto world = std::make_shared<World>(worker_threads, log);
            auto made = py::cast(world);
            stop_with(made, py::cpp_function(
                                [kept = std::weak_ptr(world)] {
                                  if (const auto held = kept.lock()) held->stop();
                                },
                                Unlocked()));
            return made;
          },
          "worker_threads"_a = 4, "log"_a = ecp::LogLevel::warning)
      .def("stop", &World::stop, Unlocked(), docstring("RealEnv::stop"));
}

}  // namespace

ecp::PageRequest page(std::int64_t limit, std::int64_t offset) {
  const auto check = [](const char* field, std::int64_t value, std::int64_t least,
                        std::int64_t most) {
    if (value >= least && value <= most) return;
    const auto problem = "must be " + std::to_string(least) + " to " + std::to_string(most);
    throw Failure({ecp::reasons::bad_field, {{"field", field}, {"problem", problem}}});
  };
  check("limit", limit, 1, ecp::limits::page_size);
  check("offset", offset, 0, ecp::limits::page_offset);
  return {limit, offset};
}

std::string describe_fields(const py::handle& self) {
  std::string text = py::str(py::type::of(self).attr("__name__"));
  const char* before = "(";
  for (const auto name : py::type::of(self).attr("_fields")) {
    text += before + std::string(py::str(name)) + "=" + std::string(py::repr(self.attr(name)));
    before = ", ";
  }
  return text + ")";
}

void stop_with(const py::object& owner, py::cpp_function stop) {
  py::module_::import("weakref").attr("finalize")(owner, std::move(stop));
}

void bind_core(py::module_& m) {
  bind_errors(m);
  bind_secret(m);
  bind_page(m);
  bind_world(m);
  bind_id<ecp::access::OrganizationId>(m, "OrganizationId");
  bind_id<ecp::access::ProjectId>(m, "ProjectId");
  bind_id<ecp::access::UserId>(m, "UserId");
  Record<ecp::access::Scope>(m, "Scope", "access::Scope")
      .field("organization", &ecp::access::Scope::organization)
      .field("project", &ecp::access::Scope::project);
}

}  // namespace ecp_python
