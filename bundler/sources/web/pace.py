"""How long a server may take: slow links are accepted, servers that keep a build waiting are not.

The allowed time grows with the received bytes, so that a fetch ends if a server sends a byte now and then. It is the
time of a source as a whole, as a source may have many files.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["Pace", "TooMuch", "handlers"]

_SILENCE = 60.0
"""Seconds without a byte."""
_GRACE = 60.0
"""Seconds that a source may take, however few bytes are received."""
_LEAST_RATE = 1000
"""Bytes a second: each received byte extends the allowed time by what it takes at this rate. Slow links are faster."""
_A_FILE = 2.0
"""Seconds that each file adds: connecting may take longer than receiving."""
_LONGEST = 12 * 60 * 60.0
"""Seconds that a source may take at any rate: 8 GiB at 200 kB/s."""
_HEADERS = 1 << 20
"""Bytes of headers. HTTP frames content in chunks, which may double it."""


class TooMuch(OSError):
    """A server sends more bytes of content or headers than expected."""


class Pace:
    """The time that one source takes, and the bytes of the file that is being received."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._granted = _GRACE
        self._received = 0
        self._limit = 0

    def begin(self, most: int) -> None:
        """A file of at most `most` bytes comes next."""
        self._granted += _A_FILE
        self._limit = 2 * most + _HEADERS

    def left(self) -> float:
        """Seconds that the next byte may take. TimeoutError if no time is left."""
        elapsed = time.monotonic() - self._started
        left = min(self._granted + self._received / _LEAST_RATE, _LONGEST) - elapsed
        if left <= 0:
            raise TimeoutError(f"{self._received:,} bytes in {elapsed:,.0f} seconds: the server is too slow")
        return min(left, _SILENCE)

    def count(self, size: int) -> None:
        """Count `size` received bytes. TooMuch if they exceed the limit."""
        self._received += size
        self._limit -= size
        if self._limit < 0:
            raise TooMuch("the server sends headers without end")


def handlers(pace: Pace) -> list[urllib.request.BaseHandler]:
    """Handlers for an opener whose responses are limited by a pace."""
    return [_Http(pace), _Https(pace)]


class _Paced(urllib.request.AbstractHTTPHandler):
    def __init__(self, pace: Pace) -> None:
        super().__init__()
        self._pace = pace

    def do_open(self, http_class: Callable[..., Any], req: urllib.request.Request, **settings: Any) -> Any:
        def connection(host: str, **given: Any) -> http.client.HTTPConnection:
            made: http.client.HTTPConnection = http_class(host, **given)
            vars(made)["response_class"] = partial(_Response, pace=self._pace)
            return made

        return super().do_open(connection, req, **settings)


class _Http(_Paced, urllib.request.HTTPHandler):
    pass


class _Https(_Paced, urllib.request.HTTPSHandler):
    pass


class _Response(http.client.HTTPResponse):
    def __init__(self, connection: socket.socket, *arguments: Any, pace: Pace, **keywords: Any) -> None:
        super().__init__(connection, *arguments, **keywords)
        self.fp.close()
        self.fp = io.BufferedReader(_Received(connection, pace))


class _Received(io.RawIOBase):
    """The bytes that a socket receives, below HTTP, so that headers count too."""

    def __init__(self, connection: socket.socket, pace: Pace) -> None:
        self._socket = connection
        self._stream = connection.makefile("rb", buffering=0)
        self._pace = pace

    def readable(self) -> bool:
        return True

    def readinto(self, room: Any) -> int | None:
        self._socket.settimeout(self._pace.left())
        try:
            size = self._stream.readinto(room)
        except TimeoutError:
            self._pace.left()  # raises a more precise error if the source as a whole is too slow
            raise TimeoutError(f"no byte in {_SILENCE:.0f} seconds") from None
        self._pace.count(size or 0)
        return size

    def close(self) -> None:
        self._stream.close()
        super().close()
