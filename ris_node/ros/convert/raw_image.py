# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images read straight from their serialised form: pixels stay where the middleware put them.

rclpy turns an image into a message by copying its pixels three times, on the executor's thread. A raw subscription
hands over the serialised bytes instead; only the few fields before the pixels are unpacked here. The form is CDR as
the OMG's DDSI-RTPS defines it (version 1, plain), which every ROS 2 middleware and bag uses; anything else is left to
rclpy.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

_ORDERS = {b"\x00\x00": ">", b"\x00\x01": "<"}
_ORIGIN = 4  # alignment counts from after the encapsulation header


@dataclass(frozen=True)
class RawImage:
    """The fields of a `sensor_msgs/Image`; `data` is a view of the serialised message."""

    header: Any
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


@dataclass(frozen=True)
class RawCompressedImage:
    """The fields of a `sensor_msgs/CompressedImage`; `data` is a view of the serialised message."""

    header: Any
    format: str
    data: memoryview


def read_image(serialized: bytes) -> Any:
    """The image in a serialised `sensor_msgs/Image`: a `RawImage`, or a message where the form is another."""
    order = _ORDERS.get(bytes(serialized[:2]))
    if order is None:
        return deserialize_message(serialized, Image)
    header, at = _header(serialized, order)
    height, width = struct.unpack_from(f"{order}II", serialized, at)
    encoding, at = _string(serialized, at + 8, order)
    is_bigendian = serialized[at]
    at = _aligned(at + 1)
    step, size = struct.unpack_from(f"{order}II", serialized, at)
    data = memoryview(serialized)[at + 8 : at + 8 + size]
    return RawImage(header, height, width, encoding, is_bigendian, step, data)


def read_compressed(serialized: bytes) -> Any:
    """The picture in a serialised `sensor_msgs/CompressedImage`, as `read_image` reads images."""
    order = _ORDERS.get(bytes(serialized[:2]))
    if order is None:
        return deserialize_message(serialized, CompressedImage)
    header, at = _header(serialized, order)
    form, at = _string(serialized, at, order)
    at = _aligned(at)
    (size,) = struct.unpack_from(f"{order}I", serialized, at)
    return RawCompressedImage(header, form, memoryview(serialized)[at + 4 : at + 4 + size])


def _header(serialized: bytes, order: str) -> tuple[Any, int]:
    """The header at the beginning, and the aligned place after it."""
    sec, nanosec = struct.unpack_from(f"{order}iI", serialized, _ORIGIN)
    frame_id, at = _string(serialized, _ORIGIN + 8, order)
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id), _aligned(at)


def _string(serialized: bytes, at: int, order: str) -> tuple[str, int]:
    """The string at an aligned place, and the place after it; its length counts the closing zero."""
    (length,) = struct.unpack_from(f"{order}I", serialized, at)
    end = at + 4 + length
    return bytes(serialized[at + 4 : max(end - 1, at + 4)]).decode("utf-8", "replace"), end


def _aligned(at: int) -> int:
    """The next place that is a multiple of four from the origin."""
    return at + (_ORIGIN - at) % 4
