"""The reference that a user names."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bundler.bundle import Bundle, is_bundle
from bundler.comparison.origins import Origins
from bundler.comparison.references import Reference, library
from bundler.comparison.references.browser import Browser
from bundler.comparison.references.golden import Golden
from bundler.comparison.references.other import Other
from bundler.comparison.subject import Subject
from bundler.disk.scratch import scratch
from bundler.errors import BundlerError, closest
from bundler.progress import Progress
from bundler.runtimes.javascript import TensorFlowJs
from bundler.runtimes.tensorflow import Runtime

__all__ = ["chosen"]

_TFJS, _GOLDEN = "tfjs", "golden"
"""Names of references; any other is a folder with a bundle."""


@contextmanager
def chosen(subject: Subject, against: str | None, modules: Path | None, progress: Progress) -> Iterator[Reference]:
    """The reference of this name, open while the block lasts: by default TensorFlow.js.

    If it cannot run here, the files of the manifest's checks take its place, if there are such.

    `modules` is a folder `node_modules` with TensorFlow.js. Raises BundlerError if the reference cannot be used.
    """
    if against is None and modules is None and any(check.file for check in subject.checks):
        missing = library.absent()
        if missing:
            progress.note(f"{missing} is not installed: outputs are compared with recorded ones")
            against = _GOLDEN
    if against == _GOLDEN:
        if subject.manifest is None:
            raise BundlerError("recorded outputs belong to a manifest", hint="name the manifest in place of the bundle")
        yield Golden()
    elif against in (None, _TFJS):
        if not subject.report.models:
            where = str(subject.bundle.folder)
            raise BundlerError("bundler did not write this SavedModel, and its models are not known", where=where)
        javascript = library.started(modules, subject.base or Path(), progress, subject.reach)
        with javascript, scratch(Path(tempfile.gettempdir()), "bundler") as folder:
            origins = Origins(subject.bundle, subject.report, folder, subject.base, progress, subject.reach)
            yield _models(Browser(javascript, origins), javascript, subject, modules, progress)
    else:
        with Runtime() as runtime:
            yield Other(_opened(against), runtime)


def _models(
    browser: Browser, javascript: TensorFlowJs, subject: Subject, modules: Path | None, progress: Progress
) -> Reference:
    if not any(signature.steps for signature in subject.report.signatures):
        return browser
    from bundler.comparison.references.chain import Chain  # late: few bundles have composed signatures
    from bundler.comparison.references.decoder import decoder

    def find_decoder() -> Path | None:
        """The user's folder has its own, or none."""
        return decoder(subject.base or Path(), progress, subject.reach) if modules is None else None

    return Chain(browser, javascript, subject, find_decoder)


def _opened(against: str) -> Bundle:
    if not is_bundle(Path(against)):
        names = (_TFJS, _GOLDEN)
        expected = f"{', '.join(names)}, or the folder of a bundle"
        raise BundlerError("there is no such reference", found=against, expected=expected, hint=closest(against, names))
    return Bundle.open(Path(against))
