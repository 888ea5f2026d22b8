"""Types of fields that several tables of a manifest have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["Method", "Plain", "Spec", "Text"]

_METHODS = {method: f"tensorflow/serving/{method}" for method in ("predict", "classify", "regress")}


class Spec(BaseModel):
    """A table of a manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _check_nul(value: _Named) -> _Named:
    if "\0" in str(value):
        raise PydanticCustomError("nul", "has a NUL character")
    return value


_Named = TypeVar("_Named", str, Path)
Plain = AfterValidator(_check_nul)
"""A text without NUL, which ends a path for the system and a name for TensorFlow's C API."""

Text = Annotated[str, Field(min_length=1), Plain]
Method = Annotated[
    Literal[
        "predict",
        "classify",
        "regress",
        "tensorflow/serving/predict",
        "tensorflow/serving/classify",
        "tensorflow/serving/regress",
    ],
    AfterValidator(lambda method: _METHODS.get(method, method)),
]
