// SPDX-License-Identifier: Apache-2.0
#include "binding.hpp"

PYBIND11_MODULE(_ecp, m) {
  m.doc() = "The C++ library ecp, as the package ecp shows it.";
  // A type must be known before a signature names it.
  ecp_python::bind_core(m);
  ecp_python::bind_link(m);
  ecp_python::bind_audit(m);
  ecp_python::bind_tenancy(m);
  ecp_python::bind_identity(m);
  ecp_python::bind_rbac(m);
  ecp_python::bind_series(m);
  ecp_python::bind_fleet(m);
  ecp_python::bind_alarm(m);
  ecp_python::bind_pki(m);
  ecp_python::bind_transport(m);
  ecp_python::bind_plane(m);
  ecp_python::bind_agent(m);
}
