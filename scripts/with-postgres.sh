#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs a command with a private PostgreSQL of its own, named by ECP_TEST_POSTGRES:
#   scripts/with-postgres.sh ctest --preset dev
# The cluster lives in a temporary folder, listens on 127.0.0.1 and a unix socket there, and is
# gone afterwards. The command's code is returned.
set -eu

if [ $# -eq 0 ]; then
  echo "usage: $0 COMMAND [ARGUMENT...]" >&2
  exit 2
fi

bin=${ECP_POSTGRES_BIN:-}
for folder in /usr/lib/postgresql/*/bin; do
  [ -n "$bin" ] || [ ! -x "$folder/initdb" ] || bin=$folder
done
if [ -z "$bin" ]; then
  echo "$0: no PostgreSQL server found; install Debian's postgresql-15" >&2
  exit 127
fi

# PostgreSQL refuses to run as root. setpriv becomes what it runs, so the server's pid is ours.
as_owner=
if [ "$(id -u)" -eq 0 ]; then
  as_owner="setpriv --reuid postgres --regid postgres --init-groups"
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/ecp-postgres-XXXXXX")
server=
clean_up() {
  if [ -n "$server" ] && kill -INT "$server" 2>/dev/null; then
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
[ -z "$as_owner" ] || chown postgres "$folder"

cd "$folder"
if ! LC_ALL=C $as_owner "$bin/initdb" --pgdata="$folder/data" --username=ecp --auth=trust \
  --encoding=UTF8 --locale=C --no-sync >initdb.log 2>&1; then
  cat initdb.log >&2
  exit 1
fi
cd - >/dev/null

port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')

# Settings for speed are safe here: the content does not outlive the command.
LC_ALL=C $as_owner "$bin/postgres" -D "$folder/data" -p "$port" \
  -c listen_addresses=127.0.0.1 -c unix_socket_directories="$folder" \
  -c fsync=off -c full_page_writes=off -c max_connections=200 \
  -c log_min_messages=fatal >"$folder/server.log" 2>&1 </dev/null &
server=$!

tries=0
until "$bin/pg_isready" -q -h 127.0.0.1 -p "$port"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
    echo "$0: the PostgreSQL server did not start:" >&2
    cat "$folder/server.log" >&2
    exit 1
  fi
  sleep 0.1
done

ECP_TEST_POSTGRES="postgresql://ecp@127.0.0.1:$port/postgres"
export ECP_TEST_POSTGRES
code=0
"$@" || code=$?
exit "$code"
