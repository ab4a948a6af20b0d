# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 1 bags without their index (`rosbag reindex` was never run) or damaged: their chunks from the beginning."""

from __future__ import annotations

import bz2
import io
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from ris_node.bags.cdr import ros1_to_cdr
from ris_node.bags.message import BrokenBagError, Message, Topic
from ris_node.bags.salvage import Ledger, unpacked
from ris_node.bags.typestore import needs, typestore
from ris_node.errors import BagError

_CHUNK_MARK = b"op=\x05"
_LONGEST_HEADER = 256  # bytes, of a chunk
_BLOCK = 1 << 20
_Found = tuple[int, int, bytes]  # connection, receive time, data


class Ros1Scan:
    """A ROS 1 bag read from its beginning, however damaged; see `Storage`."""

    def __init__(self, path: Path) -> None:
        """Look the file through once: its topics, and where it is damaged.

        Raises:
            BagError: it is no ROS 1 bag, or nothing in it can be read.
        """
        self._path, self._size = path, path.stat().st_size
        self._parts = needs("rosbags.rosbag1.reader")
        self._connections: dict[int, tuple[str, str]] = {}
        self._ledger = Ledger(path)
        self._read_index()
        seen: Counter[int] = Counter()
        for messages in self._chunks():
            seen.update(number for number, _, _ in messages)
        self.problem = self._ledger.words
        self.topics = tuple(
            Topic(name=name, type=kind, count=seen[number]) for number, (name, kind) in self._connections.items()
        )
        if not self.topics:
            raise BagError(self.problem or f"{path} holds no topics: nothing was recorded")

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`; in order within each chunk."""
        known = typestore().fielddefs
        for messages in self._chunks():
            for number, log_ns, data in messages:
                topic, kind = self._connections[number]
                if (not topics or topic in topics) and kind in known and (start_ns is None or log_ns >= start_ns):
                    yield Message(topic, kind, log_ns, data)
        if self.problem:
            raise BrokenBagError(self.problem)

    def convert(self, data: bytes, type_name: str) -> bytes:
        """See `Storage.convert`."""
        return ros1_to_cdr(data, type_name)

    def close(self) -> None:
        """Do nothing: no file stays open between calls."""

    def _read_index(self) -> None:
        """Read connections of the index at the end, where there is one: those in chunks may be damaged."""
        with suppress(Exception), self._path.open("rb") as file:  # rosbags raises its own, Unicode's and struct's
            file.readline(64)
            file.seek(self._parts.Header.read(file).get_uint64("index_pos"))
            while not self._record(file):
                pass

    def _chunks(self) -> Iterator[list[_Found]]:
        """Yield the messages of each chunk, in order of receive time."""
        with self._path.open("rb") as file:
            if not file.readline(64).startswith(b"#ROSBAG V2"):
                raise BagError(f"{self._path} is no ROS 1 bag: it does not begin with '#ROSBAG V2.0'")
            while (at := file.tell()) < self._size:
                try:
                    header = self._parts.Header.read(file)
                    size = self._parts.read_uint32(file)
                    chunk = header.get_uint8("op") == self._parts.RecordType.CHUNK
                    compression = header.get_string("compression") if chunk else ""
                except Exception as error:  # rosbags has its own, and raises Unicode's and struct's
                    self._ledger.damaged(at, str(error))
                    if self._seek_chunk(file, at + 1):
                        continue
                    return
                end = file.tell() + size
                if chunk:
                    yield self._unfolded(at, compression, file.read(size), cut=end > self._size)
                file.seek(min(end, self._size))

    def _seek_chunk(self, file: BinaryIO, begin: int) -> bool:
        """Go to the next record that is a chunk's; False: there is none."""
        while True:
            file.seek(begin)
            block = file.read(_BLOCK)
            mark = block.find(_CHUNK_MARK)
            if mark < 0:
                if len(block) < _BLOCK:
                    return False
                begin += _BLOCK - len(_CHUNK_MARK)
                continue
            for at in range(begin + mark - 8, max(begin + mark - _LONGEST_HEADER, 0), -1):
                if self._is_chunk(file, at):
                    file.seek(at)
                    return True
            begin += mark + 1

    def _is_chunk(self, file: BinaryIO, at: int) -> bool:
        file.seek(at)
        try:
            if int.from_bytes(file.read(4), "little") > _LONGEST_HEADER:
                return False
            file.seek(at)
            header = self._parts.Header.read(file, self._parts.RecordType.CHUNK)
            return header.get_string("compression") in self._parts.decompressors
        except Exception:  # as in `_chunks`
            return False

    def _unfolded(self, at: int, compression: str, data: bytes, *, cut: bool) -> list[_Found]:
        """Return the messages of a chunk, as far as they are whole."""
        problem = "it is cut off" if cut else ""
        if compression == "bz2":
            data, problem = unpacked(bz2.BZ2Decompressor(), data)
        elif compression == "lz4":
            data, problem = unpacked(needs("lz4.frame").LZ4FrameDecompressor(), data)
        elif compression != "none":
            data, problem = b"", f"its compression '{compression}' is not known"
        found: list[_Found] = []
        chunk = io.BytesIO(data)
        try:
            while chunk.tell() < len(data):
                found += self._record(chunk, at)
        except Exception as error:  # as in `_chunks`
            problem = problem or str(error)
        self._ledger.found(len(found))
        if problem:
            self._ledger.damaged(at, f"a chunk of which {len(found)} messages are read: {problem}")
        return sorted(found, key=lambda item: item[1])

    def _record(self, chunk: BinaryIO, place: int = 0) -> list[_Found]:
        """Return the message of the next record, if it is one; connections are learnt."""
        parts: Any = self._parts
        header = parts.Header.read(chunk)
        data = parts.read_bytes(chunk, parts.read_uint32(chunk))
        number = header.get_uint32("conn")
        if header.get_uint8("op") == parts.RecordType.CONNECTION:
            about = io.BytesIO(len(data).to_bytes(4, "little") + data)
            kind = parts.normalize_msgtype(parts.Header.read(about).get_string("type"))
            self._connections.setdefault(number, (parts.normalize(header.get_string("topic")), kind))
            return []
        if number not in self._connections:
            self._ledger.damaged(place, "a message of no known topic")
            return []
        return [(number, header.get_time("time"), data)]
