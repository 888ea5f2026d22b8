"""Labels of classes in files beside a manifest, one a line. They become part of the manifest, and of its digest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from bundler.errors import Fault, Key, Place

__all__ = ["Labelled", "with_labels"]

_LARGEST = 1 << 24
"""Bytes of the largest file."""


class Labelled(NamedTuple):
    """A manifest's document with labels in place of the names of their files, and those files."""

    document: Mapping[str, object]
    files: tuple[Path, ...] = ()
    faults: tuple[Fault, ...] = ()


def with_labels(document: Mapping[str, object], folder: Path) -> Labelled:
    """Read the files that steps of composed signatures name as their `labels`. Values of a wrong type stay."""
    reader = _Reader(folder)
    made = {key: reader.replaced(value, (key,)) if key == "signature" else value for key, value in document.items()}
    return Labelled(made, tuple(reader.files), tuple(reader.faults))


class _Reader:
    """A walk to the steps; `files` are those that were read, `faults` what is wrong with others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.files: list[Path] = []
        self.faults: list[Fault] = []

    def replaced(self, value: object, keys: tuple[Key, ...]) -> object:
        """A part of the document with labels in place of names."""
        if isinstance(value, list):
            return [self.replaced(item, (*keys, at)) for at, item in enumerate(value)]
        if not isinstance(value, dict):
            return value
        made = {
            key: self.replaced(item, (*keys, key)) if key in ("steps", "map") else item for key, item in value.items()
        }
        if isinstance(name := value.get("labels"), str):
            made["labels"] = self._labels(name, Place((*keys, "labels")))
        return made

    def _labels(self, name: str, place: Place) -> list[str]:
        try:
            with (self._folder / name).open("rb") as file:
                content = file.read(_LARGEST + 1)
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            return self._refuse(Fault("is not UTF-8 text", found=name[:80], place=place))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "is no path"
            return self._refuse(Fault("the labels cannot be read", found=f"{name[:80]}: {reason}", place=place))
        if len(content) > _LARGEST:
            return self._refuse(Fault("too large for labels", expected=f"at most {_LARGEST:,} bytes", place=place))
        self.files.append(self._folder / name)
        return [line.removesuffix("\r") for line in text.rstrip("\r\n").split("\n")]

    def _refuse(self, fault: Fault) -> list[str]:
        """Labels that stand for those that cannot be read, so that other faults are found."""
        self.faults.append(fault)
        return [""]
