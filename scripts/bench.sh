#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the benchmarks beside their peers; prints one line per figure. ECP_BENCH_AGENTS (1000) sets
# the size of the fleet; ECP_BENCH_NODE_RED=0 spares the download of Node-RED from npm.
set -uo pipefail
cd "$(dirname "$0")/.."
code=0
scripts/setup.sh bench || echo "setup: some peers could not be installed"

peers=$PWD/build/peers
export ECP_NODE_RED=$peers/node_modules/node-red/red.js
if [ ! -e "$ECP_NODE_RED" ] && [ "${ECP_BENCH_NODE_RED:-1}" != 0 ]; then
  mkdir -p "$peers"
  timeout 60 npm install --prefix "$peers" --ignore-scripts --no-audit --no-fund --silent node-red@4 \
    >/dev/null 2>&1 || rm -rf "$peers"  # Half of it is none of it.
fi

if [ -z "${ECP_BUILD:-}" ]; then
  cmake --preset release -Wno-dev -DECP_BUILD_BENCH=ON >/dev/null && \
    cmake --build --preset release -j "$(nproc)" \
      --target ecpd ecp-edge ecp_mosquitto_plugin ecp-swarm ecp-raw-rollout ecp-bare-subscriber \
      ecp-poll-jitter ecp-history \
      >/dev/null || exit 1
  export ECP_BUILD=$PWD/build/release
fi
echo "build: $ECP_BUILD"
export ECP_BENCH_STEADY_S=${ECP_BENCH_STEADY_S:-30}
wire_says=$(mktemp)  # Octets do not depend on what else runs; five minutes of an idle node take their time.
/usr/bin/python3 bench/wire.py >"$wire_says" &
wire=$!
jitter=$(find "$ECP_BUILD" -type f -name ecp-poll-jitter -print -quit)
"${jitter:-ecp-poll-jitter}" || code=1
/usr/bin/python3 bench/footprint.py || code=1
/usr/bin/python3 bench/latency.py || code=1
/usr/bin/python3 bench/write.py || code=1
/usr/bin/python3 bench/configuration.py || code=1
/usr/bin/python3 bench/history.py || code=1
/usr/bin/python3 bench/fleet.py --agents "${ECP_BENCH_AGENTS:-1000}" || code=1
/usr/bin/python3 bench/ingest.py --sessions 1000 --messages 100000 || code=1
/usr/bin/python3 bench/storm.py --agents "${ECP_BENCH_AGENTS:-1000}" --pairs 1 || code=1
wait "$wire" || code=1
cat "$wire_says"
rm -f "$wire_says"
exit $code
