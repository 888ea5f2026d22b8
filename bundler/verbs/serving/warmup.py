"""The requests for a server's warm-up: each is run on the bundle before it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundler.bundle import Bundle, Endpoint
from bundler.comparison.cases import Case, cases
from bundler.comparison.inputs import drawn
from bundler.comparison.origins import owners
from bundler.errors import BundlerError, ManifestError, VerificationError, within
from bundler.progress import step
from bundler.report import Check, Report
from bundler.runtimes.failures import Failure
from bundler.runtimes.tensorflow import Runtime
from bundler.serving.tfrecord import tfrecord
from bundler.serving.warmup import FILE, MOST_REQUESTS, request
from bundler.verbs.given import Given

__all__ = ["warmed_up"]

_SECONDS = 600
"""For one request: a model may loop without end."""


class _Wanted(NamedTuple):
    """A request to write: a signature, and the inputs of a check or a sample, or none that are given."""

    endpoint: Endpoint
    case: Case


def warmed_up(given: Given, folder: Path, report: Report, runtime: Runtime) -> Check:
    """Write the requests of a bundle's checks, and one for each signature without a check, beside its graph.

    A signature that takes neither zeros nor random inputs has no request, and a note says so. Raises VerificationError
    if TensorFlow refuses the inputs of a check: with such a request a server would not load the bundle.
    """
    wanted = list(_wanted(given, Bundle.open(folder), report, runtime))
    path, written, model = folder / FILE, 0, given.manifest.bundle.name
    path.parent.mkdir(exist_ok=True)
    with step(given.progress, "warm-up", count=len(wanted)), path.open("wb") as file:
        for each in wanted:
            with within(f"signature {each.endpoint.key!r}: warm-up"):
                inputs = _accepted(each, given, runtime)
            if inputs is not None:
                file.write(tfrecord(request(model, each.endpoint.key, inputs)))
                written += 1
            given.progress.advance()
    return Check("warm-up", f"{written} requests in {path.stat().st_size:,} bytes")


def _wanted(given: Given, bundle: Bundle, report: Report, runtime: Runtime) -> Iterator[_Wanted]:
    manifest = given.manifest
    if len(manifest.checks) > MOST_REQUESTS:
        place = manifest.place("check", MOST_REQUESTS)
        what = "TensorFlow Serving takes fewer requests for its warm-up"
        raise ManifestError(what, found=f"{len(manifest.checks):,}", expected=f"at most {MOST_REQUESTS:,}", place=place)
    models = owners(bundle, report)
    for endpoint in bundle.endpoints:
        for case in cases(manifest, report, endpoint, models.get((endpoint.tags, endpoint.key), ""), runtime):
            yield _Wanted(endpoint, case)


def _accepted(wanted: _Wanted, given: Given, runtime: Runtime) -> Mapping[str, np.ndarray] | None:
    """Inputs with which TensorFlow runs the signature; None if a signature without a check takes none of ours."""
    endpoint, case = wanted
    try:
        return _first(endpoint, iter([case.values]) if case.values else _drawn(wanted), runtime)
    except BundlerError as error:
        if case.is_given:
            raise
        given.progress.note(
            f"signature {endpoint.key!r} has no request for the warm-up: give it a [[check]] ({_words(error)})"
        )
        return None


def _drawn(wanted: _Wanted) -> Iterator[Mapping[str, np.ndarray]]:
    """Inputs to try. Without a check zeros come first: they take few bytes, and calls rarely take longer for others."""
    for feeds in drawn(wanted.endpoint.signature, {}, wanted.case.drawn):
        if not wanted.case.is_given:
            yield {name: _zeros(value) for name, value in feeds.values.items()}
        yield feeds.values


def _zeros(value: np.ndarray) -> np.ndarray:
    return np.full(value.shape, b"", object) if value.dtype == object else np.zeros_like(value)


def _first(
    endpoint: Endpoint, candidates: Iterator[Mapping[str, np.ndarray]], runtime: Runtime
) -> Mapping[str, np.ndarray]:
    """The first inputs that TensorFlow takes. Raises VerificationError with its words if it takes none."""
    refusals = []
    for inputs in candidates:
        refusal = _refusal(endpoint, inputs, runtime)
        if refusal is None:
            return inputs
        refusals.append(refusal)
    if not refusals:
        raise VerificationError("its inputs are too large to draw", hint="give them in the file of a check")
    raise VerificationError.of([refusals[0].fault]) from refusals[0]


def _refusal(endpoint: Endpoint, inputs: Mapping[str, np.ndarray], runtime: Runtime) -> Failure | None:
    """Why TensorFlow does not run a signature with these inputs; None if it does."""
    try:
        endpoint.call(runtime, inputs, seconds=_SECONDS)
    except Failure as failure:
        return failure
    return None


def _words(error: BundlerError) -> str:
    return str(error).splitlines()[0]
