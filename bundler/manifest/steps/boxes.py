"""Steps that take boxes: float32 [boxes, 4], as y1, x1, y2, x2."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from bundler.manifest.steps.base import Extent, Number, OpStep

__all__ = ["DecodeBoxes", "NonMaxSuppression", "Unletterbox"]

_Count = Annotated[int, Field(strict=True, ge=1, le=1 << 16)]


class NonMaxSuppression(OpStep):
    """The indices of the best boxes of [boxes, 4] by their scores [boxes], without those that overlap a better one.

    With `pad` it gives int32[max_output_size], which ends in zeros if there are fewer, and their number, int32[].
    Without, only int32[?]: if there are no boxes it is empty, which models may not take.
    """

    op: Literal["non_max_suppression"]
    max_output_size: _Count = Field(description="The most boxes.")
    iou_threshold: Number = Field(
        default=0.5,
        ge=0,
        le=1,
        description="A box goes if it has this part of its union with a better one in common with it.",
    )
    score_threshold: Number | None = Field(default=None, description="Boxes with this score or less go.")
    pad: bool = Field(default=True, description="Whether the result has always the same size.")

    @property
    def results(self) -> tuple[int, int]:
        return (2, 2) if self.pad else (1, 1)

    @property
    def takes(self) -> tuple[int, int]:
        return 2, 2


class DecodeBoxes(OpStep):
    """What detectors with anchors say of boxes, [boxes, 4 or more] or [1, boxes, …], as boxes from 0 to 1.

    A row has the center as seen from its anchor, then width and height, both times `scale`. A further name in `as` is
    that of points, which follow in the row: float32[boxes, points, 2], x first. Anchors are in the middle of the places
    of each layer; without `sizes` they are as large as the image, as in BlazeFace and MediaPipe's detectors.
    """

    op: Literal["decode_boxes"]
    input_size: Extent = Field(description="Pixels of a side of the image that the detector takes.")
    strides: tuple[Extent, ...] = Field(min_length=1, description="Pixels from place to place, for each layer.")
    anchors: tuple[Annotated[int, Field(strict=True, ge=1, le=64)], ...] = Field(
        default=(), description="How many anchors a place has, for each layer."
    )
    sizes: tuple[tuple[tuple[Number, Number], ...], ...] = Field(
        default=(), description="In place of `anchors`: width and height of each anchor, from 0 to 1, for each layer."
    )
    points: Annotated[int, Field(strict=True, ge=0, le=1024)] = Field(default=0, description="Points of each box.")
    first: Annotated[int, Field(strict=True, ge=0, le=1 << 16)] = Field(
        default=0, description="The column of the center."
    )
    order: Literal["xywh", "yxhw"] = Field(default="xywh", description="Whether x or y comes first in a row.")
    scale: Number | None = Field(default=None, gt=0, description="The unit of centers and points. Default: a pixel.")
    size_scale: Number | None = Field(default=None, gt=0, description="The unit of sizes. Default: that of centers.")
    exponential: bool = Field(default=False, description="Whether sizes are logarithms.")

    @property
    def results(self) -> tuple[int, int]:
        return 1, 2 if self.points else 1


class Unletterbox(OpStep):
    """Boxes [boxes, 4], or points [boxes, points, 2] with x first, of a bordered image as those of the image itself.

    The second tensor is the border that `letterbox` gives.
    """

    op: Literal["unletterbox"]

    @property
    def takes(self) -> tuple[int, int]:
        return 2, 2
