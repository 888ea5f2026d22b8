"""The text of a manifest, from models that can be linked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bundler import manifest as manifests
from bundler.errors import BundlerError
from bundler.manifest.clashes import DEFAULT_KEY
from bundler.scaffold import text
from bundler.verbs.init.trial import Found, Trial, blamed, sides
from bundler.verbs.init.wanted import Wanted

__all__ = ["manifest_of"]

_Renames = Mapping[str, Mapping[str, str]]


def manifest_of(
    models: Sequence[Wanted], found: Found, errors: Mapping[str, BundlerError], trial: Trial
) -> tuple[str, Found]:
    """The text of a manifest that can be linked, and what it describes.

    Names are proposed where the bundle can be linked with them. Raises BundlerError if it cannot without them either.
    """
    renames = dict(found.proposals)
    while True:
        tables = {model.name: model for model in _tables(found, renames)}
        left_out = {
            model.name: text.LeftOut(*model, str(errors[model.name])) for model in models if model.name in errors
        }
        written = text.lines(trial.title, [(tables | left_out)[model.name] for model in models])
        manifest = manifests.parsed(written, trial.path)
        try:
            return written, trial.of(manifest)
        except BundlerError as error:
            wrong = {name for index in blamed(error) if renames[name := manifest.models[index].name]}
            if not wrong:
                raise
            renames |= {name: {} for name in wrong}


def _tables(found: Found, renames: _Renames) -> Iterator[text.Draft]:
    signatures = {model: signature for signature in found.report.signatures for model in signature.models}
    alone = len(signatures) == 1
    for model in found.report.models:
        # Without a table, the key is the model's name, or `serving_default` as long as the model is alone.
        key = DEFAULT_KEY if alone else model.name if renames[model.name] else ""
        yield text.Draft(
            model.name, model.source, model.digest, *sides(signatures[model.name]), key, renames[model.name]
        )
