"""Where the signatures of a bundle come from: the tensors of the source models that they name.

The record of a bundle has the model and the tensors behind each signature. A model's name is the scope of its nodes,
and nodes keep their names, except those that TensorFlow refuses.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

from bundler import sources, tfjs
from bundler.artifacts.artifact import Artifact
from bundler.bundle import Bundle, Endpoint
from bundler.comparison.plain import plain_entry
from bundler.comparison.references import Incomparable
from bundler.disk.reach import USUAL, Reach
from bundler.errors import SourceError, within
from bundler.ir.model import Model, Signature
from bundler.ir.nodes import Tensor
from bundler.progress import SILENT, Progress
from bundler.report import ModelReport, Report
from bundler.rewrites.rules.names import renames

__all__ = ["Origin", "Origins", "owners"]

Owners: TypeAlias = "Mapping[tuple[tuple[str, ...], str], str]"
"""The name of the model behind each signature, by the tags of its MetaGraph and its key."""


class Origin(NamedTuple):
    """What a signature is in its source model, whose JSON file is `entry`.

    `inputs` and `outputs` are the names there by the signature's names: tensors of a graph, or of a layers model the
    keys in `own_inputs` and `own_outputs`, which are in its order. `inner` has the outputs that a layers model does not
    give itself, each with the reason. `departures` are the differences between the `library` that wrote a layers model
    and TensorFlow.js that change what this model computes.
    """

    entry: Path
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]
    own_inputs: tuple[str, ...] = ()
    own_outputs: tuple[str, ...] = ()
    inner: Mapping[str, str] = {}
    library: str = "TensorFlow.js"
    departures: tuple[str, ...] = ()


def owners(bundle: Bundle, report: Report) -> Owners:
    """The models behind the signatures of a bundle, by its record; without an entry for those of other origin."""
    tags = list(dict.fromkeys(endpoint.tags for endpoint in bundle.endpoints))
    if len(tags) > 1:  # a MetaGraph for each model, in the order of the record
        of_tags = dict(zip(tags, report.models.names))
        return {(each.tags, each.key): of_tags[each.tags] for each in bundle.endpoints if each.tags in of_tags}
    known = {each.key: each.models[0] for each in report.signatures if not each.steps}
    return {(each.tags, each.key): known[each.key] for each in bundle.endpoints if each.key in known}


@dataclass(frozen=True)
class Origins:
    """The origins of a bundle's signatures.

    `base` is the folder of the manifest, in which relative sources start; None if it is not known. In `scratch`, models
    are written that TensorFlow.js could not read as they are.
    """

    bundle: Bundle
    report: Report
    scratch: Path
    base: Path | None = None
    progress: Progress = SILENT
    reach: Reach = USUAL
    _sources: dict[str, _Source] = field(default_factory=dict)

    def of(self, endpoint: Endpoint) -> Origin:
        """The origin of a signature. Raises Incomparable if it has none, SourceError if that has changed."""
        name = self._owner(endpoint)
        if name is None or name not in self.report.models.names:
            raise Incomparable("the bundle's record does not name the model behind it")
        with within(f"model {name!r}"):
            return self._source(name).origin(endpoint)

    def siblings(self, endpoint: Endpoint) -> set[str]:
        """The tensors that signatures of the same graph give for the same inputs; empty for a layers model."""
        own, found = self.of(endpoint), set[str]()
        if own.own_inputs:
            return found
        for other in self.bundle.endpoints:
            if (other.tags, self._owner(other)) == (endpoint.tags, self._owner(endpoint)):
                with suppress(Incomparable):
                    origin = self.of(other)
                    if {*origin.inputs.values()} == {*own.inputs.values()}:
                        found |= {*origin.outputs.values()}
        return found

    def _owner(self, endpoint: Endpoint) -> str | None:
        return self._owners.get((endpoint.tags, endpoint.key))

    @cached_property
    def _owners(self) -> Owners:
        return owners(self.bundle, self.report)

    def _source(self, name: str) -> _Source:
        if name not in self._sources:
            self._sources.clear()  # signatures of one model stand together; its JSON may be large
            artifact = self._artifact(self.report.models[name])
            folder = Path(tempfile.mkdtemp(dir=self.scratch))
            self._sources[name] = _Source(name, artifact, plain_entry(artifact, folder))
        return self._sources[name]

    def _artifact(self, model: ModelReport) -> Artifact:
        """The files of a model, if they are those that the bundle was built from."""
        own = sources.at_hand(model.source, Path())
        if own is not None and self.base is None and not os.path.isabs(os.path.expanduser(model.source)):
            raise SourceError(
                "the source is relative to the manifest's folder, which the bundle does not know",
                where=model.source,
                hint="name the manifest in place of the bundle",
            )
        path = sources.find(model.source, self.base or Path(), progress=self.progress, reach=self.reach)
        found = sources.open_found(model.source, path)
        if found.digest != model.digest:
            raise SourceError(
                "the source has changed since the bundle was built",
                where=model.source,
                found=found.digest,
                expected=model.digest,
                hint="build the bundle again",
            )
        return found


class _Source:
    """A source model."""

    def __init__(self, name: str, artifact: Artifact, entry: Path) -> None:
        self._scope = f"{name}/"
        self._artifact = artifact
        self._entry = entry
        self._is_graph = tfjs.is_graph_model(artifact)

    def origin(self, endpoint: Endpoint) -> Origin:
        """The signature's names in the model. Raises Incomparable for a tensor that is not there."""
        signature = endpoint.signature
        inputs = {name: self._tensor(spec.tensor) for name, spec in signature.inputs.items()}
        outputs = {name: self._tensor(spec.tensor) for name, spec in signature.outputs.items()}
        if self._is_graph:
            return Origin(self._entry, _full(inputs), _full(outputs))
        keys = {spec.tensor: key for key, spec in self._own.inputs.items()}
        lacking = [name for name, tensor in inputs.items() if tensor not in keys]
        if lacking:
            raise Incomparable(f"TensorFlow.js cannot feed an inner tensor of a layers model: {', '.join(lacking)}")
        ends = {spec.tensor: key for key, spec in self._own.outputs.items()}
        return Origin(
            self._entry,
            {name: keys[tensor] for name, tensor in inputs.items()},
            {name: ends[tensor] for name, tensor in outputs.items() if tensor in ends},
            tuple(self._own.inputs),
            tuple(self._own.outputs),
            {
                name: "TensorFlow.js gives no inner tensors of layers models"
                for name, tensor in outputs.items()
                if tensor not in ends
            },
            *self._departures,
        )

    @cached_property
    def _departures(self) -> tuple[str, tuple[str, ...]]:
        from bundler.tfjs.layers import departures, library_of  # fifty modules that graph models do not need

        return library_of(self._artifact), departures(self._artifact)

    @cached_property
    def _model(self) -> Model:
        return tfjs.read(self._artifact)

    @property
    def _own(self) -> Signature:
        (own,) = self._model.signatures.values()
        return own

    @cached_property
    def _names(self) -> Mapping[str, str]:
        """The model's own name of each node, by its name in the bundle, without the scope."""
        nodes = self._artifact.document["modelTopology"]["node"] if self._is_graph else ()
        names = [str(node["name"]) for node in nodes] or list(self._model.graph.by_name)
        return {**{name: name for name in names}, **{new: old for old, new in renames(names).items()}}

    def _tensor(self, tensor: Tensor) -> Tensor:
        # With `layout = "tags"` nodes have no scope.
        for node in (tensor.node.removeprefix(self._scope), tensor.node):
            if node in self._names:
                return tensor._replace(node=self._names[node])
        raise Incomparable(f"the source has no node {tensor.node!r}")


def _full(tensors: Mapping[str, Tensor]) -> Mapping[str, str]:
    return {name: tensor.full for name, tensor in tensors.items()}
