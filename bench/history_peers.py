# SPDX-License-Identifier: Apache-2.0
"""Other stores of values over time, filled with the same samples and asked for the same charts."""
import http.client
import json
import os
import pathlib
import time
import urllib.parse

from product import Process, free_port, wait_for
from report import peer_program

LINES_AT_ONCE = 200_000


def cpu_ms(process):
    """What a process has used of all processors."""
    fields = pathlib.Path(f"/proc/{process.child.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def octets_of(folder):
    """What its files take on the disk; what a file reserves and does not fill takes nothing."""
    return sum(path.stat().st_blocks * 512 for path in pathlib.Path(folder).rglob("*") if path.is_file())


class Peer:
    """A server on 127.0.0.1 with a folder of its own, spoken to over one connection."""

    def __init__(self, folder, arguments, ready_path):
        self.folder = folder
        self.process = Process(self.name, arguments, folder.parent).start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        wait_for(self.name, lambda: self.answers(ready_path), 30)

    def answers(self, path):
        assert self.process.running, self.process.text()[-2000:]
        try:
            return bool(self.call("GET", path, allow_empty=True))
        except OSError:
            self.connection.close()
            return False

    def call(self, method, path, body=None, allow_empty=False):
        self.connection.request(method, path, body)
        answer = self.connection.getresponse()
        text = answer.read()
        assert answer.status in (200, 204), f"{self.name}: {answer.status} {text[:500]}"
        return text or allow_empty

    def write(self, lines):
        """Store a file of line protocol, with times in milliseconds."""
        with open(lines, encoding="ascii") as file:
            while True:
                part = file.readlines(LINES_AT_ONCE * 50)
                if not part:
                    return
                self.call("POST", self.write_path, "".join(part), allow_empty=True)

    def stop(self):
        self.process.stop()


class VictoriaMetrics(Peer):
    name, package = "victoria-metrics", "victoria-metrics"
    write_path = "/write?precision=ms"

    def __init__(self, folder):
        self.port = free_port()
        arguments = [peer_program("P20", self.name, self.package), f"-storageDataPath={folder}",
                     f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=12", "-loggerLevel=ERROR",
                     "-search.latencyOffset=0s"]
        super().__init__(folder, arguments, "/health")

    def settle(self):
        self.call("GET", "/internal/force_flush", allow_empty=True)
        self.call("GET", "/internal/force_merge", allow_empty=True)
        time.sleep(5)

    def chart(self, tag, begin_ms, end_ms, points):
        """The answer: the mean alone, of each interval that ends at a step."""
        step = (end_ms - begin_ms) // points / 1000
        question = {"query": f'avg_over_time(furnace_value{{tag="{tag}"}}[{step}s])', "start": begin_ms / 1000 + step,
                    "end": end_ms / 1000, "step": f"{step}s", "nocache": "1"}
        return self.call("GET", "/api/v1/query_range?" + urllib.parse.urlencode(question))

    @staticmethod
    def points_in(answer):
        return len(json.loads(answer)["data"]["result"][0]["values"])


class InfluxDb(Peer):
    name, package = "influxd", "influxdb"
    write_path = "/write?db=bench&precision=ms"
    CONFIG = """reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
  cache-snapshot-write-cold-duration = "1s"
  compact-full-write-cold-duration = "2s"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  max-body-size = 0
"""

    def __init__(self, folder):
        self.port = free_port()
        config = folder.parent / "influxdb.conf"
        config.write_text(self.CONFIG.format(rpc=free_port(), folder=folder, port=self.port))
        program = peer_program("P20", self.name, self.package)
        super().__init__(folder, [program, "-config", config], "/ping")
        self.call("POST", "/query?" + urllib.parse.urlencode({"q": "CREATE DATABASE bench"}))

    def settle(self):
        """Wait until its shards are compacted: their size stays the same."""
        before, calm = -1, 0
        for _ in range(60):
            time.sleep(1)
            size = octets_of(self.folder)
            calm = calm + 1 if size == before else 0
            before = size
            if calm == 6:
                return

    def chart(self, tag, begin_ms, end_ms, points):
        """The answer: what ours has of each interval."""
        width = (end_ms - begin_ms) // points
        text = (f"SELECT min(value), max(value), mean(value), first(value), last(value), count(value) FROM furnace "
                f"WHERE \"tag\" = '{tag}' AND time >= {begin_ms}ms AND time < {end_ms}ms GROUP BY time({width}ms, "
                f"{begin_ms % width}ms) fill(none)")
        return self.call("GET", "/query?" + urllib.parse.urlencode({"db": "bench", "q": text}))

    @staticmethod
    def points_in(answer):
        return len(json.loads(answer)["results"][0]["series"][0]["values"])
