"""The limits of a model's JSON. What is no JSON at all is a matter of test_artifact."""

from __future__ import annotations

import gzip
import random
import subprocess
import sys
from pathlib import Path

import pytest

from bundler.artifacts import document
from bundler.errors import SourceError


def read(folder: Path, content: bytes) -> dict[str, object]:
    (folder / "model.json").write_bytes(content)
    return document.read(folder / "model.json")


def test_of_two_keys_that_are_the_same_the_last_one_counts_as_in_javascript(tmp_path: Path) -> None:
    assert read(tmp_path, b'{"a": 1, "b": 2, "a": 3}') == {"a": 3, "b": 2}


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError, match=rf"model\.json: is not JSON \(found {name}\)"):
        read(tmp_path, b'{"a": %s}' % name.encode())


@pytest.mark.parametrize("digits", [4300, 4301, 1_000_000])
def test_integers_may_have_as_many_digits_as_python_reads_quickly(tmp_path: Path, digits: int) -> None:
    content = b'{"a": %s}' % (b"9" * digits)
    if digits == 4300:
        assert read(tmp_path, content) == {"a": 10**4300 - 1}
        return
    with pytest.raises(SourceError, match="an integer of thousands of digits"):
        read(tmp_path, content)


@pytest.mark.parametrize("spelled", [b"1e999999", b"-1e999999"])
def test_a_float_past_the_largest_is_infinite_as_in_javascript(tmp_path: Path, spelled: bytes) -> None:
    assert read(tmp_path, b'{"a": %s}' % spelled) == {"a": float(spelled)}


NOISE = random.Random(0).randbytes(10_000).hex().encode()
PAST_A_LIMIT = {
    "a gzip bomb": (gzip.compress(b'{"a": "%s"}' % (b"a" * 5000)), "unpacks to far more than its size"),
    "too large, gzip'ed": (gzip.compress(b'{"a": "%s"}' % NOISE), "is too large for a model's JSON"),
    "too large": (b'{"a": "%s"}' % NOISE, "is too large for a model's JSON"),
    "numbers": (b'{"a": [%s]}' % b",".join([b"0"] * 300), "has too many values for a model"),
    "lists": (b'{"a": [%s]}' % b",".join([b"[]"] * 150), "has too many values for a model"),
    "objects": (b'{"a": %s}' % (b'{"":' * 150 + b"0" + b"}" * 150), "has too many values for a model"),
}


@pytest.mark.parametrize(("content", "what"), PAST_A_LIMIT.values(), ids=PAST_A_LIMIT.keys())
def test_what_is_past_a_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, what: str
) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 10_000)
    monkeypatch.setattr(document, "_MODEST_BYTES", 1000)
    monkeypatch.setattr(document, "_MAX_VALUES", 300)
    monkeypatch.setattr(document.files, "MAX_RATIO", 10)
    with pytest.raises(SourceError, match=what):
        read(tmp_path, content)


def test_what_is_at_the_limits_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_BYTES", 1000)
    monkeypatch.setattr(document, "_MAX_VALUES", 300)
    values = [0] * 298
    spelled = b'{"a":[%s]}' % b",".join([b"0"] * 298)
    assert read(tmp_path, spelled.ljust(1000)) == {"a": values}
    assert read(tmp_path, gzip.compress(spelled.ljust(1000))) == {"a": values}


WORST = """
import resource, sys
from pathlib import Path
from bundler.artifacts import document
document.read(Path(sys.argv[1]))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("unit", [b"{},", b"[" * 900 + b"]" * 900 + b",", b'{"":' * 450 + b"0" + b"}" * 450 + b","])
def test_the_worst_json_that_is_admitted_takes_less_than_two_gigabytes(tmp_path: Path, unit: bytes) -> None:
    counted = sum(unit.count(mark) for mark in b"[{,:")
    path = tmp_path / "model.json"
    path.write_bytes(gzip.compress(b'{"a":[' + unit * (8_388_000 // counted) + b"0]}", 9))
    ended = subprocess.run([sys.executable, "-c", WORST, path], capture_output=True, text=True, check=True)
    assert int(ended.stdout) * 1024 < 2_000_000_000
