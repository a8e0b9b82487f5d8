// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What every bind_<module>.cpp is made of.

#include <pybind11/pybind11.h>

#include <string>
#include <string_view>
#include <utility>

#include <ecp/core/id.hpp>
#include <ecp/core/page.hpp>

#include "casters.hpp"
#include "docstrings.hpp"
#include "unwrap.hpp"

namespace ecp_python {

namespace py = pybind11;
// NOLINTNEXTLINE(google-global-names-in-headers): "name"_a reads as the parameter it names.
using pybind11::literals::operator""_a;

/// For everything that can block; the arguments are C++ values by then.
using Unlocked = py::call_guard<py::gil_scoped_release>;

// One per C++ module; each is in bind_<module>.cpp.
void bind_core(py::module_& m);
void bind_audit(py::module_& m);
void bind_tenancy(py::module_& m);
void bind_identity(py::module_& m);
void bind_rbac(py::module_& m);
void bind_series(py::module_& m);
void bind_link(py::module_& m);
void bind_fleet(py::module_& m);
void bind_alarm(py::module_& m);
void bind_pki(py::module_& m);
void bind_transport(py::module_& m);
void bind_plane(py::module_& m);
void bind_agent(py::module_& m);

/// Fails with `invalid_argument` outside of what a page may be.
ecp::PageRequest page(std::int64_t limit, std::int64_t offset);

/// Write a record as Name(field=value, ...), from its class's `_fields`.
std::string describe_fields(const py::handle& self);

/// A struct whose members Python may read. Its documentation is the header's.
template <class T>
class Record {
 public:
  /// `key` is the C++ name without ecp: "fleet::EdgeNode".
  Record(py::module_& m, const char* name, std::string key)
      : key_(std::move(key)), class_(m, name, docstring(key_)) {
    class_.def("__repr__", &describe_fields);
  }
  ~Record() { class_.attr("_fields") = py::tuple(fields_); }
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;

  template <class Member, class Owner>
  Record& field(const char* name, Member Owner::*member) {
    class_.def_readonly(name, member, docstring(key_ + "::" + name));
    fields_.append(name);
    return *this;
  }
  /// What is computed, and is not shown with the fields.
  template <class Function>
  Record& method(const char* name, Function function) {
    class_.def(name, function, docstring(key_ + "::" + name));
    return *this;
  }
  [[nodiscard]] py::class_<T>& python() noexcept { return class_; }

 private:
  std::string key_;
  py::class_<T> class_;
  py::list fields_;
};

/// The id of one noun; ids of different nouns never fit each other.
template <class Id>
void bind_id(py::module_& m, const char* name) {
  py::class_<Id>(m, name, docstring("Id"))
      .def(py::init([](std::string_view text) { return unwrap(Id::parse(text)); }), "text"_a,
           docstring("Id::parse"))
      .def("to_string", &Id::to_string)
      .def("is_nil", &Id::is_nil)
      .def("__str__", &Id::to_string)
      .def("__repr__",
           [name = std::string(name)](Id id) { return name + "('" + id.to_string() + "')"; })
      .def("__hash__", [](Id id) { return std::hash<Id>()(id); })
      .def(
          "__eq__", [](Id left, Id right) { return left == right; }, py::is_operator())
      .def(
          "__lt__", [](Id left, Id right) { return left < right; }, py::is_operator());
}

}  // namespace ecp_python
