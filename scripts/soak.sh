#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The long runs: 100 random kills (ECP_KILLS), 10,000 seeds of the simulation (ECP_SEEDS), changed
# data tags, recovery of 100 agents, 10,000 agents over mutual TLS (ECP_AGENTS): steady, in a storm of
# reconnects; 5,000 that blast; the wire of a node with a heartbeat of 300 s; at last all tests under
# the thread sanitizer.
set -uo pipefail
cd "$(dirname "$0")/.."
code=0
if [ -z "${ECP_BUILD:-}" ]; then
  cmake --preset release -Wno-dev -DECP_BUILD_BENCH=ON >/dev/null && \
    cmake --build --preset release -j "$(nproc)" >/dev/null || exit 1
  export ECP_BUILD=$PWD/build/release
fi
ECP_KILLS=${ECP_KILLS:-100} /usr/bin/python3 -m pytest -p no:cacheprovider -q -s tests/e2e/test_kills.py || code=1
TMPDIR=$([ -d /dev/shm ] && echo /dev/shm || echo /tmp) "$ECP_BUILD/tests/bin/ecp-sim" "${ECP_SEEDS:-10000}" || code=1
/usr/bin/python3 bench/configuration.py || code=1
/usr/bin/python3 bench/fleet.py --agents 100 --recovery-only || code=1
/usr/bin/python3 bench/fleet.py --agents "${ECP_AGENTS:-10000}" || code=1
/usr/bin/python3 bench/ingest.py || code=1
/usr/bin/python3 bench/storm.py --agents "${ECP_AGENTS:-10000}" || code=1
/usr/bin/python3 bench/wire.py --heartbeat 300 --seconds 1210 || code=1
scripts/run-tests.sh tsan || code=1
exit $code
