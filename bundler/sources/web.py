"""Models on the web: a model.json with the shards beside it, or an archive."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from bundler import artifact
from bundler.errors import SourceError, within
from bundler.progress import Progress
from bundler.sources import archive
from bundler.sources.cache import Cache

__all__ = ["find"]

_TIMEOUT = 60
"""Seconds without a byte."""
_CHUNK = 1 << 18
_USER_AGENT = "bundler"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")

_HINTS = {
    401: "it asks for a login: download the model, and name the folder",
    403: "it may ask for a login: download the model, and name the folder",
    404: "open the address in a browser: is it the model's?",
}
_OTHER_HINT = "is this machine online? Proxies are read from HTTPS_PROXY"


def find(source: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """The model at `https://…/model.json`, or `https://…/archive.zip#path/inside`.

    What an address gave once is kept: a model that changes needs a new address.
    """
    with within(source):
        url, inside, name = _parse(source)
        _refuse_insecure(url)
        if archive.is_archive(name):
            return archive.locate(cache.get(url, lambda folder: _fetch_archive(url, folder, progress)), inside)
        if not name.lower().endswith(".json"):
            raise SourceError("is no model", found=repr(name), expected="an address that ends in .json, .zip or .tgz")
        return cache.get(url, lambda folder: _fetch_model(url, folder / name, progress)) / name


def _fetch_archive(url: str, folder: Path, progress: Progress) -> None:
    path = folder.with_name("archive")
    _download(url, path, progress)
    archive.unpack(path, folder)


def _fetch_model(url: str, entry: Path, progress: Progress) -> None:
    _download(url, entry, progress)
    _, groups = artifact.read_entry(entry)
    for name in dict.fromkeys(name for group in groups for name in group):
        path = entry.parent / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(_beside(url, name), path, progress)


def _beside(url: str, name: str) -> str:
    """The address of a shard, as browsers read it; a query of the model's own is not handed on."""
    folder = urljoin(url, ".")
    return folder + quote(name, safe="/%?&=+,;:@!$'()*~")


def _parse(source: str) -> tuple[str, str, str]:
    """The address, the path inside what it gives, and the name of the file that it gives."""
    try:
        url, inside = urldefrag(source)
        name = unquote(PurePosixPath(urlsplit(url).path).name)
    except ValueError as error:
        raise SourceError("is no address", found=str(error)) from error
    if not artifact.is_inside(name) or "/" in name:
        raise SourceError("is no address of a file", found=repr(name))
    return url, inside, name


def _refuse_insecure(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise SourceError(
            "anyone on the way could change the model",
            found=f"{parts.scheme}://",
            expected="https://",
            hint="use https://",
        )


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but none from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _refuse_insecure(newurl)
        except SourceError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, path: Path, progress: Progress) -> None:
    request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})
    try:
        with urllib.request.build_opener(_SecureRedirects).open(request, timeout=_TIMEOUT) as response:
            _save(response, path, url, progress)
    except urllib.error.HTTPError as error:
        error.close()
        found = f"{error.code} {error.reason}"
        raise _unreachable(url, found, _HINTS.get(error.code, "")) from error
    except urllib.error.URLError as error:
        raise _unreachable(url, str(error.reason), _OTHER_HINT) from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(url, str(error) or type(error).__name__, _OTHER_HINT) from error


def _save(response: http.client.HTTPResponse, path: Path, url: str, progress: Progress) -> None:
    total, done = response.length, 0
    progress.start(url, total)
    try:
        with path.open("wb") as file:
            while chunk := response.read(_CHUNK):
                done += file.write(chunk)
                progress.advance(len(chunk))
    finally:
        progress.finish()
    # Read in pieces, a connection that broke looks like one that is done.
    if total is not None and done != total:
        raise _unreachable(url, f"{done} bytes of {total}", "try again")


def _unreachable(url: str, found: str, hint: str) -> SourceError:
    return SourceError(f"cannot fetch {url}", found=found, hint=hint)
