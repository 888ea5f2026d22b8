"""JavaScript wrappers as steps: the files in `wrappers`, the bundle of all of them, and what they are fed."""

from __future__ import annotations

import json
import subprocess
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tomli

from bundler.manifest.steps import parse_type
from tests.compose.pictures import gradient, png
from tests.compose.standins import write_standin
from tests.support.places import TESTS

__all__ = ["FOLDER", "SHAPES", "WRAPPERS", "Wrapper", "document", "feeds", "javascript_answers", "write_models"]

FOLDER = TESTS / "compose" / "wrappers"
SHAPES = {"wide": (52, 77), "tall": (77, 52)}
"""Heights and widths of the pictures that they are fed: an odd difference, which wrappers round in their own ways."""


@dataclass(frozen=True)
class Wrapper:
    """A file of `wrappers`: `name` is its path there; `about` its table `wrapper`, `signatures` what a manifest has."""

    name: str
    about: Mapping[str, Any]
    signatures: tuple[Mapping[str, Any], ...]

    @property
    def key(self) -> str:
        """The signature that does what the wrapper does: the last one."""
        return str(self.signatures[-1]["key"])

    @property
    def inputs(self) -> Mapping[str, str]:
        """The types of its inputs."""
        types: Mapping[str, str] = self.signatures[-1]["inputs"]
        return types

    @property
    def models(self) -> Mapping[str, Mapping[str, Any]]:
        """The types of the models that it calls, by the keys of their signatures."""
        return {model["key"]: model for model in self.about.get("model", [])}

    @property
    def tolerance(self) -> float:
        """How far its numbers may be from the wrapper's, as a part of the largest."""
        return float(self.about.get("tolerance", 1e-4))

    @property
    def stray(self) -> float:
        """The share of its numbers that may be elsewhere: where a number is cut to a whole one, or to a class."""
        return float(self.about.get("stray", 0))


def _read(path: Path) -> Wrapper:
    document = tomli.loads(path.read_text())
    name = path.relative_to(FOLDER).with_suffix("").as_posix()
    return Wrapper(name, document["wrapper"], tuple(document.get("signature", ())))


WRAPPERS: Mapping[str, Wrapper] = {wrapper.name: wrapper for wrapper in map(_read, sorted(FOLDER.rglob("*.toml")))}


def document(wrappers: Mapping[str, Wrapper]) -> dict[str, Any]:
    """The manifest of all of them. Those that call a model of the same key have it in common."""
    models = {key: model for wrapper in wrappers.values() for key, model in wrapper.models.items()}
    tables = [
        {"name": key, "source": key, "signature": [{"key": key, "outputs": list(model["outputs"])}]}
        for key, model in models.items()
    ]
    signatures = [signature for wrapper in wrappers.values() for signature in wrapper.signatures]
    return {"bundle": {"name": "wrappers"}, "model": tables, "signature": signatures}


def write_models(folder: Path, wrappers: Mapping[str, Wrapper]) -> None:
    """Write the models behind the calls, and files of labels."""
    for wrapper in wrappers.values():
        for name, count in wrapper.about.get("labels", {}).items():
            (folder / name).write_text("".join(f"{Path(name).stem} {at}\n" for at in range(count)))
        for key, model in wrapper.models.items():
            write_standin(folder / key, model["inputs"], model["outputs"])


def pixels(wrapper: Wrapper, size: str) -> np.ndarray:
    """A picture, uint8[height, width, 3]; a drawing, in black on white, if the wrapper is for drawings."""
    picture = gradient(*SHAPES[size])
    return (picture[:, :, :1].repeat(3, 2) > 90) * np.uint8(255) if wrapper.about.get("drawing") else picture


def feeds(wrapper: Wrapper, size: str) -> dict[str, np.ndarray]:
    """A value for each input: the file of a picture, or numbers as the table `feeds` says."""
    return {name: _value(wrapper, name, size) for name in wrapper.inputs}


def _value(wrapper: Wrapper, name: str, size: str) -> np.ndarray:
    dtype, shape = parse_type(wrapper.inputs[name])
    given = wrapper.about.get("feeds", {}).get(name, {})
    if dtype.name == "string":
        return np.array(png(pixels(wrapper, size)), object)
    if "values" in given:
        return np.array(given["values"], dtype.numpy)
    low, high = given.get("range", (0, 255) if len(shape) == 4 else (-1, 1))
    if len(shape) == 4 and None in shape[1:3]:
        return (low + pixels(wrapper, size)[None] * ((high - low) / 255)).astype(dtype.numpy)
    rng = np.random.default_rng(zlib.crc32(f"{wrapper.name} {name} {size}".encode()))
    return rng.uniform(low, high, given.get("shape", [side or 1 for side in shape])).astype(dtype.numpy)


def javascript_answers(
    folder: Path, modules: Path, wrappers: Mapping[str, Wrapper]
) -> Mapping[tuple[str, str], Mapping[str, np.ndarray]]:
    """What the wrappers themselves give, by name and size of the picture: all in one run of Node.js."""
    jobs = [_job(folder, wrapper, size) for wrapper in wrappers.values() for size in SHAPES]
    (folder / "jobs.json").write_text(json.dumps(jobs))
    command = ["node", str(FOLDER / "run.js"), str(modules / "@tensorflow" / "tfjs"), str(folder / "jobs.json")]
    subprocess.run(command, check=True, capture_output=True, text=True)
    answers = json.loads((folder / "answers.json").read_text())
    return {(each["wrapper"], each["size"]): _decoded(each) for each in answers}


def _job(folder: Path, wrapper: Wrapper, size: str) -> dict[str, Any]:
    models = {key: {"entry": str(folder / key / "model.json"), **model} for key, model in wrapper.models.items()}
    inputs = {name: _described(wrapper, value, size) for name, value in feeds(wrapper, size).items()}
    labels = {name: (folder / name).read_text().splitlines() for name in wrapper.about.get("labels", {})}
    return {"wrapper": wrapper.name, "size": size, "inputs": inputs, "models": models, "labels": labels}


def _described(wrapper: Wrapper, value: np.ndarray, size: str) -> dict[str, Any]:
    """A tensor for JavaScript. An image is what the browser gives for its file: int32[height, width, 3]."""
    if value.dtype == object:
        value = pixels(wrapper, size).astype(np.int32)
    dtype = {"uint8": "int32"}.get(value.dtype.name, value.dtype.name)
    return {"dtype": dtype, "shape": value.shape, "values": value.ravel().tolist()}


def _decoded(answer: Mapping[str, Any]) -> dict[str, np.ndarray]:
    if "error" in answer:
        raise AssertionError(f"{answer['wrapper']}: {answer['error']}")
    dtypes = {"string": object}
    return {
        name: np.array(each["values"], dtypes.get(each["dtype"], each["dtype"])).reshape(each["shape"])
        for name, each in answer["outputs"].items()
    }
