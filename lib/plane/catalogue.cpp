// SPDX-License-Identifier: Apache-2.0
#include <ecp/plane/control_plane.hpp>

#include <ecp/access/reasons.hpp>
#include <ecp/alarm/reasons.hpp>
#include <ecp/audit/reasons.hpp>
#include <ecp/fleet/reasons.hpp>
#include <ecp/http/reasons.hpp>
#include <ecp/identity/reasons.hpp>
#include <ecp/kind/reasons.hpp>
#include <ecp/pki/reasons.hpp>
#include <ecp/plane/reasons.hpp>
#include <ecp/platform/reasons.hpp>
#include <ecp/rbac/reasons.hpp>
#include <ecp/series/reasons.hpp>
#include <ecp/storage/reasons.hpp>
#include <ecp/tenancy/reasons.hpp>
#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::plane {

ReasonCatalogue reason_catalogue() {
  ReasonCatalogue catalogue;
  catalogue.add(storage::reasons::storage_catalogue);
  catalogue.add(http::reasons::http_catalogue);
  catalogue.add(access::reasons::access_catalogue);
  catalogue.add(audit::reasons::audit_catalogue);
  catalogue.add(tenancy::reasons::tenancy_catalogue);
  catalogue.add(identity::reasons::identity_catalogue);
  catalogue.add(rbac::reasons::rbac_catalogue);
  catalogue.add(platform::reasons::platform_catalogue);
  catalogue.add(fleet::reasons::fleet_catalogue);
  catalogue.add(series::series_catalogue);
  catalogue.add(pki::pki_catalogue);
  catalogue.add(transport::transport_catalogue);
  catalogue.add(kind::kind_catalogue);
  catalogue.add(alarm::reasons::alarm_catalogue);
  catalogue.add(reasons::plane_catalogue);
  return catalogue;
}

}  // namespace ecp::inline v0::plane
