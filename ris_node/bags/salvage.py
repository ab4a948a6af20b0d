# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Common parts of the readers of files that are cut off, still being written, or damaged."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path
from typing import Protocol

from ris_node.bags.message import Message

_PIECE = 512  # bytes: with a damaged piece goes what it holds


class Ledger:
    """Places of a file's damage, in bytes, and the number of messages after the first; `words` describes them."""

    def __init__(self, path: Path) -> None:
        self._path, self._size = path, path.stat().st_size
        self._places: dict[int, str] = {}
        self._after = 0  # messages after the first place

    def damaged(self, at: int, reason: str) -> None:
        """Note damage at a byte."""
        self._places.setdefault(at, " ".join(reason.split()))

    def found(self, count: int) -> None:
        """Note good messages."""
        self._after += count if self._places else 0

    @property
    def words(self) -> str:
        """Description of the damage; empty: there is none."""
        if not self._places:
            return ""
        first = min(self._places)
        good = f"{self._path}: good up to byte {first} of {self._size}, then"
        if not self._after:
            return f"{good} it breaks off ({self._places[first]}); is it still being written?"
        more = f" and in {len(self._places) - 1} more places" if len(self._places) > 1 else ""
        return f"{good} damaged ({self._places[first]}){more}; what lies whole after that is read"


class Decoder(Protocol):
    """A decompressor that takes its data piece by piece."""

    @property
    def eof(self) -> bool:
        """Whether the end of the compressed data has come."""

    def decompress(self, data: bytes) -> bytes:
        """Return the decompressed bytes of some more data."""


def unpacked(decoder: Decoder, data: bytes) -> tuple[bytes, str]:
    """Return compressed data as far as they are good, and what is wrong after that (empty: nothing)."""
    parts = []
    for at in range(0, len(data), _PIECE):
        try:
            parts.append(decoder.decompress(data[at : at + _PIECE]))
        except Exception as error:  # each library has its own
            return b"".join(parts), f"its compressed data are damaged: {error}"
        if decoder.eof:
            return b"".join(parts), ""
    return b"".join(parts), "its compressed data break off"


class Given:
    """Which messages of a file were read already: topic and receive time, eight bytes each."""

    def __init__(self) -> None:
        self._times: dict[str, array[int]] = {}
        self._left: dict[str, Counter[int]] = {}

    def __len__(self) -> int:
        return sum(len(times) for times in self._times.values())

    def add(self, topic: str, log_ns: int) -> None:
        """Note a message."""
        self._times.setdefault(topic, array("q")).append(log_ns)

    def covers(self, message: Message) -> bool:
        """Whether a message was read already; each counts once."""
        if message.topic not in self._left:
            self._left[message.topic] = Counter(self._times.get(message.topic, ()))
        left = self._left[message.topic]
        left[message.log_ns] -= 1
        return left[message.log_ns] >= 0
