# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""sqlite3 files that are damaged, cut off or still being written, row by row."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from ris_node.bags.cdr import plain
from ris_node.bags.message import BrokenBagError, Message, Topic
from ris_node.bags.typestore import needs
from ris_node.errors import BagError

_TOPICS = "SELECT id, CAST(name AS BLOB), CAST(type AS BLOB) FROM topics"  # damaged text is no UTF-8
_EACH = 1000  # rows after damage that are asked for one by one
_MOST = 2**40  # no bag has as many rows


class SqliteScan:
    """A sqlite3 file read row by row in the order of recording, its write-ahead log included where there is one."""

    def __init__(self, path: Path) -> None:
        """Open the file and read its topics.

        Raises:
            BagError: not even the table of topics can be read.
        """
        self._path, self._apsw = (
            path,
            needs("apsw"),
        )  # newer than many a system's: never pads what is cut off with zeros
        self.problem = ""
        waiting = path.with_name(path.name + "-wal")
        # a log beside it: the recorder is still at work or was killed; sqlite then needs the folder's permission
        self._uri = f"{path.resolve().as_uri()}?mode=ro" + ("" if waiting.exists() else "&immutable=1")
        try:
            with closing(self._connect()) as connection:
                rows = list(connection.execute(_TOPICS))
        except self._apsw.Error as error:
            raise BagError(f"{path} cannot be read ({error}): it is no bag, or its first pages are damaged") from error
        self._topics = {n: (_text(name), _text(kind)) for n, name, kind in rows if isinstance(n, int)}
        self.topics = tuple(Topic(name=name, type=kind) for name, kind in self._topics.values())
        if not self.topics:
            raise BagError(f"{path} holds no topics: nothing was recorded")

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`; in the order of recording."""
        numbers = {n for n, (name, _) in self._topics.items() if not topics or name in topics}
        damage = _Damage()
        with closing(self._connect()) as connection:
            for number, (topic_id, log_ns, data) in _rows(connection, damage, self._apsw.Error):
                if topic_id not in self._topics or not isinstance(log_ns, int) or not isinstance(data, bytes):
                    damage.add(number - 1, 1, "a row is no message")
                elif topic_id in numbers and (start_ns is None or log_ns >= start_ns):
                    yield Message(*self._topics[topic_id], log_ns, data)
        if damage.words:
            at = self._path.stat().st_size
            raise BrokenBagError(f"{self._path}: {damage.words}; the file ends at byte {at}")

    def convert(self, data: bytes, _type_name: str) -> bytes:
        """See `Storage.convert`."""
        return plain(data)

    def close(self) -> None:
        """Do nothing: no file stays open between calls."""

    def _connect(self) -> Any:
        flags = self._apsw.SQLITE_OPEN_READONLY | self._apsw.SQLITE_OPEN_URI
        connection = self._apsw.Connection(self._uri, flags)
        # without this, sqlite refuses every page of a file that is shorter than its header says
        connection.execute("PRAGMA writable_schema=ON")
        return connection


class _Damage:
    """Rows that cannot be read: how many, after which one, and why; and where nothing is read any more."""

    def __init__(self) -> None:
        self._count, self._after, self._why, self._end = 0, 0, "", ""

    def add(self, after: int, count: int, why: str) -> None:
        """Count rows after the good one of that number."""
        if not self._count:
            self._after, self._why = after, why
        self._count += count

    def ends(self, after: int, why: str) -> None:
        """Note that there is nothing more."""
        self._end = f"breaks off after message {after} ({why})"

    @property
    def words(self) -> str:
        """Description of the damage; empty: there is none."""
        lost = f"{self._count} damaged messages are left out, the first after message {self._after} ({self._why})"
        return "; ".join(filter(None, (lost if self._count else "", self._end)))


def _rows(connection: Any, damage: _Damage, broken: type[Exception]) -> Iterator[tuple[int, tuple[Any, Any, Any]]]:
    """Yield number and (topic, receive time, data) of each row that can be read, in order of numbers.

    Where reading in order breaks off, numbers are asked for one by one until a row is there again.
    """
    last, query = 0, "SELECT id, topic_id, timestamp, data FROM messages WHERE id >= ? ORDER BY id"
    while True:
        try:
            for number, *row in connection.execute(query, (last + 1,)):
                if number > last:  # damaged pages lead back
                    last = number
                    yield number, (row[0], row[1], row[2])
            return
        except broken as error:
            why = str(error)
        for number in _numbers(last + 1, _last_number(connection, broken)):
            found = None
            with suppress(broken):
                found = next(iter(connection.execute(f"{query} LIMIT 1", (number,))), None)
            if found is not None and found[0] > last:
                damage.add(last, found[0] - last - 1, why)
                last = found[0]
                yield last, (found[1], found[2], found[3])
                break
        else:
            damage.ends(last, why)
            return


def _numbers(first: int, last: int) -> Iterator[int]:
    """Yield numbers to ask for: each one at first, then ever fewer, for a damaged `last` may be far away."""
    number, step = first, 1
    while number <= last:
        yield number
        step = 1 if number < first + _EACH else 2 * step
        number += step


def _last_number(connection: Any, broken: type[Exception]) -> int:
    with suppress(broken):
        ((number,),) = connection.execute("SELECT max(id) FROM messages")
        return int(number or 0)
    return _MOST


def _text(value: Any) -> str:
    """Return a cell as text; damaged ones hold anything."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
