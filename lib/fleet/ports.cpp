// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/ports.hpp>

#include <ecp/fleet/command.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/restore.hpp>

namespace ecp::inline v0::fleet {

// The ports' first virtual members: their tables stand here alone.
DesiredSource::~DesiredSource() = default;
TransitionSink::~TransitionSink() = default;
NodeObserver::~NodeObserver() = default;
TrustObserver::~TrustObserver() = default;
NodeGate::~NodeGate() = default;
EdgeNodeStore::~EdgeNodeStore() = default;
BufferStore::~BufferStore() = default;
EdgeServiceStore::~EdgeServiceStore() = default;
EnrollmentTokenStore::~EnrollmentTokenStore() = default;
AgentCertificateStore::~AgentCertificateStore() = default;
CommandStore::~CommandStore() = default;
DesiredStore::~DesiredStore() = default;
RestoreStore::~RestoreStore() = default;

}  // namespace ecp::inline v0::fleet
