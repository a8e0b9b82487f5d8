// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include <ecp/audit/audit_registry.hpp>

#include "handles.hpp"

namespace ecp_python {

void bind_audit(py::module_& m) {
  namespace audit = ecp::audit;
  using Registry = audit::AuditRegistry;
  bind_id<audit::EntryId>(m, "AuditEntryId");
  py::enum_<audit::Outcome>(m, "Outcome", docstring("audit::Outcome"))
      .value("done", audit::Outcome::done)
      .value("denied", audit::Outcome::denied);
  Record<audit::Entry>(m, "AuditEntry", "audit::Entry")
      .field("id", &audit::Entry::id)
      .field("scope", &audit::Entry::scope)
      .field("at", &audit::Entry::at)
      .field("principal_kind", &audit::Entry::principal_kind)
      .field("principal", &audit::Entry::principal)
      .field("source", &audit::Entry::source)
      .field("request", &audit::Entry::request)
      .field("remote", &audit::Entry::remote)
      .field("operation", &audit::Entry::operation)
      .field("outcome", &audit::Entry::outcome)
      .field("subject_kind", &audit::Entry::subject_kind)
      .field("subject_id", &audit::Entry::subject_id)
      .field("subject_name", &audit::Entry::subject_name)
      .field("details", &audit::Entry::details);
  Record<audit::Seal>(m, "Seal", "audit::Seal").field("sequence", &audit::Seal::sequence);
  Record<audit::StoredEntry>(m, "StoredEntry", "audit::StoredEntry")
      .field("entry", &audit::StoredEntry::entry)
      .field("seal", &audit::StoredEntry::seal);

  RegistryClass<Registry>(m, "AuditRegistry", "audit::AuditRegistry")
      .method(
          "list",
          [](const Reached<Registry>& self, std::string operation, std::string principal,
             std::string subject_id, std::optional<ecp::Time> from, std::optional<ecp::Time> to,
             std::int64_t limit, std::int64_t offset) {
            const audit::EntryQuery query{
                self.scope, std::move(operation), std::move(principal), std::move(subject_id), from,
                to};
            return self.call([&](Registry& registry, const ecp::access::Grant& grant) {
              return registry.list(grant, query, page(limit, offset));
            });
          },
          "operation"_a = "", "principal"_a = "", "subject_id"_a = "", "from_"_a = py::none(),
          "to"_a = py::none(), "limit"_a = 50, "offset"_a = 0);
}

}  // namespace ecp_python
