// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of edge services.

#include <optional>
#include <string>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/kind/registry.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::fleet {

class CommandEngine;
class DesiredEngine;
class NodeObserver;

/// Creates, changes, controls and removes edge services.
///
/// Thread safety: any thread; calls block.
/// Errors: as Grant::require and the stores, besides those named.
class ECP_EXPORT EdgeServiceRegistry {
 public:
  struct NewService {
    std::string name;
    EdgeNodeId node;
    std::string kind;
    std::string runtime;
    std::string config_json;
  };
  struct Changes {
    std::optional<std::string> name;
    std::optional<std::string> config_json;
  };
  struct Parts {
    storage::Store& store;
    DesiredEngine& desired;
    CommandEngine& commands;
    NodeObserver& observer;
    series::SeriesStore& series;
    const kind::KindRegistry& kinds;
    const kind::RuntimeRegistry& runtimes;
  };
  /// Everything given outlives the registry.
  EdgeServiceRegistry(const Parts& parts, Env env);

  /// Fails with `invalid_argument` when the kind's rules refuse the config, naming the field;
  /// `already_exists` for the name; `not_found` for the node; `failed_precondition` when it is
  /// revoked.
  Result<EdgeService> create(const access::Grant& grant, const NewService& wanted);
  Result<EdgeService> get(const access::Grant& grant, EdgeServiceId id);
  /// `query.project` is taken from the grant.
  Result<Page<EdgeService>> list(const access::Grant& grant, EdgeServiceQuery query,
                                 PageRequest page);
  Result<EdgeService> update(const access::Grant& grant, EdgeServiceId id, Revision revision,
                             const Changes& changes);
  Result<void> remove(const access::Grant& grant, EdgeServiceId id, Revision revision);

  /// Start, stop or restart. Start and stop also become the desired state, which outlives a reboot
  /// of the node. Fails with `resource_exhausted` over limits::commands_per_node live commands.
  Result<Command> control(const access::Grant& grant, EdgeServiceId id, std::string_view action);
  /// Write a value to a data tag of the service. Whether it may be written is judged at the edge,
  /// by the tag's guards. Fails with `not_found` when the configuration has no such tag.
  Result<Command> write(const access::Grant& grant, EdgeServiceId id, std::string_view tag,
                        std::string_view value_json, Milliseconds expires_in);
  /// The same for up to link::writes_per_command data tags at once, each at most once: in this
  /// order, and none when a guard refuses one. Fails also with `invalid_argument`.
  Result<Command> write_tags(const access::Grant& grant, EdgeServiceId id,
                             std::vector<link::TagWrite> writes, Milliseconds expires_in);
  Result<Command> get_command(const access::Grant& grant, CommandId id);
  /// Newest first.
  Result<Page<Command>> list_commands(const access::Grant& grant, PageRequest page);

  /// Newest value of each data tag that the configuration has.
  Result<std::vector<series::Sample>> values(const access::Grant& grant, EdgeServiceId id);
  struct History {
    std::vector<series::Point> points;
    std::vector<series::Gap> gaps;
  };
  Result<History> history(const access::Grant& grant, EdgeServiceId id, std::string_view tag,
                          Time from, Time to, std::size_t points);
  Result<std::vector<series::Sample>> samples(const access::Grant& grant, EdgeServiceId id,
                                              std::string_view tag, Time from, Time to,
                                              std::size_t limit);

 private:
  Result<Command> issue(storage::Transaction& transaction, const access::Grant& grant,
                        const EdgeService& service, link::Command what);
  Result<Command> issue_write(const access::Grant& grant, EdgeServiceId id, link::Command what,
                              Milliseconds expires_in);
  Parts parts_;
  Env env_;
};

}  // namespace ecp::inline v0::fleet
