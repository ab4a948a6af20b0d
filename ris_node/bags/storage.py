# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One whole file of a bag, through `rosbags`; damaged ones go to `ris_node.bags.salvage`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from ris_node.bags.cdr import plain, ros1_to_cdr
from ris_node.bags.files import kind_of
from ris_node.bags.message import BrokenBagError, Message, Storage, Topic
from ris_node.bags.salvage import Given
from ris_node.bags.salvage_mcap import McapScan
from ris_node.bags.salvage_ros1 import Ros1Scan
from ris_node.bags.salvage_sqlite import SqliteScan
from ris_node.bags.typestore import needs, typestore
from ris_node.errors import BagError
from ris_node.interface import RELIABLE_10, Qos

_DEEPEST = 1000  # a queue of a topic's QoS, messages


def open_storage(path: Path, *, damaged: bool = False) -> Storage:
    """Open one file of a bag (not packed): whole ones through `rosbags`, damaged ones as far as they are good.

    Raises:
        BagError: it cannot be opened, or holds nothing that can be read.
    """
    kind = kind_of(path)
    try:
        if path.stat().st_size == 0:
            raise BagError(f"{path} is empty: nothing was recorded, or it was never written out")
        with path.open("rb"):
            pass
    except OSError as error:
        raise BagError(f"cannot read {path}: {error.strerror}; change its permissions, or copy it") from error
    reason = "its end is missing" if damaged else ""
    journal = kind == ".db3" and any(path.with_name(path.name + end).exists() for end in ("-wal", "-journal"))
    if not damaged and not journal:
        try:
            return Ros1Storage(path) if kind == ".bag" else Ros2Storage(path)
        except Exception as error:  # rosbags raises its own, apsw's and plain ones for damage
            reason = " ".join(str(error).split())
    opened = open_scan(path, kind)
    if reason and not opened.problem:
        opened.problem = f"{path}: its index cannot be used ({reason}), its messages can"
    return opened


def open_scan(path: Path, kind: str) -> Storage:
    """Open a file that cannot be trusted, to read what is good of it.

    Raises:
        BagError: not even its topics can be read.
    """
    if kind == ".mcap":
        return McapScan(path)
    return SqliteScan(path) if kind == ".db3" else Ros1Scan(path)


class _Whole:
    """A whole file that `rosbags` reads; a subclass says which of its connections count, and in what form."""

    problem = ""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader = self._open(path)
        self._reader.open()
        self.topics = tuple(recorded_topic(connection) for connection in self._reader.connections)

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """See `Storage.messages`."""
        wanted = [c for c in self._reader.connections if (not topics or c.topic in topics) and self._known(c)]
        if not wanted:
            return
        given, why = Given(), ""
        try:
            for connection, log_ns, data in self._reader.messages(wanted, start=start_ns):
                given.add(connection.topic, log_ns)
                yield Message(connection.topic, connection.msgtype, log_ns, data)
        except GeneratorExit:
            raise
        except Exception as error:  # damage inside; rosbags raises its own, apsw's and others
            why = f"damaged inside ({type(error).__name__}: {' '.join(str(error).split())})"
        expected = sum(int(connection.msgcount) for connection in wanted)
        if not why and start_ns is None and len(given) < expected:  # rosbags passes over what it does not understand
            why = f"{expected - len(given)} of {expected} messages that it counts are damaged"
        if why:
            yield from self._rest(topics, start_ns, given, why)

    def _rest(self, topics: Collection[str], start_ns: int | None, given: Given, why: str) -> Iterator[Message]:
        """Yield the other messages of a file whose index is wrong."""
        try:
            for message in open_scan(self._path, kind_of(self._path)).messages(topics, start_ns):
                if not given.covers(message):
                    yield message
        except BrokenBagError:
            raise
        except BagError:  # nothing more
            pass
        raise BrokenBagError(f"{self._path}: {why}")

    def close(self) -> None:
        """See `Storage.close`."""
        self._reader.close()

    def convert(self, data: bytes, type_name: str) -> bytes:
        """See `Storage.convert`."""
        raise NotImplementedError

    def _open(self, path: Path) -> Any:
        raise NotImplementedError

    def _known(self, _connection: Any) -> bool:
        return True


class Ros2Storage(_Whole):
    """A whole MCAP or sqlite3 file."""

    def _open(self, path: Path) -> Any:
        return needs("rosbags.rosbag2").Reader(path)

    def convert(self, data: bytes, _type_name: str) -> bytes:
        """See `Storage.convert`."""
        return plain(data)


class Ros1Storage(_Whole):
    """A whole ROS 1 bag; its messages come out in CDR, and topics of types that ROS 2 does not have are left out."""

    def _open(self, path: Path) -> Any:
        return needs("rosbags.rosbag1").Reader(path)

    def _known(self, connection: Any) -> bool:
        return connection.msgtype in typestore().fielddefs

    def convert(self, data: bytes, type_name: str) -> bytes:
        """See `Storage.convert`."""
        return ros1_to_cdr(data, type_name)


def recorded_topic(connection: Any) -> Topic:
    """Return a connection of `rosbags` as a topic; without a ROS 1 definition, for messages come out as ROS 2's."""
    name, kind, count = connection.topic, connection.msgtype, int(connection.msgcount)
    if not hasattr(connection.ext, "offered_qos_profiles"):
        return Topic(name=name, type=kind, count=count)
    return Topic(
        name=name, type=kind, count=count, definition=str(connection.msgdef.data), digest=str(connection.digest),
        qos=recorded_qos(connection.ext.offered_qos_profiles),
    )  # fmt: skip


def recorded_qos(profiles: Sequence[Any]) -> Qos:
    """Return the strongest QoS that a topic's publishers offered, as `rosbags` has them; none: the bag does not say."""
    if not profiles:
        return RELIABLE_10
    latched = any(profile.durability.name == "TRANSIENT_LOCAL" for profile in profiles)
    reliable = latched or any(profile.reliability.name != "BEST_EFFORT" for profile in profiles)
    return Qos(min(_DEEPEST, max(1, *(int(profile.depth) for profile in profiles))), reliable, latched)
