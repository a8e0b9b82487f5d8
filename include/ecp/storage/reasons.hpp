// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of storage (numbers 1100-1199).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::storage::reasons {

inline constexpr Reason unavailable{1100, "storage.unavailable", ErrorCode::unavailable,
                                    "the database cannot be reached: {problem}"};
inline constexpr Reason busy{1101, "storage.busy", ErrorCode::unavailable,
                             "the database stayed locked by another user of it"};
inline constexpr Reason disk_full{1102, "storage.disk_full", ErrorCode::unavailable,
                                  "the database has no space left on its disk"};
inline constexpr Reason io{1103, "storage.io", ErrorCode::unavailable,
                           "the database file cannot be used: {problem}"};
inline constexpr Reason damaged{1104, "storage.damaged", ErrorCode::data_loss,
                                "the database is damaged or is none: {problem}"};
inline constexpr Reason constraint{1105, "storage.constraint", ErrorCode::already_exists,
                                   "the change contradicts what is stored"};
inline constexpr Reason serialization{1106, "storage.serialization", ErrorCode::conflict,
                                      "others changed the same records at the same time"};
inline constexpr Reason bad_statement{1107, "storage.bad_statement", ErrorCode::internal,
                                      "the database refused a statement; see the log"};
inline constexpr Reason closed{1108, "storage.closed", ErrorCode::cancelled,
                               "the database is closed because the program is stopping"};
inline constexpr Reason schema_newer{
    1109, "storage.schema_newer", ErrorCode::failed_precondition,
    "the database has schema {found} of {module}, this program knows {known}: start the newer "
    "program, or restore the backup made before the upgrade"};
inline constexpr Reason migration_changed{
    1110, "storage.migration_changed", ErrorCode::failed_precondition,
    "migration {number} of {module} is not the one the database was made with"};
inline constexpr Reason unsuitable{1111, "storage.unsuitable", ErrorCode::failed_precondition,
                                   "the database is not suitable: {problem}"};
inline constexpr Reason lease_lost{1112, "storage.lease_lost", ErrorCode::conflict,
                                   "the lease {name} has another holder now"};
inline constexpr Reason bad_text{1113, "storage.bad_text", ErrorCode::invalid_argument,
                                 "a text holds a NUL or is not UTF-8"};
inline constexpr Reason commit_unknown{
    1114, "storage.commit_unknown", ErrorCode::unavailable,
    "the database was lost during the commit: whether the change was made is not known"};
inline constexpr Reason nested_unit{1115, "storage.nested_unit", ErrorCode::internal,
                                    "a unit of work was begun inside another"};
inline constexpr Reason read_only{1116, "storage.read_only", ErrorCode::internal,
                                  "a unit that only reads tried to write"};

inline constexpr std::array storage_catalogue{
    &unavailable,   &busy,          &disk_full,      &io,           &damaged,           &constraint,
    &serialization, &bad_statement, &closed,         &schema_newer, &migration_changed, &unsuitable,
    &lease_lost,    &bad_text,      &commit_unknown, &nested_unit,  &read_only};

}  // namespace ecp::inline v0::storage::reasons
