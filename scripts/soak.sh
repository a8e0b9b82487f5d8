#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The long runs: 100 random kills, 10,000 agents over mutual TLS.
set -uo pipefail
cd "$(dirname "$0")/.."
export ECP_BUILD=$PWD/build/release
code=0
ECP_KILLS=${ECP_KILLS:-100} /usr/bin/python3 -m pytest -p no:cacheprovider -q -s tests/e2e/test_kills.py || code=1
cmake --preset release -Wno-dev -DECP_BUILD_BENCH=ON > /dev/null && cmake --build --preset release -j "$(nproc)" > /dev/null || exit 1
/usr/bin/python3 bench/fleet.py --agents "${ECP_AGENTS:-10000}" || code=1
exit $code
