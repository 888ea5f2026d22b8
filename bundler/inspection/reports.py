"""A `Subject` becomes a report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from bundler.convert.about import about, model_report
from bundler.errors import ConversionError
from bundler.inspection.subject import Frozen, Saved, Subject, Unread, Web
from bundler.ir.model import Model
from bundler.link import join
from bundler.report import Entries, ModelReport, Report, SignatureReport, record
from bundler.report.census import Census, count, count_by
from bundler.stored.metagraphs import StoredGraph

__all__ = ["report"]


def report(source: str, subjects: Sequence[Subject]) -> Report:
    """The signatures, ops and weights of the subjects that a source holds."""
    found = [_report(subject) for subject in subjects]
    if len(found) == 1:
        return found[0]
    signatures = Entries(signature for each in found for signature in each.signatures)
    models = Entries(model for each in found for model in each.models)
    return Report(None, source, signatures, models, bytes=sum(each.bytes for each in found))


def _report(subject: Subject) -> Report:
    if isinstance(subject, Web):
        return _of_web(subject)
    if isinstance(subject, Saved):
        return _of_saved(subject)
    return _of_frozen(subject) if isinstance(subject, Frozen) else _of_unread(subject)


def _of_unread(unread: Unread) -> Report:
    notes = tuple(f"it cannot be read: {fault}" for fault in unread.error.faults)
    return Report(
        None, unread.source, Entries(), Entries([ModelReport(unread.name, unread.source, "", 0, 0, {}, notes)])
    )


def _of_web(web: Web) -> Report:
    model = _portable(web)
    signatures = (SignatureReport.of(key, each, (web.name,)) for key, each in web.model.signatures.items())
    census = count(join({web.name: model}))
    size = sum(web.files.path(name).stat().st_size for name in web.files.files)
    described = model_report(web.name, web.source, web.files.digest, model, about(web.files), census)
    return Report(None, web.source, Entries(signatures), Entries([described]), bytes=size)


def _portable(web: Web) -> Model:
    """The graph that a bundle has of a model; the model's own, with a note, if it cannot be part of a bundle."""
    try:
        return web.portable
    except ConversionError as error:
        return web.model.noting(f"it cannot be part of a bundle: {fault}" for fault in error.faults)


def _of_frozen(frozen: Frozen) -> Report:
    census = count(frozen.model)
    name = frozen.path.stem
    described = ModelReport(name, frozen.source, "", census.nodes, census.weight_bytes, census.ops)
    return Report(None, frozen.source, Entries(), Entries([described]), bytes=frozen.path.stat().st_size)


# SavedModels -------------------------------------------------------------------------------------


def _of_saved(saved: Saved) -> Report:
    """The models of bundler's record, if there is one that fits the graphs; else a model for each MetaGraph."""
    size = sum(path.stat().st_size for path in saved.folder.rglob("*") if path.is_file())
    kept = _recorded(saved)
    if kept is not None and len(saved.graphs) == 1:
        known = {signature.key: signature for signature in kept.signatures}
        models = list(_models(saved.graphs[0], kept))
    else:
        known, models = {}, list(_tagged(saved, kept))
    signatures = (
        SignatureReport.of(key, signature, known[key].models, known[key].steps)
        if key in known
        else SignatureReport.of(key, signature, (", ".join(graph.tags),))
        for graph in saved.graphs
        for key, signature in graph.model.signatures.items()
    )
    return Report(None, saved.folder.name or saved.source, Entries(signatures), Entries(models), bytes=size)


def _recorded(saved: Saved) -> Report | None:
    """The report in bundler's record, if it is about these graphs."""
    recorded = record.recorded(saved.folder)
    kept = recorded and recorded.report
    if kept is None or len(saved.graphs) not in (1, len(kept.models)):
        return None
    keys = sorted(key for graph in saved.graphs for key in graph.model.signatures)
    return kept if sorted(kept.signatures.names) == keys else None


def _models(graph: StoredGraph, kept: Report) -> Iterator[ModelReport]:
    """The models of the record, with what the graph holds of each. Digests and sources are the record's."""
    found = count_by(graph.model, lambda name: name.partition("/")[0])
    if found.keys().isdisjoint(kept.models.names):  # a model that is alone in its MetaGraph has no scope
        found = {name: count(graph.model) for name in kept.models.names[:1]}
    for model in kept.models:
        yield _counted(model, found.get(model.name, Census()))


def _tagged(saved: Saved, kept: Report | None) -> Iterator[ModelReport]:
    """A model for each MetaGraph, named by the tags with which callers load it."""
    known = kept.models if kept is not None else [ModelReport("", saved.source, "", 0, 0, {})] * len(saved.graphs)
    for graph, model in zip(saved.graphs, known):
        yield replace(_counted(model, count(graph.model)), name=", ".join(graph.tags))


def _counted(model: ModelReport, census: Census) -> ModelReport:
    return replace(model, nodes=census.nodes, weight_bytes=census.weight_bytes, ops=census.ops)
