"""Where a bundle comes from, as a statement that signing tools take.

The form is that of in-toto (https://in-toto.io/Statement/v1) with the predicate of SLSA
(https://slsa.dev/spec/v1.0/provenance). It holds only what is the same on every machine: who ran the build, and when,
is for the one to add who signs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bundler import __version__, sources
from bundler.disk.digest import sha256
from bundler.manifest import Manifest
from bundler.report.sums import digests_of

__all__ = ["statement"]

_BUILDER = f"pkg:generic/tfjs-bundler@{__version__}"
"""bundler as a package URL, which is a URI: https://github.com/package-url/purl-spec."""


def statement(manifest: Manifest, output: Path, files: Mapping[str, Mapping[str, str]]) -> str:
    """The JSON of the statement about a bundle: its subjects are the files of the bundle.

    `files` has the sha256 of each model's files, by the model's name and the file's.
    """
    definition = {
        "buildType": f"{_BUILDER}#build",
        "externalParameters": {"manifest": manifest.settings},
        "resolvedDependencies": list(_dependencies(manifest, files)),
    }
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [_resource(name, digest) for name, digest in digests_of(output).items()],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": definition, "runDetails": {"builder": {"id": _BUILDER}}},
    }
    return json.dumps(document, indent=2) + "\n"


def _dependencies(manifest: Manifest, files: Mapping[str, Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """The manifest, and each file of a model; that of a source that is fetched has the source as its URI."""
    yield _resource(manifest.path.name, sha256(manifest.path))
    for spec in manifest.models:
        origin = {"uri": spec.source} if sources.key(spec.source) else {}
        for name, digest in files[spec.name].items():
            yield {**_resource(f"{spec.name}/{name}", digest), **origin}


def _resource(name: str, digest: str) -> dict[str, Any]:
    """https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md."""
    return {"name": name, "digest": {"sha256": digest}}
