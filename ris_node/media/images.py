# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Reading and writing picture files, with errors that name the file, and the check that a JPEG is all there.

OpenCV does not say that: before 4.11 its `imdecode`, and to this day its `imread`, fill what is missing with grey.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from ris_node.errors import ImageError
from ris_node.types import U8


def read_image(path: Path) -> U8:
    """Read a picture as RGB u8[H,W,3], turned upright by its EXIF orientation, as every viewer shows it.

    Raises:
        ImageError: there is no such file, or it is cut off or not a picture that OpenCV can read.
    """
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        raise ImageError(f"cannot open '{path}': {getattr(error, 'strerror', None) or error}") from error
    if is_cut_off(data):
        raise ImageError(f"'{path}' breaks off in the middle of the JPEG ({data.size} bytes): copy it again")
    try:
        bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    except cv2.error as error:
        raise ImageError(f"'{path}' cannot be decoded: {error.err}") from error
    if bgr is None:
        raise ImageError(f"'{path}' is not a picture ({data.size} bytes): give a PNG, JPEG, BMP, TIFF or WebP file")
    return np.ascontiguousarray(bgr[:, :, ::-1], dtype=np.uint8)


def write_png(path: Path, image: U8) -> None:
    """Write RGB u8[H,W,3] or grey u8[H,W] as PNG.

    Raises:
        OSError: the file cannot be written.
    """
    write_image(path, image, form=".png")


def write_image(path: Path, image: U8, options: Sequence[int] = (), *, form: str = "") -> None:
    """Write RGB u8[H,W,3] or grey u8[H,W], encoded by the file's ending or by `form` with OpenCV's `options`.

    Raises:
        ImageError: it cannot be encoded.
        OSError: the file cannot be written; it has the file's name.
    """
    swapped = image[:, :, ::-1] if image.ndim == 3 else image
    try:
        path.write_bytes(cv2.imencode(form or path.suffix, np.ascontiguousarray(swapped), list(options))[1].tobytes())
    except cv2.error as error:
        raise ImageError(f"cannot encode '{path}' of shape {image.shape}: {error.err}") from error
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


_START = b"\xff\xd8\xff"
_MARKER = re.compile(rb"\xff([^\x00\xff])")  # bytes that are none between segments are passed over, as decoders do
_SCAN, _END = 0xDA, 0xD9
_BARE = (0x01, *range(0xD0, 0xD9))  # markers without a length


def is_cut_off(data: U8) -> bool:
    """Whether file contents u8[N] begin as a JPEG and lack its end marker after the first scan.

    Segments before it are passed over by their lengths, for thumbnails in them have ends of their own; what follows the
    end, as padding of buffers, does not matter. Whole files cost a copy, 0.1 ms a megabyte; nothing is decoded.
    """
    raw = data.tobytes()
    if not raw.startswith(_START):
        return False
    at = 2
    while found := _MARKER.search(raw, at):
        marker, at = raw[found.end() - 1], found.end()
        if marker == _SCAN:
            return not _ends(raw, at)
        if marker == _END:  # tables without a picture, which is another fault
            return False
        if marker not in _BARE:
            at += int.from_bytes(raw[at : at + 2], "big")
    return True


def _ends(raw: bytes, begin: int) -> bool:
    """Whether an end marker stands after `begin`; inside of a scan 0xFF is never followed by its second byte."""
    end = len(raw)
    while (end := raw.rfind(_END, begin, end)) >= 0:
        if raw[end - 1] == 0xFF:
            return True
    return False
