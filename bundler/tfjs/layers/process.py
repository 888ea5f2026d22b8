"""Our side of Keras' process: a description goes there, a graph comes back, and is kept in the cache.

TensorFlow's whole Python package takes seconds to start, so that a graph is kept: it depends on the description, on
our code and on Keras' version, and on nothing else. What comes back is read like a file of a stranger.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import sys
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from bundler.disk.cache import Cache, default_folder
from bundler.errors import ConversionError, within
from bundler.runtimes.child import Child
from bundler.runtimes.failures import meaning
from bundler.tfjs.fields import Json
from bundler.tfjs.layers import readers
from bundler.tfjs.layers.description import Network, Stack
from bundler.tfjs.layers.matching import Variable

__all__ = ["FrozenGraph", "check_installed", "graph", "start"]

_SECONDS = 600
"""For one model. The largest of `keras.applications`, NASNetLarge, takes 128 on two cores that have six jobs each."""

_LOG = logging.getLogger(__name__)
_NEEDED = ("tf_keras",)
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from bundler.tfjs.layers.keras import main; main()"
_ENVIRONMENT = {
    "CUDA_VISIBLE_DEVICES": "-1",  # nothing is computed, and the same graph must come out on every machine
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}
_FILE = "graph.json"
_WORDS = 400
"""Characters of an error in Keras' words."""


@dataclass(frozen=True)
class FrozenGraph:
    """What Keras makes of a model: `topology` and `signature` as in a graph model's file, not checked any further."""

    topology: Json
    signature: Json
    variables: tuple[Variable, ...]


def check_installed() -> None:
    """ConversionError if a package of the extra `layers` is missing."""
    missing = [package for package in _NEEDED if importlib.util.find_spec(package) is None]
    if missing:
        raise ConversionError(
            "this is a layers model, and what reads those is not installed",
            found=f"no {' and no '.join(missing)}",
            hint="pip install 'tfjs-bundler[layers]'",
        )


def graph(model: Stack | Network, elements: int) -> FrozenGraph:
    """What Keras makes of a model whose variables have at most so many elements, now or at an earlier time."""
    described = asdict(model)
    kept = Cache(default_folder())
    return _read(kept.read(_key(described), _FILE, lambda folder: _fill(folder, described, elements)))


def _key(described: Json) -> str:
    """All that the graph depends on: the description, our code, and Keras, whose version names TensorFlow's."""
    from importlib.metadata import version  # takes a while, and only layers models ask

    content = _code() + json.dumps(described).encode()
    return f"keras {' '.join(map(version, _NEEDED))} {hashlib.sha256(content).hexdigest()}"


@cache
def _code() -> bytes:
    """The modules of this package: each has a part in the graph, or in what is kept."""
    return b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))


def _fill(folder: Path, described: Json, elements: int) -> None:
    home = folder.parent / "home"  # goes when the cache's scratch folder does, even after a kill
    home.mkdir()
    answer = _ask(json.dumps({"model": described, "elements": elements}).encode(), home)
    _read(answer)
    _warn(json.loads(answer).get("openings"))
    (folder / _FILE).write_bytes(answer)


def _warn(openings: object) -> None:
    """Say which ways out of Keras' process are open on this system; see `confinement`."""
    for opening in readers.items(openings):
        _LOG.warning("Keras' process is not confined as it should be: %s", _line(opening))


def _ask(question: bytes, home: Path) -> bytes:
    with meaning(ConversionError), start(home) as child:
        return child.ask(question, _SECONDS)


def start(home: Path) -> Child:
    """Keras, running in the empty folder `home` and with no more of our environment than it needs."""
    path = [os.path.abspath(place) for place in sys.path]  # '' among them would be another folder there
    return Child("Keras", [sys.executable, "-c", _START, json.dumps(path)], _ENVIRONMENT, home)


# What Keras answers ------------------------------------------------------------------------------


def _read(answer: bytes) -> FrozenGraph:
    """ConversionError if Keras refused the model, or the answer is not of the form that `keras` writes."""
    try:
        answered = readers.table(json.loads(answer))
    except (ValueError, RecursionError):
        raise ConversionError("Keras answered with something that is no JSON") from None
    if "error" in answered:
        raise ConversionError(f"Keras: {_line(answered['error'])}")
    with within("Keras' answer"):
        return FrozenGraph(
            topology=readers.table(answered.get("topology")),
            signature=readers.table(answered.get("signature")),
            variables=tuple(_variable(readers.table(entry)) for entry in readers.items(answered.get("variables"))),
        )


def _line(words: object) -> str:
    """A few words in one line, without characters that a terminal would obey."""
    shown = " ".join(str(words).split()) if isinstance(words, str) else "an error without words"
    return "".join(character if character.isprintable() else "?" for character in shown[:_WORDS])


def _variable(entry: Json) -> Variable:
    node = entry.get("node")
    shape = readers.shape(entry.get("shape"))
    if None in shape:
        raise readers.wrong(entry.get("shape"), "a variable's shape")
    return Variable(
        layer=_text(entry.get("layer")),
        name=_text(entry.get("name")),
        shape=tuple(size for size in shape if size is not None),
        node=None if node is None else _text(node),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise readers.wrong(value, "a string")
    return value
