"""Chromium without a window, driven over the DevTools protocol: pages are opened, keys are pressed, pictures taken."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 20.0  # seconds, for a first compilation
KEYS = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowRight": 39, "ArrowLeft": 37, "Space": 32}


def found() -> str | None:
    """Where a Chromium is on this machine."""
    return next((place for name in NAMES if (place := shutil.which(name))), None)


class Tab:
    """One page.

    Attributes:
        asked: Addresses that the page asked for.
        told: What scripts wrote to the console, and what the page's rules kept from loading.
    """

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self._count = 0
        self.asked: list[str] = []
        self.told: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.do(f"{domain}.enable")

    def do(self, method: str, **given: Any) -> dict[str, Any]:
        """A command of the protocol; its result."""
        self._count += 1
        self._line.send(json.dumps({"id": self._count, "method": method, "params": given}))
        while True:
            message = json.loads(self._line.recv(timeout=PATIENCE))
            if message.get("id") == self._count:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self._heard(message)

    def _heard(self, message: dict[str, Any]) -> None:
        method, given = message.get("method"), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.asked.append(given["request"]["url"])
        elif method == "Log.entryAdded":
            self.told.append(given["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.told.append(given["exceptionDetails"]["text"])

    def size(self, width: int, height: int, phone: bool = False, scale: float = 1.0) -> None:
        """How large the page is shown."""
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale, mobile=phone)

    def open(self, address: str) -> None:
        """Go to an address."""
        self.do("Page.navigate", url=address)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")
        self.settled()

    def arrived(self, part: str) -> None:
        """Wait for the page whose path and query have this part; the address changes before the page is there."""
        self.until(f"(location.pathname + location.search).includes('{part}')")
        self.settled()

    def settled(self) -> None:
        """Wait for what is being made ready."""
        self.until("document.readyState === 'complete' && !document.querySelector('meta[http-equiv=refresh]')")

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        told = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + PATIENCE
        while True:
            with contextlib.suppress(AssertionError):  # the page is being replaced
                if self.run(f"!!({script})"):
                    return
            assert time.monotonic() < end, f"waited too long for {script}; the page says {self.text()[:600]}"
            time.sleep(0.05)

    def text(self) -> str:
        """The words on the page."""
        return str(self.run("document.body ? document.body.innerText : ''"))

    def press(self, key: str, shift: bool = False) -> None:
        """Press a key."""
        given: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": 8 * shift}
        words = {"Enter": "\r", "Space": " "}.get(key)
        if words:
            given["text"] = words
        self.do("Input.dispatchKeyEvent", type="keyDown", **given)
        self.do("Input.dispatchKeyEvent", type="keyUp", **given)

    def write(self, words: str) -> None:
        """Write where the focus is."""
        self.do("Input.insertText", text=words)

    def focus(self) -> str:
        """What has the focus: its name, or its words."""
        return str(self.run("(e => e.name || e.id || e.textContent.trim())(document.activeElement)"))

    def tab_to(self, what: str, most: int = 120) -> None:
        """Press Tab until something has the focus."""
        for _ in range(most):
            if self.focus() == what:
                return
            self.press("Tab")
        raise AssertionError(f"Tab does not reach {what!r}; it stands at {self.focus()!r}; {self.text()[:300]}")

    def click(self, selector: str) -> None:
        """Click on what a selector finds first."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")

    def tap(self, selector: str) -> None:
        """Touch what a selector finds first, where it stands on the screen."""
        self.do("Emulation.setTouchEmulationEnabled", enabled=True)
        box = "(r => [r.left + r.width / 2, r.top + r.height / 2])"
        x, y = self.run(f"{box}(document.querySelector({json.dumps(selector)}).getBoundingClientRect())")
        self.do("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.do("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def picture(self, path: Path, whole: bool = True) -> None:
        """Take a picture of the page, as PNG."""
        told = self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(told["data"]))

    def height(self) -> int:
        """How tall the page is."""
        return int(self.run("document.documentElement.scrollHeight"))


class Chrome:
    """A running browser.

    Args:
        place: Its program.
    """

    def __init__(self, place: str) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        flags = [
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
            "--disable-background-networking", "--disable-extensions", "--hide-scrollbars", "--no-proxy-server",
            "--remote-debugging-port=0", f"--user-data-dir={self._folder.name}", "about:blank",
        ]  # fmt: skip
        self._process = subprocess.Popen([place, *flags], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port = Path(self._folder.name) / "DevToolsActivePort"
        end = time.monotonic() + PATIENCE
        while not (port.is_file() and port.read_text().strip()):
            assert self._process.poll() is None and time.monotonic() < end, "Chromium does not start"
            time.sleep(0.05)
        self._port = port.read_text().split()[0]
        self._lines = contextlib.ExitStack()

    def tab(self, width: int = 1100, height: int = 800, phone: bool = False) -> Tab:
        """A new page in a browser of its own: without cookies of the others."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/json/version") as reply:
            whole = json.load(reply)["webSocketDebuggerUrl"]
        line = self._lines.enter_context(connect(whole, proxy=None, max_size=None))

        def ask(number: int, method: str, **given: Any) -> Any:
            line.send(json.dumps({"id": number, "method": method, "params": given}))
            while (message := json.loads(line.recv(timeout=PATIENCE))).get("id") != number:
                pass
            return message["result"]

        own = ask(1, "Target.createBrowserContext")["browserContextId"]
        target = ask(2, "Target.createTarget", url="about:blank", browserContextId=own)["targetId"]
        address = f"ws://127.0.0.1:{self._port}/devtools/page/{target}"
        tab = Tab(self._lines.enter_context(connect(address, proxy=None, max_size=None)))
        tab.size(width, height, phone)
        return tab

    def close(self) -> None:
        """End it."""
        self._lines.close()
        self._process.terminate()
        self._process.wait(20)
        self._folder.cleanup()


@contextlib.contextmanager
def running(place: str) -> Iterator[Chrome]:
    """A browser until the block ends."""
    browser = Chrome(place)
    try:
        yield browser
    finally:
        browser.close()
