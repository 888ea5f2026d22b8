"""Arrays in files, as inputs and as outputs."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from bundler.bundle.arguments import Text, feeds
from bundler.bundle.files import write_arrays
from bundler.errors import BundlerError
from bundler.ir.dtypes import DType
from bundler.ir.model import TensorSpec
from bundler.ir.nodes import Tensor
from bundler.runtimes.tensorflow import Runtime

X = np.array([[1, 2], [3, 4]], np.float32)
Y = np.zeros((1, 2), np.float32)


def fed(text: str, runtime: Runtime, dtype: DType = DType.float32) -> np.ndarray:
    return feeds({"x": TensorSpec(Tensor("x"), dtype, (None, 2))}, Text(text), runtime)["x"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with arrays of every form."""
    monkeypatch.chdir(tmp_path)
    np.save("x.npy", X)
    np.savez("one.npz", anything=X)
    np.savez_compressed("named.npz", x=X, y=Y)
    np.savez("golden.npz", **{"inputs/x": X, "outputs/y": Y})
    np.savez("two.npz", a=Y, b=X)
    Path("x.json").write_text(json.dumps(X.tolist()))
    return tmp_path


@pytest.mark.parametrize(
    "text", ["x.npy", "one.npz", "named.npz", "golden.npz", "two.npz[b]", "golden.npz[inputs/x]", "x.json", "./x.npy"]
)
def test_a_file_holds_the_value(text: str, folder: Path, runtime: Runtime) -> None:
    np.testing.assert_array_equal(fed(text, runtime), X)


def test_strings_are_read_from_json_and_from_numpys_arrays(folder: Path, runtime: Runtime) -> None:
    np.save("s.npy", np.array([["a", "ä"]]))
    Path("s.json").write_text('[["a", {"b64": "w6Q="}]]')
    for name in ("s.npy", "s.json"):
        assert fed(name, runtime, DType.string).tolist() == [[b"a", "ä".encode()]]


def _pickled(path: Path) -> None:
    np.save(path, np.array([{"a": 1}], object), allow_pickle=True)


def _bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", bytes(200 << 20))


FAULTY = [
    ("gone.npy", lambda path: None, "there is no such file"),
    ("gone.npz[x]", lambda path: None, "there is no such file"),
    ("p.npy", _pickled, "this is no such file, or it is damaged (found Object arrays cannot be loaded when"),
    ("t.npy", lambda path: path.write_bytes(b"\x93NUMPY\x01\x00"), "this is no such file, or it is damaged"),
    ("t.npy", lambda path: path.write_text("text"), "this is no such file, or it is damaged"),
    ("t.npz", lambda path: path.write_text("text"), "this is no such file, or it is damaged (found File is not a zip"),
    ("t.json", lambda path: path.write_text("[1,"), "this is no such file, or it is damaged"),
    ("t.json", lambda path: path.write_text("[" * 100_000), "this is no such file, or it is damaged"),
    ("t.json", lambda path: path.write_text('{"a": 1}'), "the dtype does not fit (found {'a': 1}, expected float32)"),
    ("d.npy", lambda path: path.mkdir(), "cannot be read (found a folder, no regular file)"),
    ("f.npy", lambda path: os.mkfifo(path), "cannot be read (found a pipe, no regular file)"),
    ("b.npz", _bomb, "array 'x' would unpack to far more than the file has"),
    ("two.npz", lambda path: None, "there is no array 'x' (found a, b)"),
    ("two.npz[c]", lambda path: None, "there is no array 'c' (found a, b)"),
]


@pytest.mark.parametrize(("text", "make", "said"), FAULTY)
def test_a_file_without_the_value_is_an_error_that_names_it(
    text: str, make: object, said: str, folder: Path, runtime: Runtime
) -> None:
    name = text.partition("[")[0]
    make(Path(name))  # type: ignore[operator]
    with pytest.raises(BundlerError) as error:
        fed(text, runtime)
    assert str(error.value).startswith(f"input 'x': {name}: {said}")


def test_an_archive_of_several_arrays_says_how_to_choose(folder: Path, runtime: Runtime) -> None:
    with pytest.raises(BundlerError) as error:
        fed("two.npz", runtime)
    assert error.value.faults[0].hint == "choose one: FILE.npz[NAME]"


def test_outputs_are_written_as_numpy_reads_them_and_with_the_same_bytes_each_time(folder: Path) -> None:
    from ml_dtypes import bfloat16

    texts = np.array([[b"a", b"bcd"]], object)
    arrays = {"a/b": X, "text": texts, "half": np.array([1.5], bfloat16), "empty": np.zeros((0, 3)), "one": np.int64(7)}
    write_arrays(Path("out.npz"), arrays)
    with np.load("out.npz", allow_pickle=False) as found:
        assert {name: (found[name].dtype.str, found[name].tolist()) for name in found} == {
            "a/b": ("<f4", X.tolist()),
            "text": ("|S3", [[b"a", b"bcd"]]),
            "half": ("<f4", [1.5]),
            "empty": ("<f8", []),
            "one": ("<i8", 7),
        }
    before = Path("out.npz").read_bytes()
    write_arrays(Path("out.npz"), arrays)
    assert Path("out.npz").read_bytes() == before


def test_a_string_that_such_a_file_would_cut_is_an_error(folder: Path) -> None:
    with pytest.raises(BundlerError, match=r"output 'y': an \.npz file cannot hold strings that end in NUL"):
        write_arrays(Path("out.npz"), {"y": np.array([b"a\0"], object)})
