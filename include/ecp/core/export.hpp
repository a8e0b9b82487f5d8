// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Symbol visibility: everything is hidden but what carries ECP_EXPORT.

#define ECP_EXPORT __attribute__((visibility("default")))
