from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundler.tfjs.weights
from bundler.artifacts import artifact
from bundler.disk.shards import Group
from bundler.errors import BundlerError, ConversionError, SourceError
from bundler.ir.dtypes import DType
from bundler.ir.weight import Weight
from bundler.tfjs.weights import read_weights
from tests.support.models import write_model

WORDS = [b"", b"\xff\xfe", b"a longer string", "naïve ✓".encode()]
VALUES: dict[str, np.ndarray | list[bytes]] = {
    "scalar": np.array(3, np.int32),
    "flag": np.array([True, False, True]),
    "words": WORDS,
    "complex": np.array([1 + 2j, -3.5], np.complex64),
    "none": np.zeros((0, 3), np.float32),
    "no words": [],
    "bytes": np.array([0, 255], np.uint8),
    "shorts": np.array([0, 65535], np.uint16),
    "halves": np.array([0.5, -65504], np.float16),
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
}


def read(path: Path) -> dict[str, Weight]:
    return read_weights(artifact.open(path))


@pytest.mark.parametrize("gzipped", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("shard_bytes", [1 << 20, 64, 7, 3, 1])
def test_weights_of_every_dtype_are_read_across_shards(tmp_path: Path, shard_bytes: int, gzipped: bool) -> None:
    found = read(write_model(tmp_path, [], VALUES, shard_bytes=shard_bytes, gzipped=gzipped))
    assert found.keys() == VALUES.keys()
    for name, value in VALUES.items():
        expected = np.array(value, object) if isinstance(value, list) else value
        assert found[name].array().dtype == expected.dtype, name
        assert found[name].shape == expected.shape, name
        assert found[name].array().tolist() == expected.tolist(), name


@pytest.mark.parametrize("window", [4, 5, 11, 64])
def test_strings_are_measured_through_any_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    monkeypatch.setattr(bundler.tfjs.weights, "_WINDOW", window)
    values = {"before": np.array(1, np.int32), "words": WORDS, "after": np.array(2, np.int32)}
    found = read(write_model(tmp_path, [], values, shard_bytes=5))
    assert found["words"].strings() == WORDS
    assert found["after"].array() == 2


@pytest.mark.long
def test_many_strings_are_measured_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_model(tmp_path, [], {"words": [b"word"] * 50_000})
    reads: list[int] = []
    unpatched = Group.read
    monkeypatch.setattr(Group, "read", lambda *asked: reads.append(asked[-1]) or unpatched(*asked))
    read(path)
    assert len(reads) < 20


QUANTIZED: list[tuple[str, Any, np.ndarray, list[float]]] = [
    ("uint8", {"scale": 0.1, "min": -1}, np.array([-1, 24.5], np.float32), [-1.0, 24.5]),
    ("uint16", {"scale": 0.5, "min": 0}, np.array([0, 32767.5], np.float32), [0.0, 32767.5]),
    ("float16", {"original_dtype": "float32"}, np.array([0.1, 2], np.float32), [0.0999755859375, 2.0]),
    ("uint8", {"scale": 0.5, "min": -1}, np.array([-1, 100], np.int32), [-1, 100]),
]


@pytest.mark.parametrize(("stored", "how", "value", "found"), QUANTIZED)
def test_quantized_weights_are_expanded(
    tmp_path: Path, stored: str, how: Any, value: np.ndarray, found: list[float]
) -> None:
    weight = read(write_model(tmp_path, [], {"w": value}, quantization={"w": {"dtype": stored, **how}}))["w"]
    assert (weight.stored, weight.dtype) == (DType[stored], DType[value.dtype.name])
    assert weight.array().tolist() == found


def test_quantized_weights_take_the_bytes_of_what_is_stored(tmp_path: Path) -> None:
    values = {"w": np.array([0, 1, 2], np.float32), "after": np.array(7, np.int32)}
    found = read(write_model(tmp_path, [], values, quantization={"w": {"dtype": "uint8", "scale": 1, "min": 0}}))
    assert found["after"].array() == 7


# Several groups, and what is left out


def edit(path: Path, groups: Any) -> Path:
    document = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "weightsManifest": groups}))
    return path


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Eight bytes, four in each of two files, as the float32 vector `w`."""
    return write_model(tmp_path, [], {"w": np.array([1, 2], np.float32)}, shard_bytes=4)


SHARDS = ["group1-shard1of2.bin", "group1-shard2of2.bin"]
ONE = {"dtype": "float32", "shape": [1]}


def test_each_group_has_files_of_its_own(two: Path) -> None:
    groups = [{"paths": [SHARDS[1]], "weights": [{"name": "b", **ONE}]}]
    groups += [{"paths": [SHARDS[0]], "weights": [{"name": "a", **ONE}]}]
    found = read(edit(two, groups))
    assert {name: weight.array().tolist() for name, weight in found.items()} == {"a": [1], "b": [2]}


def test_a_weight_never_spans_groups(two: Path) -> None:
    groups = [{"paths": [SHARDS[0]], "weights": [{"name": "w", "dtype": "float32", "shape": [2]}]}]
    groups += [{"paths": [SHARDS[1]], "weights": []}]
    with pytest.raises(SourceError, match=r"weightsManifest\[0\]: the weights do not fit their files"):
        read(edit(two, groups))


def test_what_an_optimizer_keeps_is_skipped_with_its_bytes(two: Path) -> None:
    entries = [{"name": "Adam/m", "group": "optimizer", **ONE}, {"name": "w", "group": "model", **ONE}]
    found = read(edit(two, [{"paths": SHARDS, "weights": entries}]))
    assert {name: weight.array().tolist() for name, weight in found.items()} == {"w": [2]}


@pytest.mark.parametrize("groups", [None, [], [{"paths": []}], [{"paths": [], "weights": []}]])
def test_a_model_may_have_no_weights(two: Path, groups: Any) -> None:
    assert read(edit(two, groups)) == {}


# What does not fit


def error_of(path: Path, kind: type[BundlerError]) -> str:
    with pytest.raises(kind) as caught:
        read(path)
    return str(caught.value)


def shards(path: Path) -> Iterator[Path]:
    return (path.parent / name for name in SHARDS)


@pytest.mark.parametrize(
    ("content", "found", "hint"),
    [(b"\0\0\0", "7 bytes", "a download that was cut short? fetch the model again"), (b"\0" * 2000, "2,004 bytes", "")],
    ids=["truncated", "oversized"],
)
def test_a_shard_of_a_wrong_size_is_an_error_that_names_the_files(
    two: Path, content: bytes, found: str, hint: str
) -> None:
    next(shards(two)).write_bytes(content)
    with pytest.raises(SourceError) as caught:
        read(two)
    assert str(caught.value) == (
        "model.json: weightsManifest[0]: the weights do not fit their files: "
        f"group1-shard1of2.bin, group1-shard2of2.bin (found {found}, expected 8)"
    )
    assert caught.value.faults[0].hint == hint


def test_weights_without_files_are_an_error(two: Path) -> None:
    groups = [{"paths": [], "weights": [{"name": "w", **ONE}]}]
    assert error_of(edit(two, groups), SourceError) == (
        "model.json: weightsManifest[0]: the weights do not fit their files: no files (found 0 bytes, expected 4)"
    )


@pytest.mark.parametrize("content", [b"\x05\0\0\0word", b"\x04\0\0\0word\x04\0", b""])
def test_strings_that_end_early_are_an_error(tmp_path: Path, content: bytes) -> None:
    path = write_model(tmp_path, [], {"words": [b"some", b"word"]})
    (tmp_path / "group1-shard1of1.bin").write_bytes(content)
    assert "the strings do not fit their files" in error_of(path, SourceError)


def test_weights_that_begin_like_a_compressed_file_are_not_taken_for_one(tmp_path: Path) -> None:
    value = np.frombuffer(b"\x1f\x8b\x08\0" * 2, np.float32)
    assert read(write_model(tmp_path, [], {"w": value}))["w"].array().tobytes() == value.tobytes()


def test_some_files_of_a_group_may_be_compressed(two: Path) -> None:
    second = list(shards(two))[1]
    second.write_bytes(gzip.compress(second.read_bytes()))
    assert read(two)["w"].array().tolist() == [1, 2]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[:-6],
        lambda content: content[:12] + b"\xff" * (len(content) - 12),
        lambda content: content[:2],
    ],
    ids=["cut short", "garbage", "magic alone"],
)
def test_a_damaged_compressed_shard_is_an_error_that_names_it(two: Path, spoil: Any) -> None:
    first = next(shards(two))
    first.write_bytes(spoil(gzip.compress(np.arange(1000, dtype=np.float32).tobytes())))
    message = error_of(two, SourceError)
    assert "the compressed file is damaged" in message
    assert first.name in message


ENTRIES: list[tuple[Any, str]] = [
    ({}, "'name' is of the wrong kind (found nothing, expected a string)"),
    ({"name": 3}, "'name' is of the wrong kind (found 3, expected a string)"),
    ({"name": "w"}, "weight 'w': 'dtype' is of the wrong kind (found nothing, expected a string)"),
    (
        {"name": "w", "dtype": "int64"},
        "weight 'w': is of a dtype that the format does not have (found int64, expected"
        " float32, int32, bool, string, complex64, uint8, uint16, float16)",
    ),
    ({"name": "w", **ONE, "shape": 2}, "weight 'w': 'shape' is of the wrong kind (found 2, expected a list)"),
    ({"name": "w", **ONE, "shape": ["x"]}, "weight 'w': a number is of the wrong kind"),
    ({"name": "w", **ONE, "shape": [None]}, "weight 'w': a number is of the wrong kind"),
    ({"name": "w", **ONE, "shape": [-1]}, "weight 'w': has a negative size (found [-1])"),
    ({"name": "w", **ONE, "shape": [2**62, 2**62]}, "weight 'w': has more elements than 64 bits can count"),
    ({"name": "w", **ONE, "shape": [2**60, 2]}, "the weights do not fit their files"),
    ({"name": "w", **ONE, "shape": [1] * 255}, "weight 'w': has too many dimensions (found 255, expected at most 254)"),
    ({"name": "w", "dtype": "string", "shape": [2**62]}, "weight 'w': the strings do not fit their files"),
    ({"name": "w", **ONE, "quantization": 8}, "weight 'w': 'quantization' is of the wrong kind"),
    ({"name": "w", **ONE, "quantization": {"scale": 1}}, "weight 'w': 'dtype' is of the wrong kind"),
    (
        {"name": "w", **ONE, "quantization": {"dtype": "int8"}},
        "weight 'w': is of a dtype that the format does not have (found int8, expected uint8, uint16, float16)",
    ),
    (
        {"name": "w", **ONE, "quantization": {"dtype": "uint8", "min": 0}},
        "weight 'w': quantized to uint8, but without scale or min (found {'dtype': 'uint8', 'min': 0})",
    ),
    (
        {"name": "w", **ONE, "quantization": {"dtype": "uint16", "scale": 1}},
        "weight 'w': quantized to uint16, but without scale or min (found {'dtype': 'uint16', 'scale': 1})",
    ),
    (
        {"name": "w", **ONE, "quantization": {"dtype": "uint8", "min": 0, "scale": "x"}},
        "weight 'w': a number is of the wrong kind (found \"x\", expected a number)",
    ),
]


@pytest.mark.parametrize(("entry", "message"), ENTRIES, ids=[str(entry) for entry, _ in ENTRIES])
def test_an_entry_that_makes_no_sense_is_reported_by_its_place(two: Path, entry: Any, message: str) -> None:
    found = error_of(edit(two, [{"paths": SHARDS, "weights": [entry]}]), BundlerError)
    assert found.startswith(f"model.json: weightsManifest[0]: {message}")


@pytest.mark.parametrize("weights", [3, "w", {"name": "w"}, ["w"], [None]])
def test_a_group_whose_weights_are_no_list_of_entries_is_an_error(two: Path, weights: Any) -> None:
    found = error_of(edit(two, [{"paths": SHARDS, "weights": weights}]), ConversionError)
    assert found.startswith("model.json: weightsManifest[0]: ")
    assert "is of the wrong kind" in found


# More than it seems


def zeros(two: Path, entries: list[Any], *, packed: bytes, paths: list[str]) -> Path:
    """The model, its weights in a file that unpacks to zeros."""
    (two.parent / "w.bin").write_bytes(packed)
    return edit(two, [{"paths": paths, "weights": entries}])


ZEROS = gzip.compress(bytes(1 << 20))


@pytest.mark.parametrize("members", [1, 1 << 14], ids=["1 MiB", "16 GiB"])
def test_a_compressed_file_is_unpacked_to_the_bytes_that_are_needed(two: Path, members: int) -> None:
    path = zeros(two, [{"name": "w", **ONE}], packed=ZEROS * members, paths=["w.bin"])
    found = "the weights do not fit their files: w.bin (found more than 4 bytes, expected 4)"
    assert error_of(path, SourceError) == f"model.json: weightsManifest[0]: {found}"


def test_compressed_files_share_what_is_needed(two: Path) -> None:
    (two.parent / "v.bin").write_bytes(gzip.compress(b"1234"))
    entries = [{"name": "w", **ONE, "shape": [3]}]
    found = read(zeros(two, entries, packed=gzip.compress(b"5678") * 2, paths=["v.bin", "w.bin"]))
    assert found["w"].array().tobytes() == b"123456785678"
    with pytest.raises(SourceError, match="found more than 12 bytes"):
        read(zeros(two, entries, packed=ZEROS, paths=["v.bin", "w.bin"]))


BOMB = "model.json: weightsManifest[0]: the weights take far more bytes than their files: they may be a bomb"


@pytest.mark.parametrize(
    ("packed", "paths"), [(ZEROS * 200, ["w.bin"]), (bytes(1 << 20), ["w.bin"] * 200)], ids=["gzip", "one file often"]
)
def test_weights_that_are_far_larger_than_their_files_are_refused(two: Path, packed: bytes, paths: list[str]) -> None:
    path = zeros(two, [{"name": "w", "dtype": "uint8", "shape": [200, 1 << 20]}], packed=packed, paths=paths)
    assert error_of(path, SourceError) == BOMB


@pytest.mark.long
def test_groups_share_what_their_files_may_unpack_to(two: Path) -> None:
    entry = {"name": "w", "dtype": "uint8", "shape": [50, 1 << 20]}
    path = zeros(two, [entry], packed=ZEROS * 50, paths=["w.bin"])
    assert read(path)["w"].size == 50 << 20
    group = json.loads(path.read_text())["weightsManifest"][0]
    assert error_of(edit(path, [group] * 3), SourceError) == BOMB.replace("[0]", "[2]")


def test_strings_may_unpack_to_a_few_times_the_size_of_their_files(two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = [b"word"] * 10_000
    content = b"".join(len(word).to_bytes(4, "little") + word for word in words)
    entries = [{"name": "w", "dtype": "string", "shape": [len(words)]}]
    path = zeros(two, entries, packed=gzip.compress(content), paths=["w.bin"])
    assert read(path)["w"].strings() == words
    monkeypatch.setattr(bundler.tfjs.weights, "_STRING_BYTES", len(content) - 1)
    assert "found more than 79,999 bytes" in error_of(path, SourceError)


@pytest.mark.parametrize("spoil", [lambda packed: packed[:-9], lambda packed: packed[:10], lambda packed: packed[:3]])
def test_a_compressed_file_that_is_damaged_is_an_error(two: Path, spoil: Any) -> None:
    path = zeros(two, [{"name": "w", **ONE}], packed=spoil(gzip.compress(b"1234")), paths=["w.bin"])
    assert error_of(path, SourceError).startswith(
        "model.json: weightsManifest[0]: w.bin: the compressed file is damaged"
    )


def test_a_shard_that_is_gone_since_the_model_was_opened_is_an_error(two: Path) -> None:
    opened = artifact.open(two)
    (two.parent / SHARDS[1]).unlink()
    with pytest.raises(SourceError, match=r"group1-shard2of2\.bin: cannot be read \(found No such file or directory\)"):
        read_weights(opened)


def test_files_are_listed_in_part(two: Path) -> None:
    for number in range(30):
        (two.parent / f"{number}.bin").touch()
    found = error_of(
        edit(two, [{"paths": [f"{number}.bin" for number in range(30)], "weights": [{"name": "w", **ONE}]}]),
        SourceError,
    )
    assert "0.bin, 1.bin, 2.bin, 3.bin, 4.bin, 5.bin, 6.bin, 7.bin, 8.bin, 9.bin and 20 more (found 0 bytes" in found
