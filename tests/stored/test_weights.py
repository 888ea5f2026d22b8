"""The values of constants, however a writer spells them, and the variables of checkpoints: as TensorFlow reads them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

import bundler
from bundler import manifest
from bundler.errors import SourceError
from bundler.ir.dtypes import DType
from bundler.ir.protos import TensorProto
from bundler.stored.checkpoint import read_checkpoint
from bundler.stored.metagraphs import read_graphs
from bundler.stored.weights import in_memory, weights_of
from tests.support.elsewhere import call
from tests.support.places import MANIFESTS

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES += ["bool", "complex64", "complex128"]


def _spelled_by_tensorflow(dtype: str) -> list[tuple[bytes, np.ndarray]]:
    """Tensors of a dtype as messages: in bytes, listed one by one, and repeating the last value; with their values."""
    import tensorflow as tf

    listed = []
    for values in ([[1, 0], [2, 3]], [[1, 1], [1, 1]], [], 2):
        array = np.array(values, dtype)
        listed.append(tf.make_tensor_proto(array))
        once = tf.make_tensor_proto(array)
        if array.size:
            field = {"float16": "half_val", "bool": "bool_val", "float32": "float_val", "float64": "double_val"}
            field |= {"int64": "int64_val", "uint32": "uint32_val", "uint64": "uint64_val"}
            field |= {"complex64": "scomplex_val", "complex128": "dcomplex_val"}
            name = field.get(dtype, "int_val")
            flat = array.ravel()
            flat = flat.view(np.uint16) if dtype == "float16" else flat
            flat = flat.view(flat.real.dtype) if dtype.startswith("complex") else flat
            once.ClearField("tensor_content")
            once.ClearField(name)
            step = 2 if dtype.startswith("complex") else 1
            kept = flat[: len(flat) - step] if len(flat) > 2 * step and (array == 1).all() else flat
            getattr(once, name).extend(kept.tolist())
            listed.append(once)
    return [(each.SerializeToString(), tf.make_ndarray(each)) for each in listed]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_constant_has_the_values_that_tensorflow_reads(dtype: str) -> None:
    for content, expected in call(_spelled_by_tensorflow, dtype, environment={}):
        weight = in_memory(TensorProto.FromString(content))
        assert weight is not None
        found = weight.array()
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_array_equal(found, expected)


def test_a_value_that_stands_for_terabytes_is_not_spelled_out() -> None:
    tensor = TensorProto(dtype=DType.float32.value, float_val=[1.0])
    tensor.tensor_shape.dim.add(size=1 << 40)
    weight = in_memory(tensor)
    assert weight is not None
    assert weight.stored_bytes < 100


# Checkpoints -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("variables") / "tiny"
    spec = manifest.read(MANIFESTS / "tiny.toml")
    spec.bundle.__dict__["weights"] = "variables"
    bundler.build(spec, output=folder, check=False)
    return folder


def _read_by_tensorflow(prefix: str) -> dict[str, np.ndarray]:
    import tensorflow as tf

    reader = tf.train.load_checkpoint(prefix)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def _checkpoint_by_tensorflow(folder: str) -> None:
    import tensorflow as tf

    names = [f"a/long/name/with/number/{number}" for number in range(2000)]
    tensors = [tf.constant(np.arange(number % 7).astype(DTYPES[number % 14])) for number in range(2000)]
    tf.raw_ops.SaveV2(
        prefix=f"{folder}/variables/variables",
        tensor_names=[*names, "text"],
        shape_and_slices=[""] * 2001,
        tensors=[*tensors, tf.constant(["word"])],
    )


@pytest.mark.parametrize("writer", ["bundler", "tensorflow"])
def test_variables_have_the_values_that_tensorflow_reads(writer: str, variables: Path, tmp_path: Path) -> None:
    folder = variables if writer == "bundler" else tmp_path
    if writer == "tensorflow":
        (tmp_path / "variables").mkdir()
        call(_checkpoint_by_tensorflow, str(tmp_path), environment={})
    expected = call(_read_by_tensorflow, str(folder / "variables" / "variables"), environment={})
    found = read_checkpoint(folder)
    assert found.keys() == {
        name for name, value in expected.items() if not isinstance(value, bytes) and value.dtype.kind in "biufc"
    }
    for name, weight in found.items():
        np.testing.assert_array_equal(weight.array(), expected[name])


def test_variables_and_constants_have_the_same_names_and_values(variables: Path, tmp_path: Path) -> None:
    bundler.build(MANIFESTS / "tiny.toml", output=tmp_path / "tiny", check=False)
    one, other = (
        weights_of(read_graphs(folder)[0].model, read_checkpoint(folder)) for folder in (tmp_path / "tiny", variables)
    )
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name].array(), other[name].array())


def test_an_index_that_is_damaged_anywhere_is_an_error_or_has_other_names(variables: Path, tmp_path: Path) -> None:
    whole = (variables / "variables" / "variables.index").read_bytes()
    shutil.copytree(variables, tmp_path, dirs_exist_ok=True)
    index = tmp_path / "variables" / "variables.index"
    refused = 0
    for at in range(len(whole)):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            index.write_bytes(damaged)
            try:
                read_checkpoint(tmp_path)
            except SourceError as error:
                refused += str(error).startswith(f"{index}: ")
    assert refused > len(whole)
