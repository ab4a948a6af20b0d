# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recorded bytes to CDR, the serialised form of a ROS 2 message."""

from __future__ import annotations

from ris_node.bags.typestore import needs, typestore

ZSTD, LZ4 = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"  # no CDR message begins so: its first byte is 0


def ros1_to_cdr(data: bytes, type_name: str) -> bytes:
    """A ROS 1 message in CDR; the standard messages have the same fields in both, but for the header's `seq`."""
    return bytes(typestore().ros1_to_cdr(data, type_name))


def plain(data: bytes) -> bytes:
    """A message without its compression (zstd as rosbag2 writes it, or lz4)."""
    head = bytes(data[:4])
    if head == ZSTD:
        return bytes(needs("zstandard").ZstdDecompressor().decompressobj().decompress(data))
    if head == LZ4:
        return bytes(needs("lz4.frame").decompress(data))
    return data
