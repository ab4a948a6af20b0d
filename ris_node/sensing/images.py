# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to NumPy, honouring `step` and `is_bigendian`; any object with a message's fields will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from ris_node.errors import ImageError
from ris_node.media.images import is_cut_off
from ris_node.messages.types import CompressedImageMsg, ImageMsg
from ris_node.types import F32, U8, Bool

# OpenCV names Bayer patterns by the second row's second and third pixel, ROS by the first row's first two.
_BAYER = {
    "bayer_rggb8": cv2.COLOR_BayerBG2RGB,
    "bayer_bggr8": cv2.COLOR_BayerRG2RGB,
    "bayer_gbrg8": cv2.COLOR_BayerGR2RGB,
    "bayer_grbg8": cv2.COLOR_BayerGB2RGB,
}
_YUV422 = {
    "yuv422": cv2.COLOR_YUV2RGB_UYVY,
    "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUY2,
    "yuyv": cv2.COLOR_YUV2RGB_YUY2,
}
_YUV420 = {"nv12": cv2.COLOR_YUV2RGB_NV12, "nv21": cv2.COLOR_YUV2RGB_NV21}
_EIGHT: dict[str, tuple[int, int | None]] = {  # encoding: channels, conversion
    "rgb8": (3, None),
    "bgr8": (3, cv2.COLOR_BGR2RGB),
    "rgba8": (4, cv2.COLOR_RGBA2RGB),
    "bgra8": (4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, cv2.COLOR_GRAY2RGB),
    "8UC1": (1, cv2.COLOR_GRAY2RGB),
    "8UC3": (3, cv2.COLOR_BGR2RGB),
    "8UC4": (4, cv2.COLOR_BGRA2RGB),
    **{name: (1, code) for name, code in _BAYER.items()},
}
_PLAIN: dict[str, tuple[int, int, int | None]] = {  # encoding: bytes of a value, values of a pixel, conversion
    **{name: (1, *layout) for name, layout in _EIGHT.items()},
    **{name: (1, 2, code) for name, code in _YUV422.items()},
    **{name.replace("8", "16"): (2, *layout) for name, layout in _EIGHT.items()},
}
ENCODINGS: tuple[str, ...] = (*_PLAIN, *_YUV420)
# OpenCV's names do not tell the order of colours; its own order is BGR
ASSUMED = {"8UC3": "bgr8", "8UC4": "bgra8", "16UC3": "bgr16", "16UC4": "bgra16"}
GREY = ("mono8", "8UC1", "mono16", "16UC1")  # and what masks are published as
_DEPTH = {"32FC1": (4, "f4", 1.0), "16UC1": (2, "u2", 0.001)}
DEPTH_ENCODINGS = tuple(_DEPTH)
Other = Callable[[ImageMsg, Sequence[str]], U8]  # decodes an encoding that is not in `ENCODINGS`, which it is given


def decode(msg: ImageMsg | CompressedImageMsg, other: Other | None = None) -> U8:
    """Return RGB u8[H,W,3] of a `sensor_msgs/Image` or `CompressedImage`; see `decode_image`, `decode_compressed`."""
    return decode_image(cast(ImageMsg, msg), other) if hasattr(msg, "encoding") else decode_compressed(msg)


def decode_image(msg: ImageMsg, other: Other | None = None) -> U8:
    """Return RGB u8[H,W,3] of a `sensor_msgs/Image`; a view of the message's data where no conversion is needed.

    16 bits become 8 by a fixed scale, 65535 to 255 (divided by 257, rounded): nothing is stretched, so brightness does
    not jump between frames. OpenCV's own names are taken as `ASSUMED` has them.

    Args:
        msg: the image; any object with its fields will do.
        other: decodes encodings that are not in `ENCODINGS` (in the node cv_bridge); None: they are refused.

    Raises:
        ImageError: unknown encoding, zero size, a step shorter than a row, or too little data.
    """
    if msg.encoding in _YUV420:
        return _decode_yuv420(msg)
    if msg.encoding not in _PLAIN:
        if other is not None:
            return other(msg, ENCODINGS)
        raise ImageError(f"encoding '{msg.encoding}' is not supported: publish one of {', '.join(ENCODINGS)}")
    size, channels, code = _PLAIN[msg.encoding]
    if channels == 2 and msg.width % 2:
        raise ImageError(f"a {msg.encoding} image has an even width, this one has {msg.width}: check the camera driver")
    rows = _rows(msg, msg.height, msg.width * channels * size)
    if size == 2:
        rows = _eight_bits(rows, bool(msg.is_bigendian))
    pixels = rows.reshape(msg.height, msg.width, channels) if rows.flags.c_contiguous else _columns(rows, channels)
    return pixels if code is None else _convert(pixels, code)


def decode_compressed(msg: CompressedImageMsg) -> U8:
    """Return RGB u8[H,W,3] of a `sensor_msgs/CompressedImage` (JPEG, PNG or whatever OpenCV reads).

    EXIF data never turn it: `camera_info` is about pixels as they are stored, and ROS's own decoders leave them so.

    Raises:
        ImageError: the data are empty, no picture, cut off, or one that OpenCV refuses.
    """
    data = np.frombuffer(msg.data, np.uint8)
    if is_cut_off(data):
        raise ImageError(
            f"{data.size} bytes of format '{msg.format}' break off in the middle of the JPEG: check the camera driver"
            " and the network"
        )
    try:
        picture = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION) if data.size else None
    except cv2.error as error:  # more pixels than OpenCV takes, or than memory holds
        raise ImageError(
            f"{data.size} bytes of format '{msg.format}' cannot be decoded ({error.err}): check the camera driver"
        ) from error
    if picture is None:
        raise ImageError(
            f"{data.size} bytes of format '{msg.format}' are no picture: send JPEG or PNG on the compressed topic"
        )
    return _convert(picture, cv2.COLOR_BGR2RGB)


def decode_mask(msg: ImageMsg) -> Bool:
    """Return bool[H,W] of a mask or of labels: where an image is not 0; of coloured ones the red counts.

    Raises:
        ImageError: as `decode_image`.
    """
    if msg.encoding in ("mono16", "16UC1"):  # 8 bits would lose small labels
        return np.asarray(np.ascontiguousarray(_rows(msg, msg.height, 2 * msg.width)).view(np.uint16) != 0)
    return np.asarray(decode_image(msg)[..., 0] > 0)


def decode_depth(msg: ImageMsg) -> F32:
    """Return depth f32[H,W] in metres of a 32FC1 (metres) or 16UC1 (millimetres) image; 0 or NaN means unknown.

    Raises:
        ImageError: another encoding, zero size, a step shorter than a row, or too little data.
    """
    if msg.encoding not in _DEPTH:
        raise ImageError(f"depth encoding '{msg.encoding}': publish 32FC1 in metres or 16UC1 in millimetres")
    size, kind, scale = _DEPTH[msg.encoding]
    rows = _rows(msg, msg.height, msg.width * size)
    order = ">" if msg.is_bigendian else "<"
    values = np.ascontiguousarray(rows).view(f"{order}{kind}")
    depth: F32 = values.astype(np.float32)
    return depth if scale == 1.0 else depth * np.float32(scale)


def _rows(msg: ImageMsg, count: int, row_bytes: int) -> U8:
    """Return the image's `count` rows as u8[count,row_bytes], a view; the last row may lack its padding."""
    if msg.height == 0 or msg.width == 0:
        raise ImageError(f"the image is {msg.width} x {msg.height}: publish frames that have pixels")
    if msg.step < row_bytes:
        raise ImageError(
            f"step {msg.step} is shorter than a row of {row_bytes} bytes ({msg.width} pixels of {msg.encoding}):"
            " check the camera driver"
        )
    data: U8 = np.frombuffer(msg.data, np.uint8)
    needed = msg.step * (count - 1) + row_bytes
    if data.size < needed:
        raise ImageError(
            f"{data.size} bytes of data, but {msg.width} x {msg.height} {msg.encoding} with step {msg.step}"
            f" needs {needed}: check the camera driver"
        )
    if msg.step == row_bytes:
        return data[: count * row_bytes].reshape(count, row_bytes)
    return np.lib.stride_tricks.as_strided(data, (count, row_bytes), (msg.step, 1), writeable=False)


def _eight_bits(rows: U8, big: bool) -> U8:
    """Return rows of 16-bit values u8[R,2N] as u8[R,N]: 65535 becomes 255."""
    values = np.ascontiguousarray(rows).view(">u2" if big else "<u2")
    native = np.require(values, np.uint16, ("C", "A"))  # a serialised message's pixels may lie at an odd address
    return np.asarray(cv2.convertScaleAbs(native, alpha=1 / 257), np.uint8)


def _columns(rows: U8, channels: int) -> U8:
    """Return padded rows u8[H,W*C] as contiguous u8[H,W,C] (OpenCV reads no padded rows)."""
    return np.ascontiguousarray(rows).reshape(rows.shape[0], -1, channels)


def _decode_yuv420(msg: ImageMsg) -> U8:
    if msg.width % 2 or msg.height % 2:
        raise ImageError(f"an {msg.encoding} image has even sides, this one is {msg.width} x {msg.height}")
    planes = np.ascontiguousarray(_rows(msg, msg.height + msg.height // 2, msg.width))
    return _convert(planes, _YUV420[msg.encoding])


def _convert(pixels: npt.NDArray[Any], code: int) -> U8:
    try:
        converted: U8 = np.asarray(cv2.cvtColor(pixels, code), np.uint8)
    except cv2.error as error:  # a Bayer image of fewer than 2 x 2 pixels, for example
        raise ImageError(f"an image of shape {pixels.shape} cannot be converted to RGB: {error.err}") from error
    return converted
