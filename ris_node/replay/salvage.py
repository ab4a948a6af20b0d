# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Files that were cut off, are still being written, or are damaged: their good part, and where it ends."""

from __future__ import annotations

import io
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from ris_node.errors import BagError
from ris_node.messages import needs, typestore
from ris_node.replay.message import BrokenBagError, Message, TopicInfo
from ris_node.replay.storage import plain, ros1_to_cdr


class _Scan:
    """A file that is read from its beginning, piece by piece, as far as it is good."""

    def __init__(self, path: Path) -> None:
        """Look the file through once: its topics, and where its good part ends.

        Raises:
            BagError: not even its beginning can be read.
        """
        self._path = path
        self.problem = ""
        self._cut = ""
        self._end = 0  # after the last good piece
        self._seen: Counter[int] = Counter()  # messages of each topic, by its number in the file
        try:
            for messages, end in self._pieces():
                self._count(messages)
                self._end = end
        except Exception as error:
            self.problem = self._cut = _broken(path, self._end, error)
        self.topics = self._topics()
        if not self.topics:
            raise BagError(self.problem or f"{path} holds no topics: nothing was recorded")

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _pieces(self) -> Iterator[tuple[list[Any], int]]:
        """The messages of each piece (a record, a chunk), and the place after it."""
        raise NotImplementedError

    def _count(self, messages: list[Any]) -> None:
        raise NotImplementedError

    def _topics(self) -> tuple[TopicInfo, ...]:
        raise NotImplementedError


class McapScan(_Scan):
    """An MCAP file read record by record (the `mcap` library's streaming reader)."""

    def __init__(self, path: Path) -> None:
        self._schemas: dict[int, Any] = {}
        self._channels: dict[int, Any] = {}
        super().__init__(path)

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`; in order within each chunk, and of chunks as they were written."""
        try:
            for messages, end in self._pieces():
                for message in messages:
                    channel = self._channels[message.channel_id]
                    wanted = not topics or channel.topic in topics
                    if wanted and (start_ns is None or message.log_time >= start_ns):
                        yield Message(channel.topic, self._type(channel), message.log_time, plain(message.data))
                if end >= self._end:
                    break
        except GeneratorExit:
            raise
        except Exception as error:
            raise BrokenBagError(_broken(self._path, self._end, error)) from error
        if self._cut:
            raise BrokenBagError(self._cut)

    def _count(self, messages: list[Any]) -> None:
        self._seen.update(message.channel_id for message in messages)

    def _topics(self) -> tuple[TopicInfo, ...]:
        return tuple(
            TopicInfo(channel.topic, self._type(channel), self._seen[number],
                      self._schemas[channel.schema_id].data.decode() if channel.schema_id in self._schemas else "")
            for number, channel in self._channels.items()
        )  # fmt: skip

    def _type(self, channel: Any) -> str:
        schema = self._schemas.get(channel.schema_id)
        return schema.name if schema is not None else ""

    def _pieces(self) -> Iterator[tuple[list[Any], int]]:
        """The messages of each record (a chunk has many), and the place after it."""
        stream, records = needs("mcap.stream_reader"), needs("mcap.records")
        with self._path.open("rb") as file:
            for record in stream.StreamReader(file, emit_chunks=True, record_size_limit=1 << 31).records:
                inner = stream.breakup_chunk(record, validate_crc=True) if type(record) is records.Chunk else [record]
                messages = []
                for item in inner:
                    if isinstance(item, records.Schema):
                        self._schemas[item.id] = item
                    elif isinstance(item, records.Channel):
                        self._channels[item.id] = item
                    elif isinstance(item, records.Message):
                        messages.append(item)
                messages.sort(key=lambda message: message.log_time)
                yield messages, file.tell()


class SqliteScan:
    """A sqlite3 file read row by row in the order of recording, its write-ahead log included where there is one."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its topics.

        Raises:
            BagError: not even the table of topics can be read.
        """
        self._path = path
        self.problem = ""
        waiting = path.with_name(path.name + "-wal")
        # a log beside it: the recorder is still at work or was killed; sqlite then needs the folder's permission
        self._uri = f"{path.resolve().as_uri()}?mode=ro" + ("" if waiting.exists() else "&immutable=1")
        try:
            with closing(self._connect()) as connection:
                rows = connection.execute("SELECT id, name, type, serialization_format FROM topics").fetchall()
        except sqlite3.Error as error:
            raise BagError(f"{path} cannot be read ({error}): it is no bag, or its first pages are damaged") from error
        self._topics = {int(row[0]): (str(row[1]), str(row[2])) for row in rows}
        self.topics = tuple(TopicInfo(name, kind, -1) for name, kind in self._topics.values())
        if not self.topics:
            raise BagError(f"{path} holds no topics: nothing was recorded")

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`; in the order of recording."""
        numbers = [n for n, (name, _) in self._topics.items() if not topics or name in topics]
        if not numbers:
            return
        row = 0
        query = f"SELECT id, topic_id, timestamp, data FROM messages WHERE topic_id IN ({','.join(map(str, numbers))})"
        query += f" AND timestamp >= {int(start_ns)}" if start_ns is not None else ""
        try:
            with closing(self._connect()) as connection:
                for number, topic_id, log_ns, data in connection.execute(query):
                    row = number
                    yield Message(*self._topics[topic_id], log_ns, plain(data))
        except sqlite3.Error as error:
            at = self._path.stat().st_size
            raise BrokenBagError(
                f"{self._path}: breaks off after message {row} ({error}); the file ends at byte {at}"
            ) from error

    def close(self) -> None:
        """Nothing stays open between calls."""

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._uri, uri=True, check_same_thread=False)
        # without this, sqlite refuses every page of a file that is shorter than its header says
        connection.execute("PRAGMA writable_schema=ON")
        return connection


class Ros1Scan(_Scan):
    """A ROS 1 bag without its index (`rosbag reindex` was never run): its chunks from the beginning."""

    def __init__(self, path: Path) -> None:
        self._connections: dict[int, tuple[str, str]] = {}
        super().__init__(path)

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`; in order within each chunk."""
        known = typestore().fielddefs
        for messages, end in self._pieces():
            for number, log_ns, data in messages:
                topic, kind = self._connections[number]
                if (not topics or topic in topics) and kind in known and (start_ns is None or log_ns >= start_ns):
                    yield Message(topic, kind, log_ns, ros1_to_cdr(data, kind))
            if end >= self._end:
                break
        if self._cut:
            raise BrokenBagError(self._cut)

    def _count(self, messages: list[Any]) -> None:
        self._seen.update(number for number, _, _ in messages)

    def _topics(self) -> tuple[TopicInfo, ...]:
        return tuple(TopicInfo(*names, self._seen[number]) for number, names in self._connections.items())

    def _pieces(self) -> Iterator[tuple[list[tuple[int, int, bytes]], int]]:
        """(connection, receive time, data) of each chunk's messages, and the place after the chunk."""
        parts = needs("rosbags.rosbag1.reader")
        with self._path.open("rb") as file:
            if not file.readline().startswith(b"#ROSBAG V2"):
                raise BagError(f"{self._path} is no ROS 1 bag: it does not begin with '#ROSBAG V2.0'")
            while file.peek(1):
                header = parts.Header.read(file)
                data = parts.read_bytes(file, parts.read_uint32(file))
                if header.get_uint8("op") == parts.RecordType.CHUNK:
                    inner = io.BytesIO(parts.decompressors[header.get_string("compression")](data))
                    yield self._unfold(inner, parts), file.tell()

    def _unfold(self, chunk: io.BytesIO, parts: Any) -> list[tuple[int, int, bytes]]:
        found, size = [], len(chunk.getbuffer())
        while chunk.tell() < size:
            header = parts.Header.read(chunk)
            data = parts.read_bytes(chunk, parts.read_uint32(chunk))
            number = header.get_uint32("conn")
            if header.get_uint8("op") == parts.RecordType.CONNECTION:
                about = io.BytesIO(len(data).to_bytes(4, "little") + data)
                kind = parts.normalize_msgtype(parts.Header.read(about).get_string("type"))
                self._connections[number] = (parts.normalize(header.get_string("topic")), kind)
            else:
                found.append((number, header.get_time("time"), data))
        return sorted(found, key=lambda item: item[1])


def where_damaged(path: Path, last_ns: int | None, error: Exception) -> str:
    """Say where a file whose index is whole is damaged inside."""
    after = f"after the message received at {last_ns / 1e9:.6f} s" if last_ns is not None else "at its first message"
    if path.suffix == ".mcap":
        scan = McapScan(path)
        if scan.problem:
            return f"{scan.problem}; {after}"
    return f"{path}: damaged {after} ({type(error).__name__}: {error})"


def _broken(path: Path, end: int, error: Exception) -> str:
    size = path.stat().st_size
    reason = " ".join(str(error).split()) or type(error).__name__
    return f"{path}: good up to byte {end} of {size}, then it breaks off ({reason}); is it still being written?"
