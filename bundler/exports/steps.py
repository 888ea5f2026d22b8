"""The steps of composed signatures behind the nodes that a converter refuses."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bundler.errors import ConversionError, Fault
from bundler.report import SignatureReport, StepReport, record

__all__ = ["naming_steps"]

_HINT = "let callers do what these steps do, or name signatures without them: --signature KEY"


@contextmanager
def naming_steps(folder: Path, keys: Collection[str]) -> Iterator[None]:
    """Add the steps to ConversionErrors of the block that name their nodes. The bundle's record knows them."""
    try:
        yield
    except ConversionError as error:
        known = record.recorded(folder)
        signatures = [each for each in known.report.signatures if each.key in keys] if known else []
        error.faults = tuple(_named(fault, signatures) for fault in error.faults)
        raise


def _named(fault: Fault, signatures: Collection[SignatureReport]) -> Fault:
    places = [place for each in signatures for place in _places(fault.what, each)]
    return replace(fault, where=", ".join(places), hint=_HINT) if places else fault


def _places(said: str, signature: SignatureReport) -> Iterator[str]:
    """The signature and its steps with a node that is named: `signature 'faces': step 1: decode_image`."""
    for number, step in enumerate(signature.steps, start=1):
        if any(f"({scope}/" in said for scope in _scopes(step)):
            yield f"signature {signature.key!r}: step {number}: {step.step}"


def _scopes(step: StepReport) -> set[str]:
    """How the names of a step's nodes begin: `faces/0.decode_image`."""
    parts = (tensor.tensor.split("/") for tensor in step.gives)
    return {"/".join(each[:2]) for each in parts if len(each) > 2}
