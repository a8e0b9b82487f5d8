// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Small files that must be whole, private and durable.

#include <cstddef>
#include <string>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>

namespace ecp::inline v0 {

/// Read at most `max_size` octets; a larger file is `invalid_argument`, an absent one `not_found`.
[[nodiscard]] ECP_EXPORT Result<Bytes> read_file(const std::string& path, std::size_t max_size);

/// Read a secret from a regular file; trailing line ends are dropped. Fails with
/// `failed_precondition` (core.unsafe_file) when group or others may read or write it.
[[nodiscard]] ECP_EXPORT Result<Secret> read_secret_file(const std::string& path,
                                                         std::size_t max_size);

/// Replace a file: new file beside it, mode, fsync, rename, fsync of the folder. A reader sees the
/// old or the new content, also after a power cut.
[[nodiscard]] ECP_EXPORT Result<void> write_file_durably(const std::string& path, BytesView content,
                                                         unsigned mode = 0600);

/// Append and fsync; the file is created with mode 0600. A failure may leave a part at the end.
[[nodiscard]] ECP_EXPORT Result<void> append_file_durably(const std::string& path,
                                                          BytesView content);

/// Make a folder with mode 0700 (parents must exist) and check that we may write in it. Fails with
/// `failed_precondition` (core.unsafe_file) on one in which group or others may write.
[[nodiscard]] ECP_EXPORT Result<void> make_private_folder(const std::string& path);

}  // namespace ecp::inline v0
