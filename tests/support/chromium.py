"""Chromium without a window, over the DevTools protocol: what a page looks like, holds and asks for."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Browser", "Look", "browsing", "program"]

_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)
_TIMEOUT = 60
"""Seconds for one answer."""


def program() -> str | None:
    """The path of a Chromium or Chrome; None if none is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((path for path in map(shutil.which, names) if path), None)


class Look(NamedTuple):
    """How a page is looked at: pixels of the window's width, and "light" or "dark"."""

    width: int
    scheme: str


class Browser:
    """A running browser with one tab. Messages end with a NUL, on file descriptors 3 and 4 of the browser."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._left, self._number, self._session = b"", 0, ""
        self.requests: list[str] = []
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._ask(f"{domain}.enable")

    def open(self, page: Path, look: Look) -> None:
        """Load a page; `requests` then has the addresses that it asked for."""
        self.requests.clear()
        self._ask("Emulation.setDeviceMetricsOverride", width=look.width, height=900, deviceScaleFactor=1, mobile=False)
        self._ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": look.scheme}])
        self._ask("Page.navigate", url=page.resolve().as_uri())
        while self.evaluate("document.readyState") != "complete":
            pass

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript in the page, as JSON knows it."""
        answer = self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def tree(self) -> list[tuple[str, str]]:
        """The role and the name of all that a screen reader knows of the page."""
        nodes = self._ask("Accessibility.getFullAXTree")["nodes"]
        shown = (node for node in nodes if not node.get("ignored"))
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in shown]

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            code = {"Tab": 9, "Enter": 13}[key]
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            self._ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def picture(self) -> bytes:
        """The whole page as PNG."""
        answer = self._ask("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        return base64.b64decode(answer["data"])

    def _ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writing, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            read = os.read(self._reading, 1 << 16)
            assert read, "the browser has ended"
            self._left += read
        found, _, self._left = self._left.partition(b"\0")
        message: dict[str, Any] = json.loads(found)
        return message


@contextmanager
def browsing(chromium: str, profile: Path) -> Iterator[Browser]:
    """A browser that ends with the block. `profile` is a folder for its files."""
    (from_us, to_browser), (from_browser, to_us) = os.pipe(), os.pipe()

    def place() -> None:
        # Copies first: the pipes may lie on 3 and 4 themselves.
        reading, writing = os.dup(from_us), os.dup(to_us)
        os.dup2(reading, 3)
        os.dup2(writing, 4)

    running = subprocess.Popen(
        [chromium, *_OPTIONS, f"--user-data-dir={profile}"],
        preexec_fn=place,
        pass_fds=(3, 4, from_us, to_us),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(from_us)
    os.close(to_us)
    try:
        yield Browser(from_browser, to_browser)
    finally:
        running.terminate()
        running.wait(_TIMEOUT)
        os.close(to_browser)
        os.close(from_browser)
