#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building, testing and the demo need from Debian's packages; does nothing when all is
# there. Run as root or as a user with sudo. Usage: scripts/setup.sh [build|test|bench]  (default: test)
set -euo pipefail

build=(g++ cmake ninja-build make pkg-config git ca-certificates ccache
  libasio-dev libfmt-dev libyaml-cpp-dev rapidjson-dev libmosquitto-dev mosquitto-dev mosquitto
  doctest-dev libboost-dev libcurl4-openssl-dev libsqlite3-dev libpq-dev libsodium-dev libssl-dev
  python3 python3-dev pybind11-dev python3-pymodbus python3-serial python3-serial-asyncio openssl)
test=(clang-14 clang-tidy-14 clang-format-14 postgresql-15 python3-pytest chromium chromium-driver
  python3-yaml jq curl sqlite3 libmodbus-dev procps iproute2 libfaketime fonts-wqy-microhei
  systemd python3-matplotlib mypy)
bench=(collectd-core libmodbus5 binutils nftables victoria-metrics influxdb)  # Peers of the benchmarks.

wanted=("${build[@]}")
case "${1:-test}" in
  test) wanted+=("${test[@]}") ;;
  bench) wanted+=("${bench[@]}") ;;
esac
# Node.js by any means is good enough for the page; Debian's own is used when there is none.
command -v npm >/dev/null || wanted+=(nodejs npm)

missing=()
for package in "${wanted[@]}"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run as root, or install sudo" >&2; exit 1; }
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

# A peer is started by a benchmark alone, never by the machine.
for peer in collectd-core:collectd victoria-metrics:victoria-metrics influxdb:influxdb; do
  [[ " ${missing[*]} " == *" ${peer%:*} "* ]] && command -v systemctl >/dev/null || continue
  "${as_root[@]}" systemctl --quiet disable --now "${peer#*:}" 2>/dev/null || true
done
