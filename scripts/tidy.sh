#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over the library's sources that changed.
# Usage: scripts/tidy.sh [BASE|all]  (default: since origin/main, or the last commit where there is none)
set -euo pipefail
cd "$(dirname "$0")/.."
base=${1:-$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD~1)}

cmake --preset clang -Wno-dev >/dev/null
if [ "$base" = all ]; then
  mapfile -t changed < <(git ls-files 'lib/*.cpp')
else
  mapfile -t changed < <(git diff --name-only --diff-filter=d "$base" -- 'lib/*.cpp')
fi
[ ${#changed[@]} -gt 0 ] || { echo "tidy: nothing changed since $base"; exit 0; }
printf '%s\n' "${changed[@]}" | xargs -P "$(nproc)" -n 4 clang-tidy-14 -quiet -p build/clang
echo "tidy: ${#changed[@]} files are clean"
