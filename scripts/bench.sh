#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the benchmarks beside their peers; prints one line per figure and the machine.
set -uo pipefail
cd "$(dirname "$0")/.."
code=0
lscpu | awk -F: '/Model name/ {gsub(/^ +/, "", $2); print "machine: " $2 ", " n " cores"} /^CPU\(s\)/ {n = $2 + 0}'
cmake --preset release -Wno-dev -DECP_BUILD_BENCH=ON > /dev/null && \
  cmake --build --preset release -j "$(nproc)" --target ecpd ecp-edge ecp_mosquitto_plugin ecp-swarm > /dev/null || exit 1
export ECP_BUILD=$PWD/build/release
for program in bench/footprint.py bench/latency.py bench/fleet.py; do
  /usr/bin/python3 "$program" || code=1
done
exit $code
