"""TensorFlow Serving's `models.config`: which folders the server watches, and which versions it loads.

Source: tensorflow_serving/config/model_server_config.proto; the file is in protobuf's text format.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Served", "models_config"]


@dataclass(frozen=True)
class Served:
    """A model of the server: its name, the folder of its versions, and those that the server loads.

    Without `versions` it loads the newest. `labels` are names by which callers ask for a version.
    """

    name: str
    base_path: str
    versions: tuple[int, ...] = ()
    labels: Mapping[str, int] = field(default_factory=dict)


def models_config(models: Iterable[Served]) -> str:
    """The text of the file."""
    lines = ["model_config_list {", *(f"  {line}" for model in models for line in _config(model)), "}"]
    return "\n".join(lines) + "\n"


def _config(model: Served) -> Iterator[str]:
    yield "config {"
    yield f"  name: {_quoted(model.name)}"
    yield f"  base_path: {_quoted(model.base_path)}"
    yield '  model_platform: "tensorflow"'
    if model.versions:
        versions = " ".join(f"versions: {version}" for version in model.versions)
        yield f"  model_version_policy {{ specific {{ {versions} }} }}"
    for label, version in model.labels.items():
        yield f"  version_labels {{ key: {_quoted(label)} value: {version} }}"
    yield "}"


def _quoted(text: str) -> str:
    """A string of the text format, in ASCII: other bytes are octal."""
    return f'"{"".join(map(_escaped, text.encode(errors="surrogateescape")))}"'


def _escaped(byte: int) -> str:
    char = chr(byte)
    if char in '"\\':
        return f"\\{char}"
    return char if 0x20 <= byte < 0x7F else f"\\{byte:03o}"
