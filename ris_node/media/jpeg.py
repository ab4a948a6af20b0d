# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Detection of truncated JPEGs, which OpenCV does not report.

Before 4.11 its `imdecode`, and to this day its `imread`, fill what is missing with grey.
"""

from __future__ import annotations

import re

from ris_node.types import U8

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
