"""A user's program: builds the bundle of a manifest and prints its interface, or what is wrong with it."""
# ruff: noqa: T201

from __future__ import annotations

import sys

import bundler
from bundler import BundlerError, Fault, Manifest, Report


def summary(manifest: str | Manifest, output: str) -> Report:
    report = bundler.build(manifest, output=output, jobs=2, force=True, check=False)
    for signature in report.signatures:
        given = ", ".join(f"{tensor.name}: {tensor.type}" for tensor in signature.inputs)
        print(f"{signature.key}({given}) -> {', '.join(signature.outputs.names)}")
    return report


def first_fault(error: BundlerError) -> Fault:
    return error.faults[0]


def main(manifest: str, output: str) -> int:
    try:
        report = summary(manifest, output)
    except BundlerError as error:
        print(first_fault(error).what)
        return error.exit_code
    shape: tuple[int | None, ...] | None = report.signatures["serving_default"].inputs["pixels"].shape
    sizes: dict[str, int] = {model.name: model.weight_bytes for model in bundler.inspect(output).models}
    same: bool = bundler.check(manifest).signatures == report.signatures
    print(shape, sizes, same)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
