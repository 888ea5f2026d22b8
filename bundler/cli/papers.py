"""Files about a run of `bundler build`: for Make, for the page of a CI job, for signing tools."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bundler.errors import BundlerError

if TYPE_CHECKING:
    from bundler.manifest import Manifest
    from bundler.progress import Progress
    from bundler.report import Report

__all__ = ["Papers"]


@dataclass(frozen=True)
class Papers:
    """The paths of the files that are asked for; None for those that are not."""

    summary: Path | None
    depfile: Path | None
    provenance: Path | None
    page: Path | None
    locked: bool
    _rules: list[str] = field(default_factory=list, init=False)

    def of(self, build: Callable[..., Report]) -> Callable[..., Report]:
        """The same build, after which the files about its bundle are written."""

        def run(manifest: Manifest, *, progress: Progress) -> Report:
            report = build(manifest, progress=progress)
            if report.output is not None and (self.depfile or self.provenance):
                self._describe(manifest, report.output)
            if report.output is not None and self.page:
                self._show(self.page, manifest, report, report.output, progress)
            return report

        return run

    def _show(self, page: Path, manifest: Manifest, report: Report, output: Path, progress: Progress) -> None:
        """Write the page, with the errors that `--verify` found."""
        from bundler.report.verification import Verified
        from bundler.verbs.report import report as write

        found = next((check.verification for check in report.checks if isinstance(check, Verified)), None)
        write(output, output=page, verification=found, force=True, inputs=[manifest.path], progress=progress)

    def _describe(self, manifest: Manifest, output: Path) -> None:
        from bundler.disk.publish import publishing_file
        from bundler.report import depfile, provenance, record

        files = record.files_of(output)
        if self.depfile:
            from bundler import lockfile

            lock = lockfile.path_of(manifest.path) if self.locked else None
            self._rules.append(depfile.rule(manifest, output, {name: list(of) for name, of in files.items()}, lock))
            with publishing_file(self.depfile, inputs=[manifest.path]) as file:
                file.write_text("\n".join(self._rules))
        if self.provenance:
            with publishing_file(self.provenance, inputs=[manifest.path]) as file:
                file.write_text(provenance.statement(manifest, output, files))

    def summarize(self, manifest: Path, outcome: Report | BundlerError) -> None:
        """Append the outcome to the summary. Raises BundlerError if that file cannot be written."""
        if self.summary is None:
            return
        text = _failure(manifest, outcome) if isinstance(outcome, BundlerError) else _success(manifest, outcome)
        try:
            with self.summary.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise BundlerError(
                "the summary cannot be written", where=str(self.summary), found=error.strerror or str(error)
            ) from error


def _success(manifest: Path, report: Report) -> str:
    from bundler.cli.reports import report_lines
    from bundler.report.markdown import code, markdown

    *_, last = report_lines(report, details=False, ops=False)
    (place, _), (figures, _) = last
    head = f"### {code(str(manifest))}: {'up to date' if report.up_to_date else 'built'}"
    return f"{head}\n\n{code(place)}{figures}\n\n{markdown(report)}\n"


def _failure(manifest: Path, error: BundlerError) -> str:
    from bundler.report.markdown import code

    faults = "".join(
        f"- {code(str(fault))}" + (f"<br>hint: {code(fault.hint)}" if fault.hint else "") + "\n"
        for fault in error.faults
    )
    head = f"### {code(str(manifest))}: failed with {type(error).__name__}, exit status {error.exit_code}"
    return f"{head}\n\n{faults}\n"
