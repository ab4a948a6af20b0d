# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pixels as `sensor_msgs/Image` and `CompressedImage`; `sensing.images` is the way back."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from ris_node.errors import ImageError
from ris_node.messages.types import HeaderMsg, Make
from ris_node.types import U8


def image_to_msg(make: Make, pixels: npt.NDArray[Any], encoding: str, header: HeaderMsg) -> Any:
    """Return a `sensor_msgs/Image` of pixels [H,W] or [H,W,C] under `header`, which is not copied."""
    rows = np.ascontiguousarray(pixels)
    return make(
        "sensor_msgs/Image",
        header=header,
        height=int(rows.shape[0]),
        width=int(rows.shape[1]),
        encoding=encoding,
        is_bigendian=0,
        step=math.prod(rows.shape[1:]) * rows.itemsize,
        data=rows.reshape(-1).view(np.uint8),
    )


def jpeg_to_msg(make: Make, rgb: U8, header: HeaderMsg, quality: int = 85) -> Any:
    """Return a `sensor_msgs/CompressedImage` with the RGB picture u8[H,W,3] as JPEG.

    Raises:
        ImageError: OpenCV does not take the picture.
    """
    done, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageError(f"OpenCV could not write a JPEG of shape {rgb.shape}")
    return make("sensor_msgs/CompressedImage", header=header, format="jpeg", data=data.reshape(-1))
