// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>

#include <ecp/agent/agent_store.hpp>
#include <ecp/agent/program.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/pipeline/buffer_store.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>

#include "agent/database.hpp"
#include "agent/folder_lock.hpp"
#include "agent/identity.hpp"

namespace ecp::inline v0::agent {
namespace {

/// What a running agent said last.
std::optional<bool> read_linked(const AgentFiles& files) {
  const auto text = read_file(files.status(), limits::json_document);
  if (!text) return std::nullopt;
  auto document = json::ObjectDocument::parse(*text);
  if (!document) return std::nullopt;
  const auto linked = document->reader().boolean("linked");
  return linked ? std::optional(*linked) : std::nullopt;
}

Result<void> read_database(storage::Store& store, FolderStatus& status) {
  return store.read([&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY(const auto buffer, transaction.get<pipeline::BufferStore>().load());
    status.buffered = buffer.samples;
    status.committed = buffer.committed();
    status.dropped = buffer.dropped;
    ECP_TRY(const auto manifest, transaction.get<AgentStore>().manifest());
    if (!manifest) return {};
    status.epoch = manifest->generation.epoch;
    status.generation = manifest->generation.generation;
    return {};
  });
}

}  // namespace

Result<std::unique_ptr<storage::Store>> open_database(const AgentFiles& files, const Env& env) {
  const std::array modules{&storage::pipeline_module(), &storage::agent_module()};
  storage::SqliteOptions options;
  options.path = files.database();
  options.writer_thread = false;  // There is one writer anyway, and threads cost memory.
  options.readers = 1;
  return storage::open_sqlite(options, modules, env);
}

Result<FolderStatus> read_status(const std::string& data_folder, LogSink& log) {
  const AgentFiles files{data_folder};
  ECP_TRY(const auto identity, load_identity(files));
  FolderStatus status;
  status.node = identity.agent.to_string();
  status.linked = FolderLock::is_held(data_folder) ? read_linked(files) : std::optional(false);
  if (::access(files.database().c_str(), F_OK) != 0) return status;  // It never ran.
  RealEnv world(log, 1);
  ECP_TRY(const auto store, open_database(files, world.env()));
  ECP_TRY_VOID(read_database(*store, status));
  return status;
}

}  // namespace ecp::inline v0::agent
