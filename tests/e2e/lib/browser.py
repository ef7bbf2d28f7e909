"""Chromium without a screen, controlled over two pipes by its DevTools protocol."""

import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time
import unittest

from timing import seconds
from web import tool

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    """One page. Its console messages and its requests are kept."""

    def __init__(self):
        program = next(filter(None, map(tool, NAMES)), None)
        if program is None:
            raise unittest.SkipTest("there is no chromium (Debian's package of that name)")
        self.folder = tempfile.mkdtemp(prefix="kvcached-e2e-browser-")
        to_browser, self.to = os.pipe()
        self.of, of_browser = os.pipe()
        self.process = self.launch(program, to_browser, of_browser)
        os.close(to_browser)
        os.close(of_browser)
        self.buffer, self.number, self.session = b"", 0, None
        self.console, self.requests = [], []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target,
                                 flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def launch(self, program, reads, writes):
        def descriptors():
            one, other = os.dup(reads), os.dup(writes)
            os.dup2(one, 3)
            os.dup2(other, 4)
        return subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--disable-background-networking", "--disable-component-update", "--no-first-run",
             f"--user-data-dir={self.folder}", "about:blank"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False,
            preexec_fn=descriptors, env=dict(os.environ, TMPDIR=self.folder))

    def close(self):
        os.close(self.to)
        os.close(self.of)
        self.process.terminate()
        try:
            self.process.wait(seconds(10))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def message(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.of], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError("the browser says nothing")
            piece = os.read(self.of, 1 << 16)
            if not piece:
                raise AssertionError("the browser is gone")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def note(self, message):
        method, told = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled":
            self.console.append(str(told["args"]))
        elif method == "Runtime.exceptionThrown":
            self.console.append(str(told["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.console.append(told["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])

    def call(self, method, **told):
        self.number += 1
        wanted = {"id": self.number, "method": method, "params": told}
        if self.session:
            wanted["sessionId"] = self.session
        os.write(self.to, json.dumps(wanted).encode() + b"\0")
        deadline = time.monotonic() + seconds(30)
        while True:
            message = self.message(deadline)
            if message.get("id") == self.number:
                if "error" in message:
                    raise AssertionError(f"{method}: {message['error']}")
                return message["result"]
            self.note(message)

    def open(self, url, width=1250, height=900, dark=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.call("Page.navigate", url=url)
        self.wait(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def ask(self, expression):
        """The result of JavaScript."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise AssertionError(found["exceptionDetails"])
        return found["result"].get("value")

    def wait(self, expression, timeout=20):
        deadline = time.monotonic() + seconds(timeout)
        while not (found := self.ask(expression)):
            if time.monotonic() > deadline:
                raise AssertionError(f"never came about: {expression}; {self.console} "
                                     f"{self.ask('document.body.innerText')}")
            time.sleep(0.05)
        return found

    def picture(self, path):
        data = self.call("Page.captureScreenshot", captureBeyondViewport=False)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))
