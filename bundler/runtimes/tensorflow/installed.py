"""The TensorFlow that is installed, without loading it."""

from __future__ import annotations

from pathlib import Path

from bundler.ir.protos import tensorflow_folder

__all__ = ["identity", "library"]

_LIBRARIES = ("libtensorflow_cc.so.2", "libtensorflow_cc.2.dylib")


def library() -> str | None:
    """The path of the library with the C API; None if TensorFlow's wheel has no such library."""
    paths = (tensorflow_folder() / name for name in _LIBRARIES)
    return next((str(path) for path in paths if path.is_file()), None)


def identity() -> str:
    """A text that differs between installations of TensorFlow: size and time of its library."""
    state = Path(library() or tensorflow_folder() / "__init__.py").stat()
    return f"{state.st_size} {state.st_mtime_ns}"
