# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages to and from NumPy; encodings that the project does not read itself go to cv_bridge, if it is there."""

from __future__ import annotations

from typing import Any

from ris_node.ros.convert import bridge
from ris_node.sensing import images
from ris_node.sensing.images import (
    ENCODINGS,
    byte_array,
    decode_compressed,
    decode_depth,
    encode_image,
    encode_jpeg,
)
from ris_node.types import U8

__all__ = [
    "ENCODINGS",
    "byte_array",
    "decode_compressed",
    "decode_depth",
    "decode_image",
    "encode_image",
    "encode_jpeg",
]


def decode_image(msg: Any) -> U8:
    """RGB u8[H,W,3] of a `sensor_msgs/Image`; a view of the message's data where no conversion is needed.

    Raises:
        ImageError: unknown encoding, zero size, a step shorter than a row, or too little data.
    """
    return images.decode_image(msg, bridge.decode)
