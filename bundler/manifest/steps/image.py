"""Steps that take images: float32 or uint8 [batch, height, width, channels], unless they say otherwise."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from bundler.manifest.fields import Text
from bundler.manifest.steps.base import Extent, Number, Numbers, OpStep, Size

__all__ = [
    "CenterCrop",
    "CropAndResize",
    "DecodeImage",
    "Grayscale",
    "Letterbox",
    "PadToMultiple",
    "Resize",
    "Transform",
]

_CORNERS = "Whether the corner pixels of both images are in the same places."
_CENTERS = "Whether a pixel's place is its center. TensorFlow.js leaves it out by default."


class DecodeImage(OpStep):
    """A JPEG, PNG or GIF: string[] becomes uint8[1, height, width, channels].

    Every pixel is the one that Chrome shows. Not applied: the orientation in EXIF. Alpha is dropped.
    """

    op: Literal["decode_image"]
    channels: Literal[1, 3] = Field(default=3, description="3, or 1 for the first of them, red, as `fromPixels` does.")


class Resize(OpStep):
    """Images of another size: of `size`, of that of another image, or with a longest side."""

    op: Literal["resize_bilinear", "resize_nearest_neighbor"]
    size: Size | None = Field(default=None, description="Height and width.")
    like: Text | None = Field(default=None, description="The name of images whose size it takes.")
    longest: Extent | None = Field(
        default=None, description="The longest side. The other one keeps the ratio, rounded as `Math.round` does."
    )
    align_corners: bool = Field(default=False, description=_CORNERS)
    half_pixel_centers: bool = Field(default=False, description=_CENTERS)


class Letterbox(OpStep):
    """Images with a border, so that they have the ratio of `size`; then resized to it, bilinearly.

    A further name in `as` is that of the border: float32[4], the parts of the bordered image that are above, left of,
    below and right of the image.
    """

    op: Literal["letterbox"]
    size: Size = Field(description="Height and width.")
    value: Number = Field(default=0.0, description="The value of the border's pixels.")
    sides: Literal["both", "end", "start"] = Field(
        default="both", description="The sides that get the border: `end` is below or right, `start` above or left."
    )
    rounding: Literal["round", "floor", "rest", "none"] = Field(
        default="round",
        description="Pixels of the border if half of what lacks is not whole. `round`, `floor`: each side alone, as"
        " `Math.round` or `Math.floor` does, so that together they may be a pixel off; `rest`: the end is rounded, the"
        " start has the rest; `none`: not rounded, the image is sampled by `transform`.",
    )
    align_corners: bool = Field(default=False, description=_CORNERS)
    half_pixel_centers: bool = Field(default=False, description=_CENTERS)

    @property
    def results(self) -> tuple[int, int]:
        return 1, 2


class CenterCrop(OpStep):
    """The largest square in the middle of images; of an odd difference, the smaller half is cut in front."""

    op: Literal["center_crop"]


class PadToMultiple(OpStep):
    """Images with a border below and right, so that their sides are multiples of a number of pixels."""

    op: Literal["pad_to_multiple"]
    multiple: Extent = Field(description="The number.")
    value: Number = Field(default=0.0, description="The value of the border's pixels.")


class CropAndResize(OpStep):
    """Parts of an image [1, height, width, channels]: one for each box of [boxes, 4], as y1, x1, y2, x2 from 0 to 1.

    Without `boxes`, a second tensor gives them. Of a batch of images it takes a third one: int32[boxes], the number of
    each box's image.
    """

    op: Literal["crop_and_resize"]
    size: Size = Field(description="Height and width of each part.")
    boxes: tuple[tuple[Number, Number, Number, Number], ...] | None = Field(
        default=None, min_length=1, max_length=1 << 10, description="Boxes, the same for all images."
    )
    method: Literal["bilinear", "nearest"] = Field(default="bilinear", description="How pixels are sampled.")
    extrapolation_value: Number = Field(default=0.0, description="The value of pixels outside of the image.")

    @property
    def takes(self) -> tuple[int, int]:
        return (1, 1) if self.boxes else (2, 3)


class Transform(OpStep):
    """Images through projective transforms, each of 8 numbers: the output's (x, y) shows the input's (x', y').

    x' = (a x + b y + c) / k and y' = (d x + e y + f) / k, with k = g x + h y + 1. Without `matrix`, a second tensor
    float32[batch, 8] gives them.
    """

    op: Literal["transform"]
    matrix: Numbers | None = Field(default=None, description="8 numbers, for all images.")
    size: Size | None = Field(default=None, description="Height and width of the result. Default: those of the images.")
    interpolation: Literal["nearest", "bilinear"] = Field(default="nearest", description="How pixels are sampled.")
    fill_mode: Literal["constant", "nearest", "reflect", "wrap"] = Field(
        default="constant", description="What pixels outside of the image show."
    )
    fill_value: Number = Field(default=0.0, description='Their value, with `fill_mode = "constant"`.')

    @property
    def takes(self) -> tuple[int, int]:
        return (1, 1) if self.matrix else (2, 2)


class Grayscale(OpStep):
    """The weighted sum of the channels, as one channel."""

    op: Literal["grayscale"]
    weights: Numbers = Field(description="A weight for each channel.")
