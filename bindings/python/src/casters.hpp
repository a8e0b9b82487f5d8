// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// C++ types that are plain Python ones: times, durations, revisions, pages.

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <datetime.h>

#include <cmath>
#include <cstdint>
#include <utility>

#include <ecp/core/page.hpp>
#include <ecp/core/time.hpp>

namespace ecp_python {

/// A page as Python sees it: a sequence that knows how many matches there are in all.
struct PageOfObjects {
  pybind11::list items;
  std::int64_t total = 0;
};

inline void import_datetime() {
  if (PyDateTimeAPI == nullptr) PyDateTime_IMPORT;
}

}  // namespace ecp_python

namespace pybind11::detail {

/// An aware datetime; a naive one is refused, because nobody knows which time it is.
template <>
struct type_caster<ecp::Time> {
  PYBIND11_TYPE_CASTER(ecp::Time, const_name("datetime.datetime"));

  bool load(handle source, bool /*convert*/) {
    ecp_python::import_datetime();
    if (PyDateTime_Check(source.ptr()) == 0) return false;
    if (source.attr("tzinfo").is_none()) {
      throw value_error("a time needs its time zone, as in datetime.now(timezone.utc)");
    }
    const auto seconds = source.attr("timestamp")().cast<double>();
    value = ecp::from_ms(std::llround(seconds * 1000));
    return true;
  }

  static handle cast(ecp::Time time, return_value_policy /*policy*/, handle /*parent*/) {
    ecp_python::import_datetime();
    const auto seconds = static_cast<double>(ecp::to_ms(time)) / 1000;
    const auto arguments = make_tuple(seconds, handle(PyDateTime_TimeZone_UTC));
    return PyDateTime_FromTimestamp(arguments.ptr());
  }
};

/// A timedelta.
template <>
struct type_caster<ecp::Milliseconds> {
  PYBIND11_TYPE_CASTER(ecp::Milliseconds, const_name("datetime.timedelta"));

  bool load(handle source, bool /*convert*/) {
    ecp_python::import_datetime();
    if (PyDelta_Check(source.ptr()) == 0) return false;
    const auto days = source.attr("days").cast<std::int64_t>();
    const auto seconds = source.attr("seconds").cast<std::int64_t>();
    const auto microseconds = source.attr("microseconds").cast<std::int64_t>();
    value = ecp::Milliseconds((days * 86'400 + seconds) * 1000 + microseconds / 1000);
    return true;
  }

  static handle cast(ecp::Milliseconds span, return_value_policy /*policy*/, handle /*parent*/) {
    ecp_python::import_datetime();
    constexpr std::int64_t day = 86'400'000;
    const auto days = static_cast<int>(span.count() / day);
    const auto rest = static_cast<int>(span.count() % day);
    return PyDelta_FromDSU(days, rest / 1000, rest % 1000 * 1000);
  }
};

/// An int.
template <>
struct type_caster<ecp::Revision> {
  PYBIND11_TYPE_CASTER(ecp::Revision, const_name("int"));

  bool load(handle source, bool convert) {
    make_caster<std::int64_t> number;
    if (!number.load(source, convert)) return false;
    value = static_cast<ecp::Revision>(cast_op<std::int64_t>(number));
    return true;
  }

  static handle cast(ecp::Revision revision, return_value_policy /*policy*/, handle /*parent*/) {
    return PyLong_FromLongLong(ecp::to_number(revision));
  }
};

/// ecp.Page; only ever returned.
template <class T>
struct type_caster<ecp::Page<T>> {
  static constexpr auto name =
      const_name("ecp._ecp.Page[") + make_caster<T>::name + const_name("]");

  static handle cast(ecp::Page<T>&& page, return_value_policy /*policy*/, handle /*parent*/) {
    ecp_python::PageOfObjects shown{list(page.items.size()), page.total};
    std::size_t place = 0;
    for (auto& item : page.items) {
      shown.items[place++] = pybind11::cast(std::move(item));
    }
    return pybind11::cast(std::move(shown)).release();
  }
};

}  // namespace pybind11::detail
