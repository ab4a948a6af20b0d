# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""MCAP files without their index, record by record: damage costs only the record or chunk that it lies in."""

from __future__ import annotations

import io
import mmap
import re
import struct
import zlib
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ris_node.bags.cdr import plain
from ris_node.bags.message import BrokenBagError, Message, Topic
from ris_node.bags.salvage import Ledger, unpacked
from ris_node.bags.typestore import needs
from ris_node.errors import BagError
from ris_node.stamps import NS_PER_S

_MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = 2, 3, 4, 5, 6
_FOOTER_BYTES = 29
_COMPRESSIONS = {b"": "", b"zstd": "zstd", b"lz4": "lz4"}
_HEAD, _MESSAGE_HEAD, _CHUNK_HEAD = struct.Struct("<BQ"), struct.Struct("<HIQQ"), struct.Struct("<QQQII")
_LIKELY = re.compile(rb"[\x03-\x06](?=.{4}\0{4})", re.DOTALL)  # a record that matters, of less than 4 GB
_NEAR_NS = 3600 * NS_PER_S  # a record that is searched for was written within an hour of the last good one
_LAST_NS = 2**63 - 1
Bytes = Any  # bytes or a mapped file


@dataclass(frozen=True)
class _Chunk:
    """Where a chunk's contents lie, which may end beyond the file; `fits`: its two lengths agree."""

    begin: int
    end: int
    compression: str
    crc: int
    fits: bool


@dataclass(frozen=True)
class _Found:
    """A message: its channel, receive time, and where its bytes lie in `within`."""

    channel: int
    log_ns: int
    within: Bytes
    begin: int
    end: int


class McapScan:
    """An MCAP file read from its beginning, however damaged; see `Storage`."""

    def __init__(self, path: Path) -> None:
        """Look the file through once: its topics, and where it is damaged.

        Raises:
            BagError: nothing in it is an MCAP's.
        """
        self._path, self._size = path, path.stat().st_size
        self._schemas: dict[int, Any] = {}
        self._channels: dict[int, Any] = {}
        self._sure_ns: int | None = None  # when the last message was written that is sure to be one
        self._odd = (-1, -_NEAR_NS)  # place and time of the last one that is not: a time that goes on is no damage
        self._ledger = Ledger(path)
        seen: Counter[int] = Counter()
        data = self._mapped()
        self._read_summary(data)
        for messages in self._pieces(data):
            seen.update(message.channel for message in messages)
        self.problem = self._ledger.words
        self.topics = tuple(self._topic(number, seen[number]) for number in self._channels)
        if not self.topics:
            raise BagError(self.problem or f"{path} holds no topics: nothing was recorded")

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`; in order within each chunk, and of chunks as they were written."""
        self._sure_ns, self._odd = None, (-1, -_NEAR_NS)
        for messages in self._pieces(self._mapped()):
            for found in messages:
                channel = self._channels[found.channel]
                if (not topics or channel.topic in topics) and (start_ns is None or found.log_ns >= start_ns):
                    body = bytes(found.within[found.begin : found.end])
                    yield Message(channel.topic, self._type(channel), found.log_ns, body)
        if self.problem:
            raise BrokenBagError(self.problem)

    def convert(self, data: bytes, _type_name: str) -> bytes:
        """See `Storage.convert`."""
        return plain(data)

    def close(self) -> None:
        """Do nothing: no file stays open between calls."""

    def _mapped(self) -> mmap.mmap:
        with self._path.open("rb") as file:
            return mmap.mmap(file.fileno(), self._size, access=mmap.ACCESS_READ)

    def _topic(self, number: int, count: int) -> Topic:
        channel = self._channels[number]
        schema = self._schemas.get(channel.schema_id)
        definition = schema.data.decode("utf-8", "replace") if schema is not None else ""
        return Topic(name=channel.topic, type=self._type(channel), count=count, definition=definition)

    def _type(self, channel: Any) -> str:
        schema = self._schemas.get(channel.schema_id)
        return str(schema.name) if schema is not None else ""

    def _read_summary(self, data: Bytes) -> None:
        """Read schemas and channels of the summary, where there is one: those before it may be damaged."""
        end = self._size - len(_MAGIC) - _FOOTER_BYTES
        if end < len(_MAGIC) or data[-8:] != _MAGIC or data[end] != _FOOTER:
            return
        (at,) = struct.unpack_from("<Q", data, end + 9)
        while 0 < at <= end - 9:
            opcode, length = _HEAD.unpack_from(data, at)
            if opcode not in (_SCHEMA, _CHANNEL) or at + 9 + length > end or not self._learn(opcode, data, at):
                return
            at += 9 + length

    def _learn(self, opcode: int, data: Bytes, at: int) -> bool:
        """Take a schema or channel; what is known already stays. Whether it is one."""
        body = self._parsed(opcode, data, at)
        if body is not None:
            (self._schemas if opcode == _SCHEMA else self._channels).setdefault(body.id, body)
        return body is not None

    def _parsed(self, opcode: int, data: Bytes, at: int) -> Any | None:
        """Return a schema or channel of the `mcap` library; None: it is none."""
        records, streams = needs("mcap.records"), needs("mcap.data_stream")
        _, length = _HEAD.unpack_from(data, at)
        stream = streams.ReadDataStream(io.BytesIO(data[at + 9 : at + 9 + length]))
        try:
            body = (records.Schema if opcode == _SCHEMA else records.Channel).read(stream)
        except Exception:  # it raises struct's, Unicode's and its own
            return None
        named = "/" in (body.name if opcode == _SCHEMA else body.topic)
        return body if named and stream.count == length else None

    def _pieces(self, data: Bytes) -> Iterator[list[_Found]]:
        """Yield the messages of each chunk, or of each record outside of chunks, in order of receive time."""
        if data[: len(_MAGIC)] != _MAGIC:
            self._ledger.damaged(0, "it does not begin as an MCAP does")
        held: list[_Found] = []
        until = 0
        for opcode, begin, end in self._records(data, len(_MAGIC), self._size):
            if held and begin >= until:
                yield sorted(held, key=_log_ns)
                held = []
            chunk = _chunk(data, begin, self._size) if opcode == _CHUNK else None
            if chunk is None:
                held += self._taken(opcode, data, begin, end)
            elif chunk.compression:
                yield self._unfolded(data, begin, chunk)
            else:
                until = chunk.end
                if chunk.crc and chunk.end <= self._size and zlib.crc32(data[chunk.begin : chunk.end]) != chunk.crc:
                    self._ledger.damaged(begin, "a chunk does not fit its checksum; its messages are taken as they are")
        if held:
            yield sorted(held, key=_log_ns)

    def _unfolded(self, data: Bytes, at: int, chunk: _Chunk) -> list[_Found]:
        """Return the messages of a compressed chunk, as far as it can be decompressed."""
        zstd = chunk.compression == "zstd"
        if zstd:
            decoder = needs("zstandard").ZstdDecompressor().decompressobj()
        else:
            decoder = needs("lz4.frame").LZ4FrameDecompressor()
        raw, problem = unpacked(decoder, data[chunk.begin : min(chunk.end, self._size)])
        if not problem and chunk.crc and zlib.crc32(raw) != chunk.crc:
            problem = "does not fit its checksum"
        found = [
            message
            for opcode, begin, end in self._records(raw, 0, len(raw), at)
            for message in self._taken(opcode, raw, begin, end, at)
        ]
        if problem:
            self._ledger.damaged(at, f"a chunk of which {len(found)} messages are read: {problem}")
        return sorted(found, key=_log_ns)

    def _taken(self, opcode: int, data: Bytes, begin: int, end: int, place: int | None = None) -> list[_Found]:
        """Return the message of a record, if it is one; schemas and channels are learnt."""
        place = begin if place is None else place
        if opcode in (_SCHEMA, _CHANNEL) and not self._learn(opcode, data, begin):
            self._ledger.damaged(place, "a topic's description is none")
        if opcode != _MESSAGE:
            return []
        channel, _, log_ns, _ = _MESSAGE_HEAD.unpack_from(data, begin + 9)
        if channel in self._channels and log_ns <= _LAST_NS:
            self._ledger.found(1)
            return [_Found(channel, log_ns, data, begin + 31, end)]
        self._ledger.damaged(place, "a message of no known topic or time")
        return []

    def _records(self, data: Bytes, at: int, end: int, place: int | None = None) -> Iterator[tuple[int, int, int]]:
        """Yield opcode, begin and end of records; contents of chunks that are not compressed count as records too.

        Where they break off it goes on at the next that is sure to be one, looked for from the last that was.
        `place` stands for all positions where `data` is not the file.
        """
        search = at
        while at < end:
            record = _record(data, at, end)
            if record is None:
                self._ledger.damaged(at if place is None else place, "the record there is not whole")
                at = self._next(data, search, end)
                if at < 0:
                    return
                record = _record(data, at, end)
                assert record is not None  # `_next` looked
            opcode, stop = record
            if opcode == _FOOTER and place is None and stop + len(_MAGIC) == end:
                return
            yield opcode, at, stop
            chunk = _chunk(data, at, end) if opcode == _CHUNK else None
            if chunk is not None and chunk.compression and chunk.fits:
                search = stop
            elif chunk is not None or self._is_sure(opcode, data, at):
                search = at + 10  # its length may be wrong
                if opcode == _MESSAGE:
                    self._sure_ns = _MESSAGE_HEAD.unpack_from(data, at + 9)[2]
            elif opcode == _MESSAGE:
                self._odd = at, _MESSAGE_HEAD.unpack_from(data, at + 9)[2]
            at = stop if chunk is None or chunk.compression else chunk.begin
        if place is None:
            self._ledger.damaged(end, "its end is missing")

    def _next(self, data: Bytes, at: int, end: int) -> int:
        """Return the next record that is sure to be one; -1: there is none."""
        for match in _LIKELY.finditer(data, at, end):
            record = _record(data, match.start(), end)
            if record is not None and self._is_sure(record[0], data, match.start()):
                return match.start()
        return -1

    def _is_sure(self, opcode: int, data: Bytes, at: int) -> bool:
        if opcode == _MESSAGE:
            channel, _, log_ns, _ = _MESSAGE_HEAD.unpack_from(data, at + 9)
            near = self._sure_ns is None or abs(log_ns - self._sure_ns) < _NEAR_NS
            near = near or (self._odd[0] != at and abs(log_ns - self._odd[1]) < _NEAR_NS)
            return near and channel in self._channels
        if opcode == _CHUNK:
            chunk = _chunk(data, at, len(data))
            return chunk is not None and chunk.fits
        return opcode in (_SCHEMA, _CHANNEL) and self._parsed(opcode, data, at) is not None


def _log_ns(message: _Found) -> int:
    return message.log_ns


def _record(data: Bytes, at: int, end: int) -> tuple[int, int] | None:
    """Return opcode and end of the record at a place; None: no whole one begins there (a chunk need not be whole)."""
    if at + 9 > end:
        return None
    opcode, length = _HEAD.unpack_from(data, at)
    if opcode == _CHUNK:
        chunk = _chunk(data, at, end)
        return None if chunk is None else (opcode, min(chunk.end, end))
    if opcode == 0 or at + 9 + length > end or (opcode == _MESSAGE and length < _MESSAGE_HEAD.size):
        return None
    return opcode, at + 9 + length


def _chunk(data: Bytes, at: int, end: int) -> _Chunk | None:
    """Return the chunk at a place; None: none begins there."""
    begin = at + 9 + _CHUNK_HEAD.size
    if begin > end:
        return None
    _, length = _HEAD.unpack_from(data, at)
    _, _, _, crc, name = _CHUNK_HEAD.unpack_from(data, at + 9)
    if name > 4 or begin + name + 8 > end:
        return None
    compression = _COMPRESSIONS.get(bytes(data[begin : begin + name]))
    if compression is None:
        return None
    (size,) = struct.unpack_from("<Q", data, begin + name)
    begin += name + 8
    stop = at + 9 + length
    fits = begin + size == stop
    if not fits and not begin <= stop <= end:  # one of the two lengths is damaged
        stop = begin + size
    return _Chunk(begin, stop, compression, crc, fits)
