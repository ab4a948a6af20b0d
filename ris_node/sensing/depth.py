# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Depth in metres of raw messages and of image_transport's compressedDepth."""

from __future__ import annotations

import struct
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from ris_node.errors import ImageError
from ris_node.messages.types import CompressedImageMsg, ImageMsg
from ris_node.sensing.images import DEPTH_ENCODINGS, decode_depth
from ris_node.types import F32

_HEADER = struct.Struct("<i2f")  # a kind that nobody reads, and what floats were quantised with
_PNG, _END = b"\x89PNG\r\n\x1a\n", b"IEND"


def read_depth(msg: ImageMsg | CompressedImageMsg) -> F32:
    """Return depth f32[H,W] in metres of a `sensor_msgs/Image` or `CompressedImage`; 0 or NaN means unknown.

    Raises:
        ImageError: another encoding or compression, or data that are damaged.
    """
    return decode_depth(cast(ImageMsg, msg)) if hasattr(msg, "encoding") else _decode(msg)


def depth_trouble(form: str) -> str:
    """Return why depth of this `format` is not read, with what to change; empty where it is."""
    encoding, codec = _parts(form)
    if encoding not in DEPTH_ENCODINGS:
        return f"depth of format '{form}': publish {' or '.join(DEPTH_ENCODINGS)}"
    if codec != "png":
        return f"depth of format '{form}' is no PNG: set the camera driver's compressedDepth.format to png"
    return ""


def _parts(form: str) -> tuple[str, str]:
    """Return encoding and codec of a format as "16UC1; compressedDepth png"; older releases leave the codec out."""
    encoding, _, rest = form.partition(";")
    words = [word for word in rest.split() if word not in ("compressedDepth", "compressed")]
    return encoding.strip(), words[0] if words else "png"


def _decode(msg: CompressedImageMsg) -> F32:
    if trouble := depth_trouble(msg.format):
        raise ImageError(trouble)
    data = np.frombuffer(msg.data, np.uint8)
    start = bytes(data[: _HEADER.size + len(_PNG)])
    encoding, begin = _parts(msg.format)[0], _HEADER.size if start.endswith(_PNG) else 0
    if not start.startswith(_PNG, begin) or (encoding == "32FC1" and not begin):
        raise ImageError(f"{data.size} bytes of depth of format '{msg.format}' hold no PNG: check the camera driver")
    values = _png(data[begin:], msg.format)
    if encoding == "16UC1":
        return np.asarray(values * np.float32(0.001), np.float32)
    _, scale, offset = _HEADER.unpack_from(start)
    with np.errstate(divide="ignore", invalid="ignore"):
        depth = scale / (values - np.float32(offset))
    return np.where((values > 0) & (depth > 0.0), depth, np.nan).astype(np.float32)


def _png(data: npt.NDArray[Any], form: str) -> npt.NDArray[Any]:
    """Return the 16-bit values u16[H,W] of a PNG."""
    if _END not in bytes(data[-64:]):  # older OpenCVs fill up what is missing
        raise ImageError(f"{data.size} bytes of depth of format '{form}' break off: check driver and network")
    try:
        values = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ImageError(f"depth of format '{form}' cannot be decoded ({error.err}): check the driver") from error
    if values is None or values.ndim != 2 or values.dtype != np.uint16:
        kind = "damaged" if values is None else f"{values.dtype} of shape {values.shape}, not 16 bits of grey"
        raise ImageError(f"the PNG in depth of format '{form}' is {kind}: check the camera driver")
    return np.asarray(values)
