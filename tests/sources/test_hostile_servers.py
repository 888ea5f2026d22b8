"""Servers that mean harm: what they send is bounded, and so is the time that they may take."""

from __future__ import annotations

import gzip
import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import pytest

from bundler import sources
from bundler.errors import SourceError
from bundler.sources import limits, web
from bundler.sources.web import pace

Answer: TypeAlias = "Callable[[str], Iterable[bytes]]"
"""From a path to the pieces of a whole response, status line included."""


@dataclass
class Raw:
    """A server that says whatever `answer` gives for a path; `asked` are the paths, `sent` the bytes so far."""

    url: str
    answer: Answer = lambda path: ()
    asked: list[str] = field(default_factory=list)
    sent: int = 0

    def serve(self, listening: socket.socket) -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=self._reply, args=(listening.accept()[0],), daemon=True).start()

    def _reply(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            path = connection.recv(65536).split()[1].decode()
            self.asked.append(path)
            for piece in self.answer(path):
                connection.sendall(piece)
                self.sent += len(piece)


@pytest.fixture
def raw() -> Iterator[Raw]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Raw(f"http://127.0.0.1:{listening.getsockname()[1]}")
        threading.Thread(target=made.serve, args=(listening,), daemon=True).start()
        yield made
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def fetch(raw: Raw, cache: Path, tmp_path: Path) -> Callable[[str], str]:
    """Fetches a path of the server; what went wrong, without the server's address. Nothing is left of it."""

    def fetch(path: str) -> str:
        with pytest.raises(SourceError) as caught:
            sources.fetch(raw.url + path, tmp_path, cache=cache)
        assert not list(cache.rglob("*.part"))
        return str(caught.value).replace(raw.url, "")

    return fetch


OK = b"HTTP/1.1 200 OK\r\n"
ZEROS = bytes(1 << 16)


def whole(content: bytes, *headers: bytes) -> list[bytes]:
    return [OK, b"Content-Length: %d\r\n" % len(content), *(header + b"\r\n" for header in headers), b"\r\n", content]


def endless(*before: bytes, piece: bytes = ZEROS, wait: float = 0.0) -> Iterator[bytes]:
    yield from before
    while True:
        time.sleep(wait)
        yield piece


def model(*paths: str, shape: Iterable[int] = (2,), dtype: str = "float32") -> bytes:
    weights = [{"name": "w", "dtype": dtype, "shape": list(shape)}]
    return json.dumps({"weightsManifest": [{"paths": list(paths), "weights": weights}]}).encode()


# Too much ----------------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of a megabyte, in place of gigabytes."""
    monkeypatch.setattr(web.document, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(limits, "MAX_BYTES", 1 << 20)
    monkeypatch.setattr(pace, "_HEADERS", 1 << 20)


CHUNK = b"10000\r\n" + ZEROS + b"\r\n"
TOO_MUCH = {
    "no length": lambda: endless(OK + b"\r\n"),
    "chunks": lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=CHUNK),
    "a length": lambda: endless(OK + b"Content-Length: 9999999999\r\n\r\n"),
    "a length below zero": lambda: endless(OK + b"Content-Length: -1\r\n\r\n"),
    "a length of thousands of digits": lambda: endless(OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n"),
}


@pytest.mark.parametrize("answer", TOO_MUCH.values(), ids=TOO_MUCH.keys())
@pytest.mark.parametrize("path", ["/model.json", "/model.tgz"])
def test_content_without_end_is_cut_off(raw: Raw, fetch, small: None, answer: Callable, path: str) -> None:
    raw.answer = lambda _: answer()
    found = fetch(path)
    assert found.startswith(f"{path}: {path} is too large (found ")
    assert found.endswith("expected at most 1,048,576 bytes)")


HEADERS = {
    "headers": (lambda: endless(OK, piece=b"X: y\r\n"), "got more than 100 headers"),
    "a header": (lambda: endless(OK + b"X: "), "got more than 65536 bytes when reading header line"),
    "a status line": (lambda: endless(b"HTTP/1.1 200 "), "got more than 65536 bytes when reading status line"),
    "interim responses": (lambda: endless(piece=b"HTTP/1.1 100 Continue\r\n\r\n" * 999), "headers without end"),
    "chunks' names": (
        lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"1;" + b"x" * 60_000 + b"\r\n0\r\n"),
        "headers without end",
    ),
    "trailers": (
        lambda: endless(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", piece=b"X: y\r\n" * 999),
        "headers without end",
    ),
}


@pytest.mark.parametrize(("answer", "found"), HEADERS.values(), ids=HEADERS.keys())
def test_headers_without_end_are_cut_off(raw: Raw, fetch, small: None, answer: Callable, found: str) -> None:
    raw.answer = lambda _: answer()
    said = fetch("/model.json")
    assert said.startswith("/model.json: cannot fetch /model.json (found ")
    assert found in said


def test_what_comes_with_a_redirect_is_not_read(raw: Raw, fetch) -> None:
    redirect = b"HTTP/1.1 302 Found\r\nLocation: /other.json\r\n\r\n"
    raw.answer = lambda path: whole(b"[]") if path == "/other.json" else endless(redirect)
    assert "is no TensorFlow.js model" in fetch("/model.json")
    assert raw.sent < 10 << 20


def test_redirects_in_a_circle_or_without_end_are_given_up(raw: Raw, fetch) -> None:
    number = itertools.count()
    circle = b"HTTP/1.1 302 Found\r\nLocation: /model.json\r\nContent-Length: 0\r\n\r\n"
    raw.answer = lambda _: [circle]
    assert "infinite loop" in fetch("/model.json")
    raw.answer = lambda _: [circle.replace(b"/model", b"/%d" % next(number))]
    assert "infinite loop" in fetch("/model.json")
    assert len(raw.asked) < 30


@pytest.mark.parametrize("place", [b"file:///etc/passwd", b"ftp://127.0.0.1/x", b"//u:secret@127.0.0.1/", b"http://["])
def test_a_redirect_leads_to_no_other_kind_of_place(raw: Raw, fetch, place: bytes) -> None:
    raw.answer = lambda _: [b"HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % place]
    assert "secret" not in fetch("/model.json")
    assert raw.asked == ["/model.json"]


def test_a_servers_own_words_are_cut(raw: Raw, fetch) -> None:
    raw.answer = lambda _: [b"HTTP/1.1 500 " + b"no " * 20_000 + b"\r\n\r\n"]
    assert len(fetch("/model.json")) < 400


# Shards ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent", [8, 8 + 1000])
def test_shards_may_have_the_bytes_that_the_weights_need_and_some_more(
    raw: Raw, cache: Path, tmp_path: Path, sent: int
) -> None:
    raw.answer = lambda path: whole(model("w.bin") if path == "/model.json" else bytes(sent))
    found = sources.fetch(f"{raw.url}/model.json", tmp_path, cache=cache)
    assert found.path("w.bin").stat().st_size == sent


@pytest.mark.parametrize("paths", [["w.bin"], ["v.bin", "w.bin"]])
def test_shards_that_are_larger_than_their_weights_are_cut_off(raw: Raw, fetch, paths: list[str]) -> None:
    contents = {"/model.json": whole(model(*paths)), "/v.bin": whole(bytes(1 << 17))}
    raw.answer = lambda path: contents.get(path) or endless(OK + b"\r\n")
    assert "/w.bin is too large (found more, expected at most" in fetch("/model.json")
    assert raw.sent < 10 << 20


@pytest.mark.parametrize("dtype", ["string", "nonsense"])
def test_shards_of_unknown_size_have_the_limit_of_archives(raw: Raw, fetch, small: None, dtype: str) -> None:
    raw.answer = lambda path: whole(model("w.bin", dtype=dtype)) if "json" in path else endless(OK + b"\r\n")
    assert "/w.bin is too large (found more, expected at most 1,048,576 bytes)" in fetch("/model.json")


@pytest.mark.parametrize("shape", [[1 << 62] * 5000, [-1], ["x"], "x", 7, [10**4000]])
def test_a_shape_that_makes_no_sense_costs_no_time(raw: Raw, fetch, small: None, shape: list[int]) -> None:
    document = json.loads(model("w.bin"))
    document["weightsManifest"][0]["weights"][0]["shape"] = shape
    answers = {"/model.json": whole(json.dumps(document).encode())}
    raw.answer = lambda path: answers.get(path) or endless(OK + b"\r\n")
    assert "/w.bin is too large (found more, expected at most 1,048,576 bytes)" in fetch("/model.json")


def test_a_model_of_too_many_shards_is_refused_before_the_first_is_fetched(raw: Raw, fetch) -> None:
    raw.answer = lambda path: whole(model(*(f"{number}.bin" for number in range(4097))))
    assert fetch("/model.json") == "/model.json: has too many shards (found 4,097, expected at most 4,096)"
    assert raw.asked == ["/model.json"]


def test_a_shard_that_is_named_often_is_fetched_once(raw: Raw, cache: Path, tmp_path: Path) -> None:
    content = json.loads(model("w.bin", "w.bin"))
    content["weightsManifest"] *= 2
    raw.answer = lambda path: whole(json.dumps(content).encode() if path == "/model.json" else bytes(8))
    sources.fetch(f"{raw.url}/model.json", tmp_path, cache=cache)
    assert raw.asked == ["/model.json", "/w.bin"]


def test_a_shard_below_another_is_an_error(raw: Raw, fetch) -> None:
    raw.answer = lambda path: whole(model("a", "a/b") if path == "/model.json" else bytes(8))
    assert fetch("/model.json") == "/model.json: the shard 'a/b' cannot be written (found File exists)"


def test_a_shard_whose_name_is_no_unicode_is_asked_for_by_its_bytes(raw: Raw, cache: Path, tmp_path: Path) -> None:
    raw.answer = lambda path: whole(model("w\udcff.bin") if path == "/model.json" else bytes(8))
    sources.fetch(f"{raw.url}/model.json", tmp_path, cache=cache)
    assert raw.asked == ["/model.json", "/w%FF.bin"]


def test_content_that_is_compressed_on_the_way_stays_so_and_has_the_limits_of_files(
    raw: Raw, cache: Path, tmp_path: Path, fetch
) -> None:
    encoded = b"Content-Encoding: gzip"
    contents = {"/model.json": gzip.compress(model("w.bin")), "/w.bin": gzip.compress(bytes(8))}
    raw.answer = lambda path: whole(contents[path], encoded)
    assert sources.fetch(f"{raw.url}/model.json", tmp_path, cache=cache).groups == (("w.bin",),)
    contents["/bomb.json"] = gzip.compress(bytes(1 << 26))
    assert "/bomb.json: bomb.json: unpacks to far more than its size" in fetch("/bomb.json")


def test_a_disk_that_takes_no_more_is_an_error_that_blames_no_server(raw: Raw, fetch, small_files: Callable) -> None:
    raw.answer = lambda _: whole(b" " * 100_000)
    with small_files():
        assert (
            fetch("/model.json") == "/model.json: what came from /model.json cannot be written (found File too large)"
        )


# Too slow ----------------------------------------------------------------------------------------


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of a second, in place of minutes."""
    monkeypatch.setattr(pace, "_GRACE", 0.3)
    monkeypatch.setattr(pace, "_A_FILE", 0.0)


PATIENCE = 30
"""Seconds in which a server is given up. By themselves they would go on for minutes."""


def drops(*before: bytes, piece: bytes = b"x") -> Iterator[bytes]:
    return endless(*before, piece=piece, wait=0.02)


SLOW = {
    "nothing": lambda: endless(piece=b"", wait=0.02),
    "a status line": lambda: drops(),
    "a header": lambda: drops(OK),
    "content": lambda: drops(OK + b"Content-Length: 9999\r\n\r\n"),
    "chunks": lambda: drops(OK + b"Transfer-Encoding: chunked\r\n\r\n", piece=b"1\r\nx\r\n"),
    "the name of a chunk": lambda: drops(OK + b"Transfer-Encoding: chunked\r\n\r\n1;"),
    "trailers": lambda: drops(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", piece=b"X: y\r\n"),
    "interim responses": lambda: endless(piece=b"HTTP/1.1 100 Continue\r\n\r\n", wait=0.1),
}


@pytest.mark.parametrize("answer", SLOW.values(), ids=SLOW.keys())
def test_a_server_that_sends_a_byte_now_and_then_is_given_up(raw: Raw, fetch, hurry: None, answer: Callable) -> None:
    raw.answer = lambda _: answer()
    started = time.monotonic()
    assert "the server is too slow" in fetch("/model.json")
    assert time.monotonic() - started < PATIENCE


def test_the_time_is_that_of_all_files_together(raw: Raw, fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_GRACE", 0.3)
    monkeypatch.setattr(pace, "_A_FILE", 0.01)
    monkeypatch.setattr(pace, "_LEAST_RATE", 1_000_000)
    raw.answer = lambda path: whole(model(*map(str, range(1000)))) if "json" in path else late(whole(bytes(8)))
    assert "the server is too slow" in fetch("/model.json")
    assert 2 < len(raw.asked) < 500


def late(pieces: Iterable[bytes]) -> Iterator[bytes]:
    time.sleep(0.05)
    yield from pieces


def test_a_slow_link_that_keeps_its_pace_passes(raw: Raw, cache: Path, tmp_path: Path, hurry: None) -> None:
    content = model().ljust(4000)
    pieces = [content[start : start + 100] for start in range(0, 4000, 100)]

    def slow() -> Iterator[bytes]:
        yield OK + b"Content-Length: 4000\r\n\r\n"
        for piece in pieces:  # 5 kB a second: a modem
            time.sleep(0.02)
            yield piece

    raw.answer = lambda _: slow()
    started = time.monotonic()
    assert sources.fetch(f"{raw.url}/model.json", tmp_path, cache=cache).files == ("model.json",)
    assert time.monotonic() - started > 0.6


def test_no_pace_lasts_for_ever(raw: Raw, fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_LONGEST", 0.3)
    raw.answer = lambda _: endless(OK + b"\r\n", wait=0.01)
    assert "the server is too slow" in fetch("/model.json")


def test_silence_is_given_up(raw: Raw, fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_SILENCE", 0.2)
    raw.answer = lambda _: endless(piece=b"", wait=0.02)
    assert fetch("/model.json") == "/model.json: cannot fetch /model.json (found no byte in 0 seconds)"
