# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Makes a small MCAP file large: an attachment that is a hole in the file, between the data and the index."""

from __future__ import annotations

import io
import struct
from pathlib import Path


def widen(path: Path, size: int) -> None:
    """Insert `size` bytes of an unknown record before the data's end; the index is moved and corrected."""
    data = path.read_bytes()
    summary_start, offset_start, _ = struct.unpack_from("<QQI", data, len(data) - 28)
    # the data section ends with a DataEnd record (opcode 0x0F, 4 bytes of CRC), right before the summary
    end = summary_start - 13
    assert data[end] == 0x0F
    shift = size + 9
    with path.open("r+b") as file:
        file.seek(end)
        file.write(b"\x80" + struct.pack("<Q", size))  # a private record, which readers skip
        file.seek(end + shift)
        file.write(data[end:summary_start])
        file.write(moved(data[summary_start : len(data) - 37], shift, summary_start))
        footer = struct.pack("<QQI", summary_start + shift, offset_start + shift if offset_start else 0, 0)
        file.write(b"\x02" + struct.pack("<Q", 20) + footer + b"\x89MCAP0\r\n")


def moved(summary: bytes, shift: int, summary_start: int) -> bytes:
    """The summary with the places of what lies in it corrected; chunks lie before the hole."""
    out, source = io.BytesIO(), io.BytesIO(summary)
    while head := source.read(9):
        opcode, (size,) = head[0], struct.unpack("<Q", head[1:])
        body = bytearray(source.read(size))
        if opcode == 0x0E:  # SummaryOffset: group opcode, start, length
            (start,) = struct.unpack_from("<Q", body, 1)
            struct.pack_into("<Q", body, 1, start + shift if start >= summary_start else start)
        out.write(head + bytes(body))
    return out.getvalue()
