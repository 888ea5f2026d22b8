"""A composed signature in a real browser: Chromium without a window, and TensorFlow.js with its WASM backend."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any, NamedTuple

import numpy as np

from bundler import runtimes
from bundler.compose.names import Ref
from bundler.compose.plan import Act, Plan

__all__ = ["Shown", "acts", "shown"]

OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
    *("--disable-component-update", "--disable-sync", "--disable-extensions"),
)
PAGE = Path(__file__).with_name("page.html")
STEPS = Path(runtimes.__file__).with_name("steps.js")


class Shown(NamedTuple):
    """What a browser shows: its name, the backend, and the outputs."""

    browser: str
    backend: str
    outputs: Mapping[str, np.ndarray]


def shown(chromium: str, modules: Path, files: Mapping[str, bytes | Path], folder: Path) -> Shown:
    """What the page gives for `/plan`, `/image` and models among `files`, by path. Raises AssertionError."""
    tfjs = modules / "@tensorflow"
    served = {"/": PAGE, "/steps.js": STEPS, **files}
    folders = {"/tfjs/": tfjs / "tfjs" / "dist", "/wasm/": tfjs / "tfjs-backend-wasm" / "dist"}
    with _serving(served, folders) as (port, results):
        command = [chromium, *OPTIONS, f"--user-data-dir={folder}", f"http://127.0.0.1:{port}/"]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
            try:
                said = results.get(timeout=240)
            finally:
                browser.kill()
    assert "error" not in said, said
    outputs = {name: np.array(each["values"]).reshape(each["shape"]) for name, each in said["outputs"].items()}
    return Shown(said["browser"], said["backend"], outputs)


@contextmanager
def _serving(files: Mapping[str, bytes | Path], folders: Mapping[str, Path]) -> Iterator[tuple[int, Queue[Any]]]:
    results = Queue[Any]()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path) or next(
                (
                    folder / self.path.removeprefix(start)
                    for start, folder in folders.items()
                    if self.path.startswith(start)
                ),
                Path("/nowhere"),
            )
            content = found if isinstance(found, bytes) else found.read_bytes() if found.is_file() else None
            self.send_response(404 if content is None else 200)
            kinds = {".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html"}
            suffix = found.suffix if isinstance(found, Path) else ""
            self.send_header("Content-Type", kinds.get(suffix, "application/octet-stream"))
            self.end_headers()
            self.wfile.write(content or b"")

        def do_POST(self) -> None:
            results.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], results
    finally:
        server.shutdown()


def acts(plan: Plan, called: Mapping[str, Mapping[str, Any]]) -> bytes:
    """The plan for the page. `called` has entry, inputs and outputs of a model in TensorFlow.js, by signature."""
    listed = [_act(act, called) for act in plan.acts]
    return json.dumps({"acts": listed, "outputs": {name: _key(ref) for name, ref in plan.outputs.items()}}).encode()


def _act(act: Act, called: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    key = getattr(act.step, "call", None)
    own = called[key] if key else None
    return {
        "step": act.step.model_dump(mode="json", by_alias=True),
        "reads": [_key(ref) for ref in act.reads],
        "like": None if act.like is None else _key(act.like),
        "called": own
        and {
            "entry": own["entry"],
            "inputs": [own["inputs"][name] for name in act.inputs],
            "outputs": [own["outputs"][name] for name in act.outputs],
        },
    }


def _key(ref: Ref) -> str:
    return f"{ref.step}:{ref.at}"
