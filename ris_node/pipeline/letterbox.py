# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One transform between the camera's image and the network's input, and its inverse for everything that comes out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_node.errors import ImageError
from ris_node.types import F32, F64, U8

Plane = npt.NDArray[Any]  # any [height,width] array

STRIDE = 4  # masks leave the network at a quarter of its input


@dataclass(frozen=True)
class Letterbox:
    """Fit a source image of any aspect into a fixed input with grey borders, and bring answers back.

    The content rectangle (`left`, `top`, `content_width`, `content_height`, in input pixels) lies on the grid of the
    masks (multiples of 4), so that cropping a mask and resizing it is the exact inverse; the two axes therefore
    scale independently, by factors that differ by at most two input pixels over the image.
    Pixels are (x, y) with the origin at the centre of the top-left pixel.
    """

    source_width: int
    source_height: int
    width: int = 320
    height: int = 256
    pad_value: int = 114
    left: int = 0
    top: int = 0
    content_width: int = 320
    content_height: int = 256

    @classmethod
    def fit(cls, source_width: int, source_height: int, width: int, height: int, pad_value: int = 114) -> Letterbox:
        """Return the transform for a source size.

        Raises:
            ImageError: the source has no pixels, or the input is not a multiple of 4.
        """
        return _fit(source_width, source_height, width, height, pad_value)

    @property
    def scale(self) -> tuple[float, float]:
        """Input pixels per source pixel, along x and y."""
        return self.content_width / self.source_width, self.content_height / self.source_height

    @property
    def cells(self) -> tuple[slice, slice]:
        """Rows and columns of a mask [height/4, width/4] that show the source."""
        rows = slice(self.top // STRIDE, (self.top + self.content_height) // STRIDE)
        return rows, slice(self.left // STRIDE, (self.left + self.content_width) // STRIDE)

    def image(self, source: U8) -> U8:
        """Letterbox an image u8[h,w,3] into u8[height,width,3]."""
        self._expect(source)
        shrinks = self.content_width < self.source_width and self.content_height < self.source_height
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        result = np.full((self.height, self.width, *source.shape[2:]), self.pad_value, np.uint8)
        content = cv2.resize(source, (self.content_width, self.content_height), interpolation=how)
        result[self.top : self.top + self.content_height, self.left : self.left + self.content_width] = content
        return result

    def labels(self, source: Plane, fill: int = 0) -> Plane:
        """Letterbox an index mask [h,w] (nearest pixel, borders `fill`) into u8 or u16 [height,width]."""
        self._expect(source)
        plane = source.astype(np.uint8) if source.dtype == np.bool_ else source
        result = np.full((self.height, self.width), fill, plane.dtype)
        content = cv2.resize(plane, (self.content_width, self.content_height), interpolation=cv2.INTER_NEAREST_EXACT)
        result[self.top : self.top + self.content_height, self.left : self.left + self.content_width] = content
        return result

    def restore(self, plane: Plane, size: tuple[int, int] | None = None) -> Plane:
        """Bring a mask, probability or logit plane [height/4,width/4] back (bilinear).

        Args:
            plane: what the network gave.
            size: (width, height) of the result; None: the source's.
        """
        rows, columns = self.cells
        content = np.ascontiguousarray(plane[rows, columns])
        return _resize(content, *(size or (self.source_width, self.source_height)))

    def restore_above(self, plane: F32, threshold: float) -> tuple[F32, tuple[int, int]]:
        """Bring back only the part of a plane f32[height/4,width/4] where it can exceed a threshold.

        Returns:
            The restored rectangle f32[h,w] and its (x, y) in the source; [0,0] where nothing exceeds it. Inside,
            values above the threshold are those of `restore`; outside, none exceeds it.
        """
        rows, columns = self.cells
        content = plane[rows, columns]
        above: Plane = np.greater(content, threshold)
        spans = [_span(np.any(above, axis=1), self.source_height), _span(np.any(above, axis=0), self.source_width)]
        (top, bottom, y0, y1), (left, right, x0, x1) = spans
        if bottom == top or right == left:
            return np.zeros((0, 0), np.float32), (0, 0)
        part = np.ascontiguousarray(content[top:bottom, left:right])
        return _resize(part, x1 - x0, y1 - y0), (x0, y0)

    def to_input(self, points: F64) -> F64:
        """Source pixels f64[N,2] to input pixels f64[N,2]."""
        return (np.asarray(points, np.float64) + 0.5) * self.scale + (self.left, self.top) - 0.5

    def to_source(self, points: F64) -> F64:
        """Input pixels f64[N,2] to source pixels f64[N,2]; the inverse of `to_input`."""
        return (np.asarray(points, np.float64) + 0.5 - (self.left, self.top)) / self.scale - 0.5

    def _expect(self, source: Plane) -> None:
        if source.shape[:2] != (self.source_height, self.source_width):
            raise ImageError(
                f"the image is {source.shape[1]}x{source.shape[0]}, this letterbox is for "
                f"{self.source_width}x{self.source_height}: make one for the image's size"
            )


def _resize(plane: Plane, width: int, height: int) -> Plane:
    return cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)


@lru_cache(maxsize=16)
def _fit(source_width: int, source_height: int, width: int, height: int, pad_value: int) -> Letterbox:
    if source_width < 1 or source_height < 1:
        raise ImageError(f"the image is {source_width}x{source_height}: it has no pixels; check the camera driver")
    if width % STRIDE or height % STRIDE or width < STRIDE or height < STRIDE:
        raise ImageError(f"a network input of {width}x{height} is not a multiple of {STRIDE}")
    scale = min(width / source_width, height / source_height)
    content = [max(1, round(s * scale / STRIDE)) * STRIDE for s in (source_width, source_height)]
    left, top = ((full - part) // 2 // STRIDE * STRIDE for full, part in zip((width, height), content, strict=True))
    return Letterbox(source_width, source_height, width, height, pad_value, left=left, top=top,
                     content_width=content[0], content_height=content[1])  # fmt: skip


def _span(above: Plane, size: int) -> tuple[int, int, int, int]:
    """The cells around the set ones (one more on each side), widened to whole pixels, and those pixels' range."""
    hits = np.flatnonzero(above)
    if not hits.size:
        return 0, 0, 0, 0
    cells = len(above)
    step = cells // math.gcd(cells, size)  # the smallest number of cells that is a whole number of pixels
    first = max(0, int(hits[0]) - 1) // step * step
    last = min(cells, -(-(min(cells, int(hits[-1]) + 2)) // step) * step)
    return first, last, first * size // cells, last * size // cells
