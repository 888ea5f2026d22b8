"""What a lock holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bundler.disk import files
from bundler.disk.digest import combined_digest, sha256

__all__ = ["Fetched", "File", "Files", "Lock"]


def _check_name(name: str) -> str:
    if not files.is_safe(name):
        raise ValueError("leads out of the model's folder")
    return name


_Name = Annotated[str, AfterValidator(_check_name)]
_Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class File(_Spec):
    """The bytes of a file, and its sha256 in hex."""

    size: Annotated[int, Field(ge=0)]
    sha256: _Digest

    @classmethod
    def at(cls, path: Path) -> File:
        """The file at a path. SourceError if it cannot be read."""
        digest = sha256(path)
        return cls(size=path.stat().st_size, sha256=digest)

    def __str__(self) -> str:
        return f"{self.size:,} bytes, sha256:{self.sha256}"


Files: TypeAlias = Mapping[_Name, File]
"""The files of a model by their names in its folder, the entry file first."""


class Fetched(_Spec):
    """A package, an archive or a model on the web.

    `object` names the folder of its files in the cache. `integrity` is the sha512 of the package or archive, as npm
    writes it.
    """

    object: _Digest
    integrity: str = ""


class _Manifest(_Spec):
    """The digest of a manifest, and its settings by table: those that change the bundle's bytes."""

    model_config = ConfigDict(extra="allow")

    digest: _Digest

    @property
    def settings(self) -> Mapping[str, Any]:
        """The tables."""
        return self.__pydantic_extra__ or {}


class Lock(_Spec):
    """All that the bytes of a bundle depend on. They do not depend on the machine, nor on TensorFlow's version.

    `bundler` is the version that wrote the lock. `files` are those of each model by its name, `fetched` what was
    fetched for them, by its key in the cache: `npm:@scope/name@1.2.3`, or an address.
    """

    lock: Literal[1] = 1
    bundler: str
    manifest: _Manifest
    files: Mapping[str, Files]
    fetched: Mapping[str, Fetched] = {}

    def digest(self, model: str) -> str:
        """`sha256:<hex>` of a model's files, as a manifest and a report have it."""
        return f"sha256:{combined_digest({name: file.sha256 for name, file in self.files[model].items()})}"

    @property
    def pinned(self) -> Mapping[str, str]:
        """The object of the cache for each key."""
        return {key: fetched.object for key, fetched in self.fetched.items()}
