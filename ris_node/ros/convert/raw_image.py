# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Images read straight from their serialised form: pixels stay where the middleware put them.

rclpy turns an image into a message by copying its pixels three times, on the executor's thread. A raw subscription
hands over the serialised bytes instead; only the few fields before the pixels are read here (`CdrReader`). Any other
form than plain CDR is left to rclpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from ris_node.bags.cdr import CdrReader, is_plain_cdr
from ris_node.messages.types import CompressedImageMsg, HeaderMsg, ImageMsg


@dataclass
class RawImage:
    """The fields of a `sensor_msgs/Image`; `data` is a view of the serialised message."""

    header: HeaderMsg
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


@dataclass
class RawCompressedImage:
    """The fields of a `sensor_msgs/CompressedImage`; `data` is a view of the serialised message."""

    header: HeaderMsg
    format: str
    data: memoryview


def read_image(serialized: bytes) -> ImageMsg:
    """Return the image in a serialised `sensor_msgs/Image`: a `RawImage`, or a message where the form is another."""
    if not is_plain_cdr(serialized):
        return cast(ImageMsg, deserialize_message(serialized, Image))
    cdr = CdrReader(serialized)
    header, height, width = _header(cdr), cdr.number("I"), cdr.number("I")
    encoding, is_bigendian, step = cdr.string(), cdr.number("B"), cdr.number("I")
    return RawImage(header, height, width, encoding, is_bigendian=is_bigendian, step=step, data=cdr.octets())


def read_compressed(serialized: bytes) -> CompressedImageMsg:
    """Return the picture in a serialised `sensor_msgs/CompressedImage`, as `read_image` reads images."""
    if not is_plain_cdr(serialized):
        return cast(CompressedImageMsg, deserialize_message(serialized, CompressedImage))
    cdr = CdrReader(serialized)
    return RawCompressedImage(_header(cdr), cdr.string(), cdr.octets())


def _header(cdr: CdrReader) -> HeaderMsg:
    stamp = Time(sec=cdr.number("i"), nanosec=cdr.number("I"))
    header: HeaderMsg = Header(stamp=stamp, frame_id=cdr.string())
    return header
