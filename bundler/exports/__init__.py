"""A bundle in another form: a TFLite or an ONNX file, whose outputs are compared with the bundle's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bundler.bundle import Endpoint
from bundler.comparison.distance import blank, distance
from bundler.comparison.inputs import Feeds, drawn
from bundler.errors import ConversionError, Fault, VerificationError, within
from bundler.exports.steps import naming_steps
from bundler.progress import Progress, step
from bundler.report.exported import ExportedOutput
from bundler.runtimes.exporters import Exporter
from bundler.runtimes.failures import Failure, meaning
from bundler.runtimes.tensorflow import Runtime

__all__ = ["Tools", "check", "made"]

_ABSOLUTE = 1e-6
"""What an output may differ by, whatever its values are: those of a saturated sigmoid are all tiny."""
_SECONDS = 600
"""For one call of a signature."""


class Tools(NamedTuple):
    """What an export works with."""

    exporter: Exporter
    runtime: Runtime
    progress: Progress


def made(
    endpoints: Sequence[Endpoint], file: Path, tools: Tools, *, verify: bool, **options: bool | int
) -> tuple[ExportedOutput, ...]:
    """Write `file` for endpoints of one MetaGraph; return how far each output is from the bundle's, with `verify`.

    Raises ConversionError with the converter's words, and the steps that they are about; VerificationError if the
    bundle runs with no random inputs, or the file does not run with those that the bundle takes.
    """
    first = endpoints[0]
    keys = [endpoint.key for endpoint in endpoints]
    with step(tools.progress, "convert"), naming_steps(first.folder, keys), meaning(ConversionError):
        tools.exporter.convert(first.folder, first.tags, keys, file, **options)
    return tuple(row for endpoint in endpoints for row in _compared(endpoint, file, tools)) if verify else ()


def check(outputs: Sequence[ExportedOutput], relative: float) -> None:
    """Raise VerificationError for outputs that differ by more than `relative` of their largest value plus 1e-6."""
    faults = [_fault(output, relative) for output in outputs if not _is_close(output, relative)]
    if faults:
        raise VerificationError.of(faults)


def _is_close(output: ExportedOutput, relative: float) -> bool:
    return output.relative <= relative or output.absolute <= _ABSOLUTE


def _fault(output: ExportedOutput, relative: float) -> Fault:
    where = f"signature {output.signature!r}: output {output.name!r}"
    if output.why:
        return Fault(f"the file's output {output.why}", where)
    found = f"{output.relative:.2g} of its largest value"
    return Fault("the file's output differs from the bundle's", where, found, f"at most {relative:g}")


def _compared(endpoint: Endpoint, file: Path, tools: Tools) -> Iterator[ExportedOutput]:
    with (
        step(tools.progress, f"compare {endpoint.key}"),
        within(f"signature {endpoint.key!r}"),
        meaning(VerificationError),
    ):
        feeds, expected = _run(endpoint, tools.runtime)
        found = tools.exporter.run(file, endpoint.key, feeds.values, _SECONDS)
        for name, value in expected.items():
            if name not in found:
                raise VerificationError("the file lacks this output", where=f"output {name!r}", found=", ".join(found))
            apart = distance(found[name], value)
            yield ExportedOutput(endpoint.key, name, apart.absolute, apart.relative, apart.why)


def _run(endpoint: Endpoint, runtime: Runtime) -> tuple[Feeds, Mapping[str, np.ndarray]]:
    """Random inputs that the bundle takes, and its outputs: the first inputs whose outputs show something."""
    refusal, ran = "", []
    for feeds in drawn(endpoint.signature, {}, {}):
        outputs = _called(endpoint, feeds, runtime)
        if isinstance(outputs, Failure):
            refusal = outputs.fault.what
        elif any(map(blank, outputs.values())):
            ran.append((feeds, outputs))
        else:
            return feeds, outputs
    if ran:
        return ran[0]
    raise VerificationError(
        "the bundle does not run with random numbers, so the file cannot be compared with it",
        found=refusal,
        hint="--no-verify leaves this out",
    )


def _called(endpoint: Endpoint, feeds: Feeds, runtime: Runtime) -> Mapping[str, np.ndarray] | Failure:
    try:
        return endpoint.call(runtime, feeds.values, seconds=_SECONDS)
    except Failure as failure:
        return failure
