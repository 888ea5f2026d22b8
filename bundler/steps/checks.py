"""What steps ask of the tensors that they take. A fault says what was found, what is expected, and what helps."""

from __future__ import annotations

from bundler.drafting.value import Value
from bundler.errors import ManifestError
from bundler.ir.dtypes import DType
from bundler.ir.shapes import shown

__all__ = ["axis_of", "check_boxes", "check_dtype", "check_images", "check_rank", "spelled", "type_of"]


def type_of(value: Value) -> str:
    """Dtype and shape in one text: `float32[1, ?, ?, 3]`."""
    return f"{value.dtype}{shown(value.shape)}"


def check_dtype(value: Value, *dtypes: DType) -> None:
    """Raise ManifestError for a tensor of another dtype."""
    if value.dtype not in dtypes:
        hint = f'put {{ op = "cast", dtype = "{dtypes[0]}" }} before it' if value.dtype.is_number else ""
        expected = " or ".join(map(str, dtypes))
        raise ManifestError("takes no tensor of this dtype", found=type_of(value), expected=expected, hint=hint)


def check_rank(value: Value, *ranks: int, what: str = "") -> None:
    """Raise ManifestError for a tensor with another number of dimensions. `what` names the expected ones."""
    if value.rank not in ranks:
        expected = what or f"{spelled(ranks)} dimensions"
        raise ManifestError("takes no tensor of this rank", found=type_of(value), expected=expected)


def check_images(value: Value) -> None:
    """Raise ManifestError for anything but images."""
    check_rank(value, 4, what="[batch, height, width, channels]")
    if not value.dtype.is_number or value.dtype == DType.bool:
        raise ManifestError("takes images", found=type_of(value), expected="float32[batch, height, width, channels]")


def check_boxes(value: Value) -> None:
    """Raise ManifestError for anything but boxes."""
    check_dtype(value, DType.float32)
    if value.rank != 2 or value.shape[1] not in (None, 4):
        hint = '{ op = "squeeze", axis = 0 } before it takes away a batch of 1' if value.rank == 3 else ""
        raise ManifestError("takes boxes", found=type_of(value), expected="float32[boxes, 4]", hint=hint)


def axis_of(value: Value, axis: int) -> int:
    """The number of an axis from the front. Raises ManifestError if there is no such axis."""
    if not -value.rank <= axis < value.rank:
        expected = f"from {-value.rank} to {value.rank - 1}" if value.rank else "a tensor with axes"
        raise ManifestError("there is no such axis", found=f"{axis} of {type_of(value)}", expected=expected)
    return axis % value.rank


def spelled(numbers: tuple[int, ...]) -> str:
    """Numbers as a choice: `2 or 3`."""
    return " or ".join(map(str, numbers))
