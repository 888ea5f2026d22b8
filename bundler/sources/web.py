"""Models on the web: a model.json with the shards beside it, or an archive."""

from __future__ import annotations

import http.client
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO, Any
from urllib.parse import quote, unquote, urldefrag, urljoin, urlsplit

from bundler.artifacts import artifact, document, foreign
from bundler.artifacts.early import MANIFEST
from bundler.disk import files
from bundler.disk.cache import Cache
from bundler.errors import SourceError, within
from bundler.progress import Progress
from bundler.sources import archive, limits, pace
from bundler.sources.expected import weight_bytes
from bundler.sources.listing import Tree
from bundler.sources.pace import Pace, TooMuch

__all__ = ["find", "tree"]

_CHUNK = 1 << 18
_USER_AGENT = "bundler"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_SLACK = 1 << 16
"""Bytes that gzip may add to a group of weights, besides a hundredth; each shard may add as many."""
_ADDRESS = 300
"""Characters of an address that an error shows."""
_REASON = 200
"""Characters of a server's message that an error shows."""

_HINTS = {
    401: "it asks for a login: download the model, and name the folder",
    403: "it may ask for a login: download the model, and name the folder",
    404: "open the address in a browser: is it the model's?",
}
_OTHER_HINT = "is this machine online? Proxies are read from HTTPS_PROXY"


def find(source: str, base: Path, cache: Cache, progress: Progress) -> Path:
    """The model at `https://…/model.json`, or `https://…/archive.zip#path/inside`.

    The files of an address are kept: a model that changes needs a new address.
    """
    with within(_shown(source)):
        url, inside, name = _parse(source)
        _refuse_insecure(url)
        if archive.is_archive(name):
            return archive.locate(cache.get(url, lambda folder: _fetch_archive(url, folder, progress)), inside)
        if not name.lower().endswith((".json", ".pb")):
            raise _no_model(url, name)
        return cache.get(url, lambda folder: _fetch_model(url, folder / name, progress)) / name


def tree(source: str, base: Path, cache: Cache, progress: Progress) -> Tree | None:
    """The archive at an address; None for any other, which is one model."""
    with within(_shown(source)):
        url, inside, name = _parse(source)
        _refuse_insecure(url)
        if not archive.is_archive(name):
            return None
        return Tree(cache.get(url, lambda folder: _fetch_archive(url, folder, progress)), inside, f"{url}#")


def _fetch_archive(url: str, folder: Path, progress: Progress) -> None:
    path = folder.with_name("archive")
    _Downloads(progress).get(url, path, limits.MAX_BYTES)
    archive.unpack(path, folder)


def _fetch_model(url: str, entry: Path, progress: Progress) -> None:
    downloads = _Downloads(progress)
    downloads.get(url, entry, document.MAX_BYTES)
    if entry.suffix.lower() == ".pb":
        downloads.get(_beside(url, MANIFEST), entry.with_name(MANIFEST), document.MAX_BYTES)
    with _naming_files(entry.parent):
        model = artifact.read_entry(entry)
    names = set(model.shards)
    if len(names) > limits.MAX_SHARDS:
        raise SourceError("has too many shards", found=f"{len(names):,}", expected=f"at most {limits.MAX_SHARDS:,}")
    left = limits.MAX_BYTES
    for shards, weights in zip(model.groups, model.document.get("weightsManifest") or ()):
        most = _most(weights, len(shards), left)
        for name in dict.fromkeys(shards):
            if name in names:
                names.remove(name)
                size = downloads.get(_beside(url, name), _room(entry.parent, name), most)
                left, most = left - size, most - size


@contextmanager
def _naming_files(folder: Path) -> Iterator[None]:
    """In faults, drop the folder of files: it is temporary."""
    try:
        yield
    except SourceError as error:
        inside = f"{folder}{os.sep}"
        error.faults = tuple(replace(fault, where=fault.where.removeprefix(inside)) for fault in error.faults)
        raise


def _no_model(url: str, name: str) -> SourceError:
    kind = foreign.of_address(url, name)
    if kind is not None:
        return SourceError(kind.what, hint=kind.hint)
    return SourceError("is no model", found=repr(name), expected="an address that ends in .json, .pb, .zip or .tgz")


def _most(weights: Mapping[str, Any], shards: int, left: int) -> int:
    """The bytes that the shards of a group of weights may have together, gzip'ed or not."""
    needed = weight_bytes(weights)
    return left if needed is None else min(left, needed + needed // 100 + _SLACK * (1 + shards))


def _room(folder: Path, name: str) -> Path:
    """The path of a shard; its folder exists then."""
    path = folder / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SourceError(f"the shard {files.spelled(name)} cannot be written", found=files.reason(error)) from error
    return path


def _beside(url: str, name: str) -> str:
    """The address of a shard, as browsers resolve it; the query of the model's address is dropped."""
    folder = urljoin(url, ".")
    return folder + quote(os.fsencode(name), safe="/%?&=+,;:@!$'()*~")


def _parse(source: str) -> tuple[str, str, str]:
    """The address of a file, the path inside that file if it is an archive, and the file's name."""
    try:
        source.encode()
        url, inside = urldefrag(source)
        parts = urlsplit(url)
        name = unquote(PurePosixPath(parts.path).name)
        _ = parts.port
    except ValueError:  # its message may have a part of a password
        raise SourceError("is no address") from None
    if not parts.hostname:
        raise SourceError("is no address", found="no host")
    if not files.is_safe(name) or "/" in name:
        raise SourceError("is no address of a file", found=files.spelled(name))
    return url, inside, name


def _shown(address: str) -> str:
    """An address as an error shows it: without a login, and cut if it is long."""
    safe = re.sub("//[^/?#]*@", "//…@", address)
    return safe if len(safe) <= _ADDRESS else f"{safe[:_ADDRESS]}…"


def _refuse_insecure(url: str) -> None:
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise SourceError("an address with a login is not fetched", hint="download the model, and name the folder")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise SourceError(
            "a model that is fetched over plain HTTP can be changed on the way",
            found=f"{parts.scheme}://",
            expected="https://",
            hint="use https://",
        )


class _SecureRedirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, except from https to http. The body of a redirect is not read: it may have no end."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        fp.close()
        _refuse_insecure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Downloads:
    """Fetches the files of one source, at one pace."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._pace = Pace()
        self._opener = urllib.request.build_opener(_SecureRedirects, *pace.handlers(self._pace))

    def get(self, url: str, path: Path, most: int) -> int:
        """Save the file of an address, at most `most` bytes, and return its size. SourceError if that fails."""
        done = 0
        try:
            with path.open("wb") as file:
                for chunk in self._content(url, most):
                    done += file.write(chunk)
        except OSError as error:
            raise SourceError(f"what came from {url} cannot be written", found=files.reason(error)) from error
        return done

    def _content(self, url: str, most: int) -> Iterator[bytes]:
        request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})
        self._pace.begin(most)
        with _explained(url), self._opener.open(request, timeout=self._pace.left()) as response:
            total, done = response.length, 0
            is_page = response.headers.get_content_type() == "text/html"
            if total is not None and total > most:
                raise _too_large(url, f"{total:,} bytes", most, is_page)
            self._progress.start(url, total)
            try:
                while chunk := response.read1(_CHUNK if total is None else min(_CHUNK, total - done)):
                    done += len(chunk)
                    if done > most:
                        raise _too_large(url, "more", most, is_page)
                    self._progress.advance(len(chunk))
                    yield chunk
            finally:
                self._progress.finish()
            # `read1` does not raise if the connection broke.
            if total is not None and done != total:
                raise _unreachable(url, f"{done} bytes of {total}", "try again")


@contextmanager
def _explained(url: str) -> Iterator[None]:
    """Turn the exceptions of a fetch into a SourceError."""
    try:
        yield
    except urllib.error.HTTPError as error:
        error.close()
        found = f"{error.code} {error.reason}"
        raise _unreachable(url, found, _HINTS.get(error.code, "")) from error
    except urllib.error.URLError as error:
        raise _unreachable(url, str(error.reason), _OTHER_HINT) from error
    except (TimeoutError, TooMuch) as error:
        raise _unreachable(url, str(error), "") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(url, str(error) or type(error).__name__, _OTHER_HINT) from error


def _unreachable(url: str, found: str, hint: str) -> SourceError:
    return SourceError(f"cannot fetch {url}", found=found[:_REASON], hint=hint)


def _too_large(url: str, found: str, most: int, is_page: bool) -> SourceError:
    if is_page:
        return SourceError(f"{url} {foreign.HTML.what}", hint=foreign.HTML.hint)
    return SourceError(f"{url} is too large", found=found, expected=f"at most {most:,} bytes")
