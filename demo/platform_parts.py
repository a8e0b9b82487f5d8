# SPDX-License-Identifier: Apache-2.0
"""The pieces that the demo starts and talks to: processes, a breakable link, a receiver, the API."""
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(what, condition, seconds, step=0.05):
    """Return the first true value of condition(); fail with what was awaited after some seconds."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        time.sleep(step)


class Process:
    """A child with its log in a file; ended by its own id."""

    def __init__(self, name, arguments, folder, environment=None):
        self.name, self.arguments = name, [str(argument) for argument in arguments]
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.environment = {**os.environ, **(environment or {})}
        self.child = None

    def start(self):
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment
            )
        return self

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def running(self):
        return self.child is not None and self.child.poll() is None

    def kill(self):
        if self.running:
            self.child.kill()
            self.child.wait()

    def stop(self, seconds=10):
        if not self.running:
            return
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()


class Relay:
    """A TCP relay on the way to one port, which can be cut and healed."""

    def __init__(self, target_port):
        self.target_port = target_port
        self.whole = True
        self.sockets = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self):
        """Drop what is open and everything that comes, without an answer."""
        self.whole = False
        with self.lock:
            sockets, self.sockets = self.sockets, set()
        for each in sockets:
            self._close(each)

    def heal(self):
        self.whole = True

    def close(self):
        self.cut()
        self.listener.close()

    @staticmethod
    def _close(each):
        try:
            each.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        each.close()

    def _accept(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            if not self.whole:
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
            except OSError:
                near.close()
                continue
            far.settimeout(None)
            for each in (near, far):
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.sockets |= {near, far}
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    def _pump(self, source, sink):
        try:
            while piece := source.recv(65536):
                sink.sendall(piece)
        except OSError:
            pass
        with self.lock:
            self.sockets -= {source, sink}
        self._close(source)
        self._close(sink)


class Receiver:
    """A webhook receiver that checks the signature of what it gets."""

    def __init__(self, secret):
        self.secret = secret.encode()
        self.notices = []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 20))
                timestamp = self.headers.get("X-ECP-Timestamp", "")
                wanted = hmac.new(receiver.secret, timestamp.encode() + b"." + body, hashlib.sha256)
                given = self.headers.get("X-ECP-Signature", "")
                signed = hmac.compare_digest(given, "sha256=" + wanted.hexdigest())
                receiver.notices.append(
                    {
                        "at": time.monotonic(),
                        "id": self.headers.get("X-ECP-Notification-Id"),
                        "signed": signed,
                        "body": json.loads(body),
                    }
                )
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def find(self, name, state, since=0.0):
        """The first signed notice of an alarm's name and state."""
        for notice in list(self.notices):
            body = notice["body"]
            if notice["at"] >= since and notice["signed"] and body["state"] == state:
                if body["name"] == name:
                    return notice
        return None

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Refused(Exception):
    """An answer that is no success."""

    def __init__(self, status, body):
        super().__init__(f"{status} {body.get('reason')}: {body.get('message')}")
        self.status, self.reason, self.body = status, body.get("reason"), body


class Api:
    """The REST API with one person's session."""

    def __init__(self, url, ca_file):
        self.url = url
        self.context = ssl.create_default_context(cafile=str(ca_file))
        self.token = self.refresh_token = None

    def log_in(self, email, password):
        """Begin a session that is refreshed when its access token has run out."""
        self._keep(self.post("/api/v1/session", {"email": email, "password": password}))
        return self

    def _keep(self, session):
        self.token, self.refresh_token = session["access_token"], session["refresh_token"]

    def call(self, method, path, body=None, headers=None, timeout=15):
        try:
            return self._call(method, path, body, headers, timeout)
        except Refused as refused:
            if refused.status != 401 or not self.refresh_token:
                raise
        refresh_token, self.token, self.refresh_token = self.refresh_token, None, None
        self._keep(self._call("POST", "/api/v1/session/refresh", {"refresh_token": refresh_token}, None, timeout))
        return self._call(method, path, body, headers, timeout)

    def _call(self, method, path, body, headers, timeout):
        request = urllib.request.Request(self.url + path, method=method)
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=timeout) as answer:
                content = answer.read()
                return json.loads(content) if content else None
        except urllib.error.HTTPError as error:
            content = error.read()
            try:
                refusal = json.loads(content)
            except ValueError:
                refusal = {"reason": "http", "message": content[:200].decode(errors="replace")}
            raise Refused(error.code, refusal) from None

    def get(self, path, **query):
        if query:
            path += "?" + urllib.parse.urlencode(query)
        return self.call("GET", path)

    def post(self, path, body):
        return self.call("POST", path, body)

    def items(self, path, **query):
        """All pages of a list."""
        found = []
        while True:
            page = self.get(path, limit=200, offset=len(found), **query)
            found += page["items"]
            if not page["items"] or len(found) >= page["total"]:
                return found
