# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as phones store them: lying on their side, with a word in EXIF on how to turn them."""

from __future__ import annotations

import struct
from pathlib import Path

import cv2

from ris_node.types import U8


def phone_picture(path: Path, image: U8, orientation: int) -> None:
    """Write RGB u8[H,W,3] as a JPEG whose EXIF says how to turn it."""
    jpeg = cv2.imencode(".jpg", image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    exif = b"Exif\0\0" + tiff
    path.write_bytes(jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:])
