# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The one file that imports cv_bridge: it decodes other encodings than the core's, where it is installed and works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ris_node.errors import ImageError
from ris_node.messages.types import CompressedImageMsg, ImageMsg
from ris_node.sensing import images
from ris_node.types import U8

try:
    from cv_bridge import CvBridge

    _BRIDGE: Any = CvBridge()
    MISSING = ""
except Exception as error:  # its compiled part does not only raise ImportError under NumPy 2
    _BRIDGE = None
    MISSING = f"cv_bridge ({type(error).__name__}): signed and floating-point images are refused"


def decode(msg: ImageMsg | CompressedImageMsg) -> U8:
    """Return RGB u8[H,W,3] of a picture, as `sensing.images.decode`, but that cv_bridge decodes other encodings."""
    return images.decode(msg, convert)


def convert(msg: ImageMsg, known: Sequence[str]) -> U8:
    """Return RGB u8[H,W,3] of an image whose encoding this project does not read itself.

    Raises:
        ImageError: cv_bridge is missing or does not know the encoding either; names what is read (`known`).
    """
    hint = f"encoding '{msg.encoding}' is not supported: publish one of {', '.join(known)}"
    if _BRIDGE is None:
        raise ImageError(hint)
    try:
        pixels = _BRIDGE.imgmsg_to_cv2(msg, desired_encoding="rgb8")
    except Exception as error:
        raise ImageError(f"{hint} (cv_bridge: {error})") from error
    return np.ascontiguousarray(pixels, np.uint8)
