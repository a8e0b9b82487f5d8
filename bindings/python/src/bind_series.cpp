// SPDX-License-Identifier: Apache-2.0
#include <ecp/series/series_store.hpp>

#include "binding.hpp"

namespace ecp_python {

void bind_series(py::module_& m) {
  namespace series = ecp::series;
  py::enum_<series::Quality>(m, "Quality", docstring("series::Quality"))
      .value("good", series::Quality::good)
      .value("bad", series::Quality::bad)
      .value("uncertain_time", series::Quality::uncertain_time);
  Record<series::Sample>(m, "Sample", "series::Sample")
      .field("tag", &series::Sample::tag)
      .field("time", &series::Sample::time)
      .field("quality", &series::Sample::quality)
      .field("value", &series::Sample::value)
      .field("error", &series::Sample::error)
      .field("late", &series::Sample::late);
  Record<series::Point>(m, "Point", "series::Point")
      .field("from_", &series::Point::from)
      .field("min", &series::Point::min)
      .field("max", &series::Point::max)
      .field("mean", &series::Point::mean)
      .field("first", &series::Point::first)
      .field("last", &series::Point::last)
      .field("count", &series::Point::count);
  Record<series::Gap>(m, "Gap", "series::Gap")
      .field("from_", &series::Gap::from)
      .field("to", &series::Gap::to)
      .field("samples", &series::Gap::samples)
      .field("why", &series::Gap::why);
}

}  // namespace ecp_python
