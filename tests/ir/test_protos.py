from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

import bundler.ir.protos
from bundler.ir.protos import NodeDef, tensorflow_folder


def _run(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_every_message_is_a_class_of_its_own_name() -> None:
    names = set(bundler.ir.protos.__all__) - {"tensorflow_folder"}
    assert {name: getattr(bundler.ir.protos, name).__name__ for name in names} == {name: name for name in names}


def test_the_messages_come_without_tensorflow() -> None:
    program = "import sys, bundler.ir.protos; print('tensorflow' in sys.modules, 'tensorflow.python' in sys.modules)"
    assert _run(program) == "False False"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["bundler.ir.protos", "tensorflow"])
def test_they_are_tensorflows_own_in_either_order_of_imports(first: str) -> None:
    program = f"import {first}, tensorflow, bundler.ir.protos as p; print(p.NodeDef is tensorflow.compat.v1.NodeDef)"
    assert _run(program) == "True"


def test_a_message_is_written_and_read_again() -> None:
    node = NodeDef(name="y", op="Relu", input=["x"])
    assert NodeDef.FromString(node.SerializeToString()) == node


def test_tensorflow_is_found_where_it_lies() -> None:
    assert (tensorflow_folder() / "core" / "framework" / "node_def_pb2.py").is_file()


def test_a_missing_tensorflow_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="^TensorFlow is not installed$"):
        tensorflow_folder()
