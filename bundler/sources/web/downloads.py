"""Files on the web, one after another: limits, redirects, and files that have not changed since an earlier fetch."""

from __future__ import annotations

import http
import http.client
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from bundler.artifacts import foreign
from bundler.disk import files
from bundler.disk.cache import Facts, Kept
from bundler.errors import SourceError
from bundler.progress import Progress
from bundler.sources.web import pace
from bundler.sources.web.pace import Pace, TooMuch

__all__ = ["Downloads", "Unchanged", "refuse_insecure"]

_CHUNK = 1 << 18
_USER_AGENT = "bundler"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_REASON = 200
"""Characters of a server's message that an error shows."""

_CONDITIONS = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
"""By the header that a server sends with a file, the one that asks whether the file is still the same."""
_VALIDATOR = r"[ -~]{1,500}"
"""What is kept of such a header: visible ASCII, as HTTP has it."""

_HINTS = {
    401: "it asks for a login: download the model, and name the folder",
    403: "it may ask for a login: download the model, and name the folder",
    404: "open the address in a browser: is it the model's?",
}
_OTHER_HINT = "is this machine online? Proxies are read from HTTPS_PROXY"


def refuse_insecure(url: str) -> None:
    """Raise SourceError if an address has a login, or is not fetched by HTTPS. This machine itself needs none."""
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
        refuse_insecure(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class Unchanged(Exception):
    """An address has what `kept` has of it."""

    def __init__(self, kept: Kept) -> None:
        super().__init__()
        self.kept = kept


class Downloads:
    """Fetches the files of one source into `folder`, at one pace.

    `earlier` is what was fetched before: the server is asked whether a file of it has changed (RFC 9110, section 13).
    `validators` are the facts by which a later run can ask.
    """

    def __init__(self, progress: Progress, folder: Path, earlier: Kept | None = None) -> None:
        self._progress = progress
        self._folder = folder
        self._earlier = earlier
        self._pace = Pace()
        self._opener = urllib.request.build_opener(_SecureRedirects, *pace.handlers(self._pace))
        self.validators: dict[str, str] = {}

    def get(self, url: str, path: Path, most: int) -> int:
        """Save the file of an address, at most `most` bytes, and return its size. SourceError if that fails.

        A file that has not changed is copied from what was fetched before.
        """
        try:
            return self.fetch(url, path, most)
        except Unchanged as same:
            shutil.copyfile(same.kept.folder / path.relative_to(self._folder), path)
            return path.stat().st_size

    def fetch(self, url: str, path: Path, most: int) -> int:
        """The same, but raises Unchanged if the file has not changed."""
        done = 0
        try:
            with path.open("wb") as file:
                for chunk in self._content(url, most):
                    done += file.write(chunk)
        except OSError as error:
            raise SourceError(f"what came from {url} cannot be written", found=files.reason(error)) from error
        return done

    def _content(self, url: str, most: int) -> Iterator[bytes]:
        request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT, **self._conditions(url)})
        self._pace.begin(most)
        with _explained(url), self._open(request) as response:
            self._note_validators(url, response.headers)
            yield from self._body(url, response, most)

    def _body(self, url: str, response: http.client.HTTPResponse, most: int) -> Iterator[bytes]:
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

    def _open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        try:
            response: http.client.HTTPResponse = self._opener.open(request, timeout=self._pace.left())
        except urllib.error.HTTPError as error:
            conditions = self._conditions(request.full_url)
            if error.code != http.HTTPStatus.NOT_MODIFIED or self._earlier is None or not conditions:
                raise
            error.close()
            self.validators.update(_facts(request.full_url, self._earlier.facts))
            raise Unchanged(self._earlier) from None
        return response

    def _conditions(self, url: str) -> dict[str, str]:
        """The headers that ask for a file only if it has changed."""
        facts = self._earlier.facts if self._earlier else {}
        known = {header: facts.get(f"{fact} {url}", "") for fact, header in _CONDITIONS.items()}
        return {header: value for header, value in known.items() if re.fullmatch(_VALIDATOR, value)}

    def _note_validators(self, url: str, headers: http.client.HTTPMessage) -> None:
        for fact in _CONDITIONS:
            value = headers.get(fact, "")
            if re.fullmatch(_VALIDATOR, value):
                self.validators[f"{fact} {url}"] = value


def _facts(url: str, facts: Facts) -> Facts:
    """Those facts that are validators of an address."""
    return {name: facts[name] for fact in _CONDITIONS if (name := f"{fact} {url}") in facts}


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
        reason = error.reason
        found = files.reason(reason) if isinstance(reason, Exception) else str(reason)
        raise _unreachable(url, found, _OTHER_HINT) from error
    except (TimeoutError, TooMuch) as error:
        raise _unreachable(url, str(error), "") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise _unreachable(url, files.reason(error), _OTHER_HINT) from error


def _unreachable(url: str, found: str, hint: str) -> SourceError:
    return SourceError(f"cannot fetch {url}", found=found[:_REASON], hint=hint)


def _too_large(url: str, found: str, most: int, is_page: bool) -> SourceError:
    if is_page:
        return SourceError(f"{url} {foreign.HTML.what}", hint=foreign.HTML.hint)
    return SourceError(f"{url} is too large", found=found, expected=f"at most {most:,} bytes")
