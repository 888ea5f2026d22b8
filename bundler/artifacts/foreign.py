"""Files of other formats than TensorFlow.js': what they are, and how to get a model from them.

The first bytes or the name of a file show its format. They are examined after an error, so models take no longer.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from bundler.disk import files

__all__ = ["HTML", "Foreign", "of_address", "of_file", "of_folder", "of_graph", "of_shard"]

_HEAD = 512
"""Bytes of a file that are examined."""
_SHOWN = 60
"""Characters of a text that an error shows."""


class Foreign(NamedTuple):
    """Another format: an error text that begins with "is …", and a hint."""

    what: str
    hint: str

    def named(self, name: str) -> Foreign:
        """The same format, with a file's or folder's name in place of MODEL in the hint."""
        shown = name if len(name) <= _SHOWN else "MODEL"
        return self._replace(hint=self.hint.replace("MODEL", shlex.quote(shown)))


def _converter(format: str, more: str = "") -> str:
    return f"convert it: tensorflowjs_converter --input_format={format} {more}MODEL web_model"


HTML = Foreign(
    "is a page of HTML", "open its address in a browser: it may ask for a login, or say why there is no file"
)
_XML = Foreign("is a page of XML", "open it in a text editor: a server writes so why it refused the file")
_LFS = Foreign("is a pointer of Git LFS, not the file itself", "run `git lfs pull` in the clone, or download the file")
_MANIFEST = Foreign("is a TOML file, not a model", "if it is a manifest: bundler build MODEL")
_HDF5 = Foreign("is a Keras model in an HDF5 file", _converter("keras"))
_KERAS = Foreign("is a Keras 3 model", _converter("keras_keras"))
_SAVED_MODEL = Foreign("is a TensorFlow SavedModel", _converter("tf_saved_model"))
_FROZEN = Foreign(
    "is a graph of TensorFlow, not of TensorFlow.js",
    _converter("tf_frozen_model", "--output_node_names=NAMES "),
)
_TFLITE = Foreign("is a TensorFlow Lite model", "convert the model that it was made from, with tensorflowjs_converter")
_ONNX = Foreign(
    "is an ONNX model",
    "make a SavedModel of it with onnx2tf, then use tensorflowjs_converter",
)
_TORCH = Foreign("is a PyTorch model", "export it to ONNX, make a SavedModel of that, then use tensorflowjs_converter")
_ZIP = Foreign("is a zip archive", "give it a name that ends in .zip")
_MODULE = Foreign(
    "is a JavaScript module, not JSON",
    "if it exports the model, and you trust it, write that as JSON: "
    """node -p 'JSON.stringify(require("./"+process.argv[1]))' MODEL > model.json""",
)
_HUB = Foreign(
    "is a page of a model hub",
    "download the model there in the variation TensorFlow.js, and name the archive",
)

_BY_NAME = {
    ".toml": _MANIFEST,
    ".h5": _HDF5,
    ".hdf5": _HDF5,
    ".keras": _KERAS,
    ".tflite": _TFLITE,
    ".lite": _TFLITE,
    ".onnx": _ONNX,
    ".pt": _TORCH,
    ".pth": _TORCH,
    **dict.fromkeys([".js", ".cjs", ".mjs"], _MODULE),
}
_TAGS = rb"!doctype\s+html|html|head|body|script|title|meta"
_MARKUP = re.compile(rb"\s*(?:<!--(?:(?!-->).)*-->\s*)*<(?:%b)\b" % _TAGS, re.IGNORECASE | re.DOTALL)
_HUBS = re.compile(r"https?://(?:www\.)?(?:tfhub\.dev|kaggle\.com/models|storage\.googleapis\.com/tfhub-modules)/")


def _of_content(head: bytes) -> Foreign | None:
    """The format of a file by its first bytes; None if they are no known ones."""
    text = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(text):
        return HTML
    if text.lstrip().startswith(b"<?xml"):
        return HTML if b"<html" in text.lower() else _XML
    if text.startswith(b"version https://git-lfs.github.com/spec/"):
        return _LFS
    if head.startswith(b"\x89HDF\r\n\x1a\n"):
        return _HDF5
    if head[4:8] == b"TFL3":
        return _TFLITE
    return _ZIP if head.startswith(b"PK\x03\x04") else None


def _of_name(name: str) -> Foreign | None:
    """The format of a file by the end of its name; None if it is no known one."""
    return _BY_NAME.get(Path(name).suffix.lower())


def of_file(path: Path) -> Foreign | None:
    """The format of a file by its first bytes and its name; None if it is unlike all of them, or cannot be read."""
    found = _of_content(_head(path))
    if found in (None, _ZIP):
        found = _of_name(path.name) or found
    return None if found is None else found.named(path.name)


def of_folder(folder: str, names: Sequence[str]) -> Foreign | None:
    """The format of a folder with files of these names; None if there is no model in it that we know."""
    if {"saved_model.pb", "saved_model.pbtxt"} & set(names):
        return _SAVED_MODEL.named(folder)
    found = next(((name, kind) for name in names if (kind := _of_name(name))), None)
    return None if found is None else Foreign(f"has {found[0]}, which {found[1].what}", found[1].named(found[0]).hint)


def of_address(url: str, name: str) -> Foreign | None:
    """The format of a file on the web by its address; None if the address does not show it."""
    found = _HUB if _HUBS.match(url) else _of_name(name)
    return None if found is None else found.named(name)


def of_graph(name: str) -> Foreign:
    """The format of a GraphDef that has no weights manifest beside it."""
    return _SAVED_MODEL if name == "saved_model.pb" else _FROZEN.named(name)


def of_shard(path: Path) -> Foreign | None:
    """The format of a file whose size is not that of its weights. A line of text counts: servers send such errors."""
    found, head = of_file(path), _head(path)
    if found is None and re.fullmatch(rb"[ -~]{8,200}\s*", head):
        return Foreign(f"is text: {head[:_SHOWN].decode()!r}", "a server may have answered in place of the file")
    return found


def _head(path: Path) -> bytes:
    with suppress(OSError), files.opened(path) as file:
        return file.read(_HEAD)
    return b""
