# SPDX-License-Identifier: Apache-2.0
"""Headless Chromium through the W3C WebDriver protocol, as little of it as the tests need."""
import base64
import json
import pathlib
import subprocess
import tempfile
import urllib.request

from platform_parts import free_port, wait_for

AXE = pathlib.Path(__file__).resolve().parents[2] / "apps" / "console" / "node_modules" / "axe-core" / "axe.min.js"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # The protocol's name for an element reference.


class Browser:
    def __init__(self, width=1280, height=800, language="en-US"):
        self.port = free_port()
        self.driver = subprocess.Popen(
            ["chromedriver", f"--port={self.port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.profile = tempfile.TemporaryDirectory(prefix="ecp-browser-")
        wait_for("chromedriver", self._ready, 20)
        arguments = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", f"--user-data-dir={self.profile.name}",
            f"--window-size={width},{height}",
        ]
        options = {
            "goog:chromeOptions": {
                "args": arguments, "binary": "/usr/bin/chromium", "prefs": {"intl.accept_languages": language},
            },
            "goog:loggingPrefs": {"browser": "ALL"},
            # The page's certificate comes from an authority that only this test knows.
            "acceptInsecureCerts": True,
        }
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": options}})
        self.session = f"/session/{answer['sessionId']}"

    def _ready(self):
        try:
            return self._call("GET", "/status")["ready"]
        except OSError:
            return False

    def _call(self, method, path, body=None):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())["value"]

    def open(self, url):
        self._call("POST", self.session + "/url", {"url": url})

    def run(self, script, *arguments):
        return self._call("POST", self.session + "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, selector):
        return self.run("return document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def find(self, selector):
        found = self._call("POST", self.session + "/element", {"using": "css selector", "value": selector})
        return f"{self.session}/element/{found[ELEMENT]}"

    def type(self, selector, text):
        element = self.find(selector)
        self._call("POST", element + "/clear", {})
        self._call("POST", element + "/value", {"text": text})

    def click(self, selector):
        self._call("POST", self.find(selector) + "/click", {})

    def choose(self, selector, value):
        """Choose an option of a select, as a person does."""
        self.run(
            "const at = document.querySelector(arguments[0]); at.value = arguments[1];"
            "at.dispatchEvent(new Event('change', {bubbles: true}))", selector, value,
        )

    def press(self, key):
        """Press one key where the focus is."""
        active = self._call("GET", self.session + "/element/active")
        self._call("POST", f"{self.session}/element/{active[ELEMENT]}/value", {"text": key})

    def devtools(self, command, **parameters):
        return self._call("POST", self.session + "/goog/cdp/execute", {"cmd": command, "params": parameters})

    def prefer(self, **features):
        """What the system wishes: prefer(color_scheme="dark", reduced_motion="reduce")."""
        wishes = [{"name": "prefers-" + name.replace("_", "-"), "value": value} for name, value in features.items()]
        self.devtools("Emulation.setEmulatedMedia", features=wishes)

    def resize(self, width, height):
        """Of the page itself, also below what a window can be."""
        self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def findings(self):
        """What axe finds wrong with the page as it is: (impact, rule, element) each."""
        if self.devtools("Runtime.evaluate", expression="typeof axe")["result"]["value"] == "undefined":
            self.devtools("Runtime.evaluate", expression=AXE.read_text())
        answer = self.devtools(
            "Runtime.evaluate", expression="axe.run().then(found => JSON.stringify(found.violations))",
            awaitPromise=True, returnByValue=True,
        )
        return [
            (rule["impact"], rule["id"], node["target"][0], node["failureSummary"])
            for rule in json.loads(answer["result"]["value"]) for node in rule["nodes"]
        ]

    def picture(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self._call("GET", self.session + "/screenshot")))

    def complaints(self):
        """What the console says in earnest: script errors, and refusals by the content policy."""
        entries = self._call("POST", self.session + "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def close(self):
        try:
            self._call("DELETE", self.session)
        finally:
            self.driver.terminate()
            self.driver.wait(10)
            self.profile.cleanup()
