"""A verification from the JSON document of `bundler verify --json`."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from bundler.errors import SourceError
from bundler.report import Report
from bundler.report.verification import Verification

__all__ = ["read_verification"]

_LARGEST = 1 << 26
"""Bytes of a document."""


def read_verification(path: Path, report: Report) -> Verification:
    """The verification in a file. Raises SourceError if it is none, or is about signatures that the bundle lacks."""
    found = _read(path)
    unknown = sorted({each.key for each in found.signatures} - {each.key for each in report.signatures})
    if unknown:
        raise SourceError(
            "this verification is about another bundle",
            where=str(path),
            found=f"signature {unknown[0]!r}",
            hint="verify this bundle, with --json",
        )
    return found


def _read(path: Path) -> Verification:
    what, hint = "this is not what `bundler verify --json` writes", ""
    try:
        if path.stat().st_size > _LARGEST:
            raise SourceError(what, where=str(path), found=f"more than {_LARGEST:,} bytes")
        document = json.loads(path.read_bytes())
        if isinstance(document, dict):
            hint = "the verification ended with an error" if "error" in document else ""
            document.pop("ok", None)
        return _VERIFICATION.validate_python(document)
    except OSError as error:
        raise SourceError("cannot be read", where=str(path), found=error.strerror or str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise SourceError(what, where=str(path), found=f"{place}: {first['msg']}", hint=hint) from error
    except (ValueError, RecursionError) as error:
        raise SourceError(what, where=str(path), found=str(error) or "text that is no JSON") from error


_VERIFICATION = TypeAdapter(Verification)
