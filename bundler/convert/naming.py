"""The final names of a signature's inputs and outputs: the model's own keys, or what the manifest calls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain

from bundler.errors import Fault, Place, closest
from bundler.ir.model import Signature, TensorSpec
from bundler.manifest import SignatureSpec
from bundler.serving.arguments import Unusable, unusable, usable
from bundler.serving.methods import method_faults

__all__ = ["Named", "keys_by_name", "listed"]


class Named:
    """One signature of the manifest, with the tensors that it means by the model's own keys."""

    def __init__(
        self, spec: SignatureSpec, inputs: Mapping[str, TensorSpec], outputs: Mapping[str, TensorSpec]
    ) -> None:
        self._spec = spec
        self._inputs = _Side(inputs, spec.rename)
        self._outputs = _Side(outputs, spec.rename)

    @property
    def signature(self) -> Signature:
        """The signature under its final names."""
        changed = {key: found.proposed for key, found in self._unusable_own.items()}
        inputs = {changed.get(name, name): spec for name, spec in self._inputs.final.items()}
        return Signature(inputs, self._outputs.final, self._spec.method_name)

    @property
    def notes(self) -> Iterator[str]:
        """The model's own input keys that had to change."""
        for key, found in self._unusable_own.items():
            yield f"input {key!r} of signature {self._spec.key!r} is named {found.proposed!r}: {found.why}"

    @property
    def faults(self) -> Iterator[Fault]:
        """What is wrong with the names, by its place in the signature."""
        yield from self._unknown_renames()
        yield from chain(self._inputs.faults, self._outputs.faults)
        yield from self._unusable_chosen()
        yield from (fault.under("method_name") for fault in method_faults(self.signature))

    def _unknown_renames(self) -> Iterator[Fault]:
        known = {**self._inputs.keys, **self._outputs.keys}
        for name in self._spec.rename:
            if name not in known:
                hint = closest(name, known) or f"it has {listed({*self._inputs.specs, *self._outputs.specs})}"
                place = Place(("rename", name))
                yield Fault("no input or output of this signature has that name", hint=hint, place=place)

    def _unusable_chosen(self) -> Iterator[Fault]:
        """Input keys of the manifest that callers in Python cannot use."""
        for key, why, proposed in unusable(self._chosen):
            what = f"{key!r} cannot be the name of an input: {why}"
            yield Fault(what, hint=f"choose another, such as {proposed!r}", place=self._chosen[key])

    @cached_property
    def _unusable_own(self) -> Mapping[str, Unusable]:
        """The model's own input keys that callers in Python cannot use."""
        return usable((name for name in self._inputs.names if name not in self._chosen), self._chosen)

    @cached_property
    def _chosen(self) -> Mapping[str, Place]:
        """The names of inputs that the manifest has chosen, and their places in the signature."""
        renamed = {new: Place(("rename", old)) for old, new in self._inputs.rename.items()}
        in_list = self._inputs.names if self._spec.inputs is not None else ()
        return {name: Place(("inputs", index)) for index, name in enumerate(in_list)} | renamed


class _Side:
    """The inputs or the outputs of a signature: `keys` by each name that a user may use, and the final `names`."""

    def __init__(self, specs: Mapping[str, TensorSpec], rename: Mapping[str, str]) -> None:
        self.specs = specs
        self.keys = keys_by_name(specs)
        self.rename = {old: new for old, new in rename.items() if old in self.keys}
        new = {self.keys[old]: name for old, name in self.rename.items()}
        self.names = [new.get(key, key) for key in specs]

    @cached_property
    def final(self) -> dict[str, TensorSpec]:
        """The tensors by their final names."""
        return dict(zip(self.names, self.specs.values()))

    @property
    def faults(self) -> Iterator[Fault]:
        """Keys that are renamed twice, and names that two tensors would have."""
        for key in _repeated(self.keys[old] for old in self.rename):
            yield Fault(f"{key!r} is renamed twice", place=Place(("rename",)))
        for name in sorted(_repeated(self.names)):
            yield Fault(f"two tensors would be called {name!r}", place=Place(("rename",)))


def keys_by_name(side: Mapping[str, TensorSpec]) -> dict[str, str]:
    """The keys of inputs or outputs, by their names: the tensor with and without `:0`, and with priority the key."""
    tensors = {name: key for key, spec in side.items() for name in (str(spec.tensor), spec.tensor.full)}
    return tensors | {f"{key}:0": key for key in side} | {key: key for key in side}


def listed(names: Iterable[str]) -> str:
    """Names in order for an error: `a, b`, or `none`."""
    return ", ".join(sorted(names)) or "none"


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]
