"""Manifests: TOML documents of the right form with values of any kind, and texts that are no TOML."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

__all__ = ["manifests"]

_NAMES = st.sampled_from(
    ["m", "b", "x", "y", "a/b", "é", "a b", "", ".", "..", "/", "__saved_model_init_op", "\0", "\ud800", "n" * 300]
)
_SCALARS = st.one_of(
    _NAMES,
    st.text(max_size=5),
    st.integers(-3, 1 << 65),
    st.floats(),
    st.booleans(),
    st.sampled_from(["model", "model/model.json", "nowhere", "npm:x", "https://", "model.zip#a", "sha256:" + "0" * 64]),
)
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=2), max_leaves=4
)


def _or_any(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly what is expected there, and now and then anything."""
    return st.integers(0, 7).flatmap(lambda drawn: usual if drawn else _VALUES)


def _table(required: dict[str, st.SearchStrategy[Any]], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    fields = {key: _or_any(value) for key, value in required.items()}
    return st.fixed_dictionaries(
        fields, optional={key: _or_any(value) for key, value in optional.items()} | {"other": _VALUES}
    )


_TENSORS = st.sampled_from(["x", "y", "y:0", "y:1", "^y", "y:" + "9" * 5000, "nowhere", "x" * 300])
_SIGNATURES = _table(
    {"key": _NAMES},
    outputs=st.lists(_TENSORS, max_size=3),
    inputs=st.lists(_TENSORS, max_size=2),
    rename=st.dictionaries(_TENSORS, _NAMES, max_size=2),
    method_name=st.sampled_from(["classify", "regress", "predict", "tensorflow/serving/predict"]),
)
_MODELS = _table(
    {"name": _NAMES, "source": st.just("model")},
    format=st.sampled_from(["auto", "graph", "layers"]),
    compat=st.sampled_from(["none", "tfjs", "tflite"]),
    allow_ops=st.lists(st.sampled_from(["WriteFile", "PartitionedCall", "f"]), max_size=2),
    tags=st.lists(_NAMES, max_size=2),
    signature=st.lists(_SIGNATURES, max_size=2),
)
_BUNDLES = _table(
    {"name": _NAMES},
    version=st.integers(0, 3),
    layout=st.sampled_from(["signatures", "tags"]),
    tags=st.lists(_NAMES, max_size=2),
    compat=st.sampled_from(["none", "tfjs", "tflite"]),
    weights=st.sampled_from(["auto", "constants", "variables"]),
)
_DOCUMENTS = _table({"bundle": _BUNDLES, "model": st.lists(_MODELS, min_size=1, max_size=2)})


@st.composite
def manifests(draw: st.DrawFn) -> str:
    """The text of a manifest whose models are in the folder `model`."""
    text = "\n".join(f"{_spelled(key)} = {_spelled(value)}" for key, value in draw(_DOCUMENTS).items())
    if draw(st.integers(0, 9)):
        return text
    at = draw(st.integers(0, len(text)))
    return (
        text[:at]
        + draw(st.text(max_size=3) | st.sampled_from(["[" * 5000, "9" * 5000, "a." * 2000, '"""', "\0"]))
        + text[at:]
    )


def _spelled(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_spelled(key)} = {_spelled(item)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_spelled, value))}]"
    if isinstance(value, float):
        return repr(value)
    return json.dumps(value, ensure_ascii=False)
