"""`export`: a bundle becomes a TFLite or an ONNX file."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bundler.bundle import Bundle, Endpoint
from bundler.disk.publish import publishing_file
from bundler.errors import BundlerError
from bundler.exports import Tools, check, made
from bundler.progress import SILENT, Progress
from bundler.report.exported import Export
from bundler.runtimes.exporters import Exporter, Form
from bundler.runtimes.tensorflow import Runtime

__all__ = ["OPSET", "export"]

OPSET = 18
"""The version of ONNX' ops by default."""
_LIMIT, _LIMIT_OF_HALVES = 1e-3, 5e-2
"""The largest relative error by default. Weights of float16 have eleven bits."""


def export(
    bundle: str | os.PathLike[str],
    *,
    format: Form,
    output: str | os.PathLike[str] | None = None,
    signatures: Sequence[str] = (),
    float16: bool = False,
    opset: int = OPSET,
    verify: bool = True,
    rtol: float | None = None,
    progress: Progress = SILENT,
) -> Export:
    """Write a bundle, or any SavedModel, as one file in another form. The file appears whole or not at all.

    Args:
        bundle: The folder of a SavedModel.
        format: "tflite", of TFLite's builtin ops alone; or "onnx", which needs the extra `onnx`.
        output: The file. By default it is named for the folder (and the signature, of an ONNX file) and lies here.
        signatures: Their keys; by default all. An ONNX file has one.
        float16: Store the weights of a TFLite file in half the size.
        opset: The version of ONNX' ops.
        verify: Compare each output with the bundle's, for random inputs.
        rtol: The largest error, as a part of an output's largest absolute value. Default: 1e-3, with float16 5e-2.
        progress: Receives the steps of the run.

    Raises:
        BundlerError: ConversionError if the converter refuses the graph, with the nodes that it names.
            VerificationError if an output differs.
    """
    started = time.perf_counter()
    endpoints = _chosen(Bundle.open(Path(bundle)), signatures, format)
    if float16 and format != "tflite":
        raise BundlerError("only TFLite files have float16 weights", found=f"format {format!r}")
    place = Path(output) if output is not None else _default_output(Path(bundle), endpoints, format)
    with (
        Exporter(format) as exporter,
        Runtime() as runtime,
        publishing_file(place, inputs=[Path(bundle)]) as file,
    ):
        tools = Tools(exporter, runtime, progress)
        before = _made(endpoints, file, tools, verify) if float16 else None
        options: dict[str, bool | int] = {"float16": float16} if format == "tflite" else {"opset": opset}
        after = _made(endpoints, file, tools, verify, **options)
        check(after.outputs, _limit(float16, rtol))
    return replace(_beside(after, before), output=place, form=format, seconds=time.perf_counter() - started)


def _chosen(bundle: Bundle, keys: Sequence[str], format: Form) -> Sequence[Endpoint]:
    """The endpoints of these keys, by default all."""
    chosen = [bundle.endpoint(key) for key in keys] if keys else bundle.endpoints
    where = str(bundle.folder)
    if not chosen:
        raise BundlerError("there is no signature to export", where=where)
    listed = ", ".join(endpoint.key for endpoint in chosen)
    if format == "onnx" and len(chosen) > 1:
        raise BundlerError(
            "an ONNX file has one signature", where=where, found=listed, hint="name one: --signature KEY"
        )
    if len({endpoint.tags for endpoint in chosen}) > 1:
        hint = "name those of one MetaGraph: --signature KEY"
        raise BundlerError("the signatures are of several MetaGraphs", where=where, found=listed, hint=hint)
    return chosen


def _default_output(bundle: Path, endpoints: Sequence[Endpoint], format: Form) -> Path:
    name = bundle.resolve().name
    if format == "tflite":
        return Path(f"{name}.tflite")
    key = "".join(char if char.isalnum() or char in "-_." else "_" for char in endpoints[0].key)
    return Path(f"{name}-{key}.onnx")


def _made(endpoints: Sequence[Endpoint], file: Path, tools: Tools, verify: bool, **options: bool | int) -> Export:
    outputs = made(endpoints, file, tools, verify=verify, **options)
    return Export(file, "", tuple(endpoint.key for endpoint in endpoints), file.stat().st_size, outputs)


def _limit(float16: bool, rtol: float | None) -> float:
    return rtol if rtol is not None else _LIMIT_OF_HALVES if float16 else _LIMIT


def _beside(after: Export, before: Export | None) -> Export:
    """The export, with the size and the errors that it had before its weights were halved."""
    if before is None:
        return after
    outputs = tuple(
        replace(one, before=other.relative) for one, other in zip(after.outputs, before.outputs, strict=True)
    )
    return replace(after, outputs=outputs, bytes_before=before.bytes)
