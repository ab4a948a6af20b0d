# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Fields of serialised messages: aligned, in either byte order, and refused where the bytes end before them."""

from __future__ import annotations

import struct

import pytest

from ris_node.bags.cdr import CdrReader, Header, is_plain_cdr


def message(order: str, frame: bytes = b"front\0", data: bytes = b"abc") -> bytes:
    head = b"\0\1\0\0" if order == "<" else b"\0\0\0\0"
    head += struct.pack(f"{order}iII", -2, 7, len(frame)) + frame
    head += b"\x05"
    return head + bytes(-len(head) % 4) + struct.pack(f"{order}I", len(data)) + data


@pytest.mark.parametrize("order", ["<", ">"])
def test_fields_are_read_in_order_whatever_the_byte_order(order: str) -> None:
    cdr = CdrReader(message(order))
    assert cdr.header() == Header(-2_000_000_000 + 7, "front")
    assert cdr.number("B") == 5
    assert bytes(cdr.octets()) == b"abc"


def test_a_field_beyond_the_end_is_an_error_wherever_the_bytes_end() -> None:
    whole = message("<")
    for end in range(len(whole)):
        with pytest.raises((ValueError, struct.error)):
            _all(whole[:end])
    _all(whole)
    with pytest.raises(ValueError, match="2000 bytes at 16"):
        CdrReader(message("<", frame=bytes(2000))).header()


def test_other_forms_are_not_plain() -> None:
    assert is_plain_cdr(message("<"))
    assert is_plain_cdr(message(">"))
    assert not is_plain_cdr(b"\0\3\0\0")
    assert not is_plain_cdr(b"")


def _all(data: bytes) -> None:
    cdr = CdrReader(data)
    cdr.header()
    cdr.number("B")
    cdr.octets()
