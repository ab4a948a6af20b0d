# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""CDR, the serialised form of a ROS 2 message: recorded bytes are made into it, fields are read from it.

The form is the OMG's DDSI-RTPS one (version 1, plain), which every ROS 2 middleware and bag uses.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ris_node.bags.typestore import needs, typestore
from ris_node.stamps import NS_PER_S

_ORIGIN = 4  # alignment counts from after the encapsulation header
_LONGEST_NAME = 1024  # of a frame, in bytes; more are no name
ZSTD, LZ4 = b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18"  # no CDR message begins so: its first byte is 0


def ros1_to_cdr(data: bytes, type_name: str) -> bytes:
    """Return a ROS 1 message in CDR; standard messages have the same fields in both, but for the header's `seq`."""
    return bytes(typestore().ros1_to_cdr(data, type_name))


def plain(data: bytes) -> bytes:
    """Return a message without its compression (zstd as rosbag2 writes it, or lz4)."""
    head = bytes(data[:4])
    if head == ZSTD:
        return bytes(needs("zstandard").ZstdDecompressor().decompressobj().decompress(data))
    if head == LZ4:
        return bytes(needs("lz4.frame").decompress(data))
    return data


@dataclass(frozen=True)
class Header:
    """A message's stamp in nanoseconds and its frame."""

    stamp_ns: int
    frame_id: str


class CdrReader:
    """Reads the fields of a serialised message in their order; pixels stay where they are.

    Its methods raise ValueError or struct.error where the bytes end before the field does.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < _ORIGIN:
            raise ValueError(f"{len(data)} bytes are no message")
        self._data, self._at = data, _ORIGIN
        self._order = "<" if data[1] else ">"

    def number(self, code: str) -> int:
        """Read an integer of `struct`'s code, aligned to its size."""
        form = struct.Struct(self._order + code)
        at = self._at + (_ORIGIN - self._at) % form.size
        self._at = at + form.size
        return int(form.unpack_from(self._data, at)[0])

    def string(self, longest: int = 1 << 32) -> str:
        """Read a string of at most so many bytes; its length counts the closing zero."""
        return bytes(self._take(longest)[:-1]).decode("utf-8", "replace")

    def octets(self) -> memoryview:
        """Return a view of a sequence of bytes."""
        return self._take(1 << 32)

    def header(self) -> Header:
        """Read a `std_msgs/Header`."""
        sec, nanosec = self.number("i"), self.number("I")
        return Header(sec * NS_PER_S + nanosec, self.string(_LONGEST_NAME))

    def _take(self, longest: int) -> memoryview:
        length = self.number("I")
        begin, self._at = self._at, self._at + length
        if length > longest or self._at > len(self._data):
            raise ValueError(f"{length} bytes at {begin} of {len(self._data)}")
        return memoryview(self._data)[begin : self._at]


def is_plain_cdr(data: bytes) -> bool:
    """Return whether bytes are a message in plain CDR of either byte order."""
    return bytes(data[:2]) in (b"\x00\x00", b"\x00\x01")
