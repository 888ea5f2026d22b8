"""Errors that callers of the predecessor catch: ValueError for wrong arguments, ModelFormatError for other formats."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bundler import sources, tfjs
from bundler.errors import BundlerError, ConversionError, ManifestError, SourceError

__all__ = ["InputError", "ModelFormatError", "refusals"]


class InputError(BundlerError, ValueError):
    """A path, signature, name or model that cannot be used."""


class ModelFormatError(BundlerError):
    """A model of a format that cannot be read here: a Keras (layers) model that cannot be converted.

    `format` is the file's own (`layers-model`), or empty if it has none; `message` is the text.
    """

    format = ""

    @property
    def message(self) -> str:
        return str(self)


@contextmanager
def refusals(*model_dirs: str) -> Iterator[None]:
    """Raise InputError or ModelFormatError for errors in the block that these models cause."""
    try:
        yield
    except ConversionError as error:
        for model_dir in model_dirs:
            _check_format(model_dir, error)
        raise InputError.of(error.faults) from error
    except (ManifestError, SourceError) as error:
        raise InputError.of(error.faults) from error


def _check_format(model_dir: str, error: ConversionError) -> None:
    """Raise ModelFormatError if there is a model, and it is no graph model."""
    with suppress(SourceError):
        opened = sources.fetch(model_dir, Path())
        if "modelTopology" in opened.document and not tfjs.is_graph_model(opened):
            refused = ModelFormatError(str(error))
            refused.faults = error.faults
            refused.format = str(opened.document.get("format") or "")
            raise refused from error
