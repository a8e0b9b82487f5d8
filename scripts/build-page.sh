#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds the live page into apps/console/dist; does nothing when it is newer than its sources.
set -euo pipefail
cd "$(dirname "$0")/../apps/console"
if [ -f dist/index.html ] && [ -z "$(find src package-lock.json build.mjs check-texts.mjs -newer dist/index.html)" ]; then
  exit 0
fi
[ -d node_modules ] && [ node_modules -nt package-lock.json ] || npm ci --no-audit --no-fund --loglevel=error
npm run --silent build
