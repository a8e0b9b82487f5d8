#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Builds and runs the tests. With no argument everything, in stages; or one stage by name:
#   release blackbox clang asan, and tsan, which takes long and is not among them
# Each stage leaves its log in build/results/<stage>.log.
set -uo pipefail
cd "$(dirname "$0")/.."
results=$PWD/build/results
mkdir -p "$results"
jobs=$(nproc)
failed=()

say() { printf '\n== %s (%s)\n' "$*" "$(date +%H:%M:%S)"; }

stage_release() {
  scripts/build-page.sh &&
    cmake --preset release -Wno-dev >/dev/null &&
    cmake --build --preset release -j "$jobs" &&
    scripts/with-postgres.sh ctest --preset release -V
}
stage_clang() {
  cmake --preset clang -Wno-dev >/dev/null && cmake --build --preset clang -j "$jobs"
}
# Unit and conformance tests, the database included.
stage_asan() {
  cmake --preset asan -Wno-dev >/dev/null &&
    cmake --build --preset asan -j "$jobs" &&
    scripts/with-postgres.sh ctest --preset asan -V -E '^(durability|sim|package|compile|unit-.*|docs|repository)$'
}
# Tests with threads of their own.
stage_tsan() {
  cmake --preset tsan -Wno-dev -DECP_BUILD_APPS=OFF -DECP_BUILD_EXAMPLES=OFF >/dev/null &&
    cmake --build --preset tsan -j "$jobs" &&
    TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp exitcode=66" scripts/with-postgres.sh \
      ctest --test-dir build/tsan --output-on-failure --timeout 900 -E '^(package|compile|unit-.*|docs|repository)$'
}
# The product as a process, through its API: pytest against the release build.
stage_blackbox() {
  scripts/with-postgres.sh env ECP_BUILD="$PWD/build/release" \
    /usr/bin/python3 -m pytest -p no:cacheprovider -q -rA --tb=short tests/e2e
}

run() {
  say "$1"
  if "stage_$1" > "$results/$1.log" 2>&1; then
    grep -E '^\[doctest\] test cases|[0-9]+ passed' "$results/$1.log" | tail -1
    echo "stage $1: ok"
  else
    tail -60 "$results/$1.log"
    grep -E '(FAILED|ERROR:|error:|\*\*\*Failed)' "$results/$1.log" | head -40
    echo "stage $1: FAILED (build/results/$1.log)"
    failed+=("$1")
  fi
}

if [ $# -gt 0 ]; then
  for stage in "$@"; do run "$stage"; done
else
  for stage in release blackbox clang asan; do run "$stage"; done
fi
[ ${#failed[@]} -eq 0 ] || { echo "failed stages: ${failed[*]}"; exit 1; }
