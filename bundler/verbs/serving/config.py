"""`serving`: the `models.config` with which TensorFlow Serving serves the bundles of manifests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from bundler.errors import BundlerError, ManifestError, together
from bundler.manifest import Manifest
from bundler.serving.config import Served, models_config
from bundler.verbs.given import AnyManifest, manifest_of

__all__ = ["serving"]


def serving(
    manifests: Iterable[AnyManifest],
    *,
    base: str = "",
    release_version: int | None = None,
    labels: Mapping[str, int] | None = None,
) -> str:
    """TensorFlow Serving's `models.config` for the bundles of manifests, each a model with the bundle's name.

    Args:
        manifests: Manifests, or their paths.
        base: The folder that holds the outputs where the server runs, such as `/models` in its container. By default
            the outputs' own absolute paths.
        release_version: The version folder, in place of the manifests'.
        labels: Versions by names that callers ask for. The server then loads these and the manifest's own version,
            otherwise the newest.

    Raises:
        BundlerError: If a manifest has no version, or two bundles have one name.
    """
    read = [manifest_of(manifest) for manifest in manifests]
    models, errors = [], []
    for manifest in read:
        version = release_version or manifest.bundle.version
        if version is None:
            errors.append(_without_version(manifest))
        else:
            models.append(_served(manifest, version, base, labels or {}))
    errors += _twice(read)
    if errors:
        raise together(errors)
    return models_config(models)


def _served(manifest: Manifest, version: int, base: str, labels: Mapping[str, int]) -> Served:
    folder = manifest.output()
    versions = folder.parent if manifest.bundle.version else folder
    name = manifest.bundle.name
    place = str(PurePosixPath(base) / versions.name) if base else os.path.abspath(versions)
    loaded = sorted({version, *labels.values()}) if labels else ()
    return Served(name, place, tuple(loaded), labels)


def _without_version(manifest: Manifest) -> BundlerError:
    return ManifestError(
        "TensorFlow Serving watches folders of versions, and this bundle has no version",
        place=manifest.place("bundle"),
        hint="set `version = 1` in [bundle], or give --release-version",
    )


def _twice(manifests: Iterable[Manifest]) -> list[BundlerError]:
    """An error for each bundle that has the name of an earlier one: a server's models have different names."""
    first: dict[str, Path] = {}
    errors: list[BundlerError] = []
    for manifest in manifests:
        name = manifest.bundle.name
        if name in first:
            place = manifest.place("bundle", "name")
            errors.append(ManifestError("two bundles have this name", found=f"{name!r} in {first[name]}", place=place))
        first.setdefault(name, manifest.path)
    return errors
