"""What the tests of sources share: a model to fetch, a web server and an npm registry on this machine."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import tarfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.support.places import MANIFESTS

DIGITS = MANIFESTS / "models" / "digits"


@pytest.fixture
def digits() -> Path:
    """The folder of a model in two shards."""
    return DIGITS


@dataclass
class Server:
    """A web server for a folder.

    `asked` are the paths that were asked for, `answers` those of files with the status of the answer. `validators` are
    the headers by which a file is known to be the same. `always` is the status of every answer.
    """

    folder: Path
    url: str
    asked: list[str] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)
    validators: tuple[str, ...] = ("Last-Modified",)
    always: int = 0


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, *arguments: Any, site: Server, **keywords: Any) -> None:
        self.site = site
        super().__init__(*arguments, **keywords)

    def do_GET(self) -> None:
        self.site.asked.append(self.path)
        if self.path.startswith("/elsewhere/"):
            self.send_response(302)
            self.send_header("Location", "http://example.invalid/model.json")
            self.end_headers()
        elif self.path.startswith("/short/"):
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"{}")
        elif self.site.always or self._is_the_same():
            self.send_response(self.site.always or 304)
            self.end_headers()
        else:
            super().do_GET()

    def _is_the_same(self) -> bool:
        return self._tag() is not None and self.headers.get("If-None-Match") == self._tag()

    def _tag(self) -> str | None:
        path = Path(self.translate_path(self.path))
        if "ETag" not in self.site.validators or not path.is_file():
            return None
        return f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"'

    def send_response(self, code: int, message: str | None = None) -> None:
        self.site.answers.append((self.path, int(code)))
        super().send_response(code, message)

    def send_header(self, keyword: str, value: str) -> None:
        if keyword != "Last-Modified" or keyword in self.site.validators:
            super().send_header(keyword, value)

    def end_headers(self) -> None:
        if self._tag():
            self.send_header("ETag", self._tag())
        super().end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    site = Server(tmp_path / "www", "")
    site.folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(site.folder), site=site)) as running:
        site.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield site
        running.shutdown()
        thread.join()


@pytest.fixture
def registry(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A registry with one package, `@tiny/digits@1.0.0`, that the real npm is set to use."""
    package = tmp_path / "package"
    shutil.copytree(DIGITS, package / "model")
    (package / "package.json").write_text(json.dumps({"name": "@tiny/digits", "version": "1.0.0"}))
    tarball = server.folder / "digits-1.0.0.tgz"
    with tarfile.open(tarball, "w:gz") as archive:
        archive.add(package, "package")
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    dist = {"tarball": f"{server.url}/{tarball.name}", "integrity": integrity}
    version = {"name": "@tiny/digits", "version": "1.0.0", "dist": dist}
    (server.folder / "@tiny").mkdir()
    (server.folder / "@tiny" / "digits").write_text(
        json.dumps({"name": "@tiny/digits", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}})
    )
    # npm asks for /@tiny%2fdigits, which the server reads as a path.
    monkeypatch.setenv("npm_config_registry", server.url)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    return server
