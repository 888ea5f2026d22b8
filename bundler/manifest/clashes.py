"""Clashes in a manifest: names, keys and tags that must differ, and settings that exclude each other.

The rules read the file as parsed, not the checked specs, and skip values of a wrong type: so a run reports clashes
and wrong types together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from bundler.errors import NOWHERE, Fault, Key, Place, closest

__all__ = ["DEFAULT_KEY", "clashes"]

DEFAULT_KEY = "serving_default"
"""The signature that TensorFlow Serving runs when a request names none."""

_RESERVED = ("__saved_model_init_op", "__saved_model_train_op")


_WARMUP = Place(("serving", "warmup"))


class _Entry(NamedTuple):
    """A name that must be the only one of its kind, its place, and its role there in words."""

    name: str
    place: Place
    role: str


class _Table(NamedTuple):
    """A table of the file, and the keys and indices that lead to it."""

    path: tuple[Key, ...]
    values: Mapping[str, object]

    @property
    def title(self) -> str:
        """The table as an entry of its array, counted from 1: `model 2`."""
        *_, kind, index = self.path
        return f"{kind} {int(index) + 1}"

    def place(self, *inner: Key) -> Place:
        return Place((*self.path, *inner))

    def text(self, key: str) -> str | None:
        found = self.values.get(key)
        return found if isinstance(found, str) else None

    def texts(self, key: str) -> list[str]:
        found = self.values.get(key)
        return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []

    def tables(self, key: str) -> list[_Table]:
        found = self.values.get(key)
        items = enumerate(found) if isinstance(found, list) else ()
        return [_Table((*self.path, key, index), item) for index, item in items if isinstance(item, dict)]


def clashes(document: Mapping[str, object]) -> Iterator[Fault]:
    """Every clash in a parsed manifest."""
    models = _Table((), document).tables("model")
    found = document.get("bundle")
    bundle = found if isinstance(found, dict) else {}
    by_tags = bundle.get("layout") == "tags"
    names = (_Entry(name, model.place("name"), f"the name of {model.title}") for model, name in _named(models))
    yield from _repeats(names, "a model's name is its scope in the graph: give each its own")
    yield from _tag_faults(models, "tags" in bundle) if by_tags else _stray_tags(models)
    composed = _Table((), document).tables("signature")
    for group in [[model] for model in models] if by_tags else [models]:
        yield from _repeats([*_keys(group), *_composed_keys(composed)], "a key names one signature: choose another")
    yield from (_apart(signature) for signature in composed if by_tags)
    for model in models:
        for signature in model.tables("signature"):
            yield from _signature_clashes(signature)
    yield from _check_clashes(_Table((), document), models, by_tags)
    serving = document.get("serving")
    if by_tags and isinstance(serving, dict) and serving.get("warmup") is True:
        hint = 'use `layout = "signatures"`'
        yield Fault("requests are for one MetaGraph, and this layout has several", hint=hint, place=_WARMUP)


def _repeats(entries: Iterable[_Entry], hint: str) -> Iterator[Fault]:
    """A fault for each entry whose name an earlier one has."""
    first: dict[str, _Entry] = {}
    for entry in entries:
        earlier = first.setdefault(entry.name, entry)
        if earlier is not entry:
            yield Fault(f"{entry.name!r} is also {earlier.role}", hint=hint, place=entry.place)


def _named(models: Sequence[_Table]) -> list[tuple[_Table, str]]:
    return [(model, name) for model in models if (name := model.text("name")) is not None]


def _keys(models: Sequence[_Table]) -> Iterator[_Entry]:
    """The keys in one MetaGraph; a model without signatures takes its default one."""
    yield from (_Entry(key, NOWHERE, "a key of TensorFlow's own") for key in _RESERVED)
    named = _named(models)
    first = {name: model for model, name in reversed(named)}
    for model, name in named:
        if "signature" not in model.values and model is first[name]:  # a second one's fault is its name
            default = DEFAULT_KEY if len(models) == 1 else name
            yield _Entry(default, model.place(), f"the key of model {name!r}, which has no signature table")
        for signature in model.tables("signature"):
            if (key := signature.text("key")) is not None:
                yield _Entry(key, signature.place("key"), f"the key of {signature.title} of model {name!r}")


def _composed_keys(composed: Iterable[_Table]) -> Iterator[_Entry]:
    for signature in composed:
        if (key := signature.text("key")) is not None:
            yield _Entry(key, signature.place("key"), f"the key of {signature.place()}")


def _apart(signature: _Table) -> Fault:
    what = 'layout = "tags" gives each model a graph of its own: nothing can be composed of two'
    return Fault(what, hint='leave out layout, or write layout = "signatures"', place=signature.place())


def _stray_tags(models: Iterable[_Table]) -> Iterator[Fault]:
    for model in models:
        if "tags" in model.values:
            hint = 'write bundle.layout = "tags" for a MetaGraph for each model'
            yield Fault('has no meaning without layout = "tags"', hint=hint, place=model.place("tags"))


def _tag_faults(models: Iterable[_Table], bundle_has_tags: bool) -> Iterator[Fault]:
    """With `layout = "tags"`: each model has its own tags, and the bundle has none."""
    if bundle_has_tags:
        hint = "give each model tags of its own"
        yield Fault('has no meaning with layout = "tags"', hint=hint, place=Place(("bundle", "tags")))
    sets = []
    for model in models:
        if "tags" not in model.values:
            yield Fault('is required with layout = "tags"', place=model.place("tags"))
        elif tags := model.texts("tags"):
            sets.append(_Entry(", ".join(sorted(set(tags))), model.place("tags"), f"the tag set of {model.title}"))
    yield from _repeats(sets, "a loader picks a model by its whole set of tags: make each set different")


def _signature_clashes(signature: _Table) -> Iterator[Fault]:
    """Tensors listed twice, and names that would stand for two tensors."""
    for side in ("inputs", "outputs"):
        listed = (
            _Entry(_port_0(name), signature.place(side, index), f"entry {index + 1} of {side}")
            for index, name in enumerate(signature.texts(side))
        )
        yield from _repeats(listed, "list each tensor once")
    renames = _renames(signature)
    yield from _repeats(
        (_Entry(new, signature.place("rename", old), f"the new name of {old!r}") for old, new in renames.items()),
        "a name stands for one tensor",
    )
    yield from _taken_names(signature, renames)


def _taken_names(signature: _Table, renames: Mapping[str, str]) -> Iterator[Fault]:
    """Renames onto the name of another tensor that keeps its own."""
    for side in ("inputs", "outputs"):
        listed = {_port_0(name) for name in signature.texts(side)}
        kept = listed - {_port_0(old) for old in renames}
        for old, new in renames.items():
            if _port_0(old) in listed and new in kept:
                what = f"{new!r} is the name of another tensor in {side}"
                hint = f"rename {new!r} too, or choose another"
                yield Fault(what, hint=hint, place=signature.place("rename", old))


def _check_clashes(document: _Table, models: Sequence[_Table], by_tags: bool) -> Iterator[Fault]:
    """Checks of signatures and models that are not there, and checks that share a file."""
    keys = [entry for group in ([[model] for model in models] if by_tags else [models]) for entry in _keys(group)]
    known = {entry.name for entry in keys} - set(_RESERVED)
    composed = {key for table in document.tables("signature") if (key := table.text("key")) is not None}
    checks = document.tables("check")
    for check in checks:
        key = check.text("signature")
        if key is not None and key not in known | composed:
            hint = closest(key, known | composed) or f"the keys are {', '.join(sorted(known | composed))}"
            yield Fault("no signature has this key", found=repr(key), hint=hint, place=check.place("signature"))
        if key in composed - known and "model" in check.values:
            what = "the signature is composed of steps, and belongs to no model"
            yield Fault(what, hint="leave model out", place=check.place("model"))
        yield from _model_of_check(check, models)
    files = ((check, file) for check in checks if (file := check.text("file")) is not None)
    yield from _repeats(
        (_Entry(file, check.place("file"), f"the file of {check.title}") for check, file in files),
        "give each check a file of its own",
    )


def _model_of_check(check: _Table, models: Sequence[_Table]) -> Iterator[Fault]:
    """A fault if a check names a model that is not there."""
    name, names = check.text("model"), [name for _, name in _named(models)]
    if name is not None and name not in names:
        hint = closest(name, names) or f"the models are {', '.join(names)}"
        yield Fault("no model has this name", found=repr(name), hint=hint, place=check.place("model"))


def _renames(signature: _Table) -> Mapping[str, str]:
    found = signature.values.get("rename")
    pairs = found.items() if isinstance(found, dict) else ()
    return {old: new for old, new in pairs if isinstance(new, str)}


def _port_0(tensor: str) -> str:
    """`y:0` and `y` are one tensor, and one name."""
    return tensor.removesuffix(":0")
