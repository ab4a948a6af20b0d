# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as `ris play` needs it: which topics with which QoS, and their messages as ROS 2 serialises them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from ris_node.errors import DataError
from ris_node.interface import LATCHED, RELIABLE_10, Qos
from ris_node.messages import needs, typestore

_NS = 1_000_000_000
# Bags of ROS 1, and old ones of ROS 2, do not say that these are latched.
_ALWAYS_LATCHED = {"/tf_static", "/robot_description", "/map"}


@dataclass(frozen=True)
class BagTopic:
    """A topic of a bag: name, type "package/msg/Name", the QoS it was recorded with, and how many messages it has."""

    name: str
    type: str
    qos: Qos
    count: int


class PlayBag:
    """An open bag (ROS 2: a folder or an MCAP file; ROS 1: a .bag file); use it in a `with`.

    `start_ns` and `end_ns` are the times of its first and last message.

    Raises:
        DataError: it does not exist, or cannot be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise DataError(f"there is no bag '{self.path}': give a bag's folder, an MCAP file or a ROS 1 .bag file")
        anyreader = needs("rosbags.highlevel.anyreader")
        try:
            self._reader = anyreader.AnyReader([_storage_file(self.path)], default_typestore=typestore())
            self._reader.open()
        except PermissionError as error:
            raise DataError(f"may not read {error.filename or self.path}: check its permissions") from error
        except Exception as error:  # each storage raises errors of its own
            raise DataError(f"cannot read the bag '{self.path}': {error}") from error
        self._ros2 = bool(self._reader.is2)
        self.start_ns, self.end_ns = int(self._reader.start_time), int(self._reader.end_time) - 1
        self.topics = {entry.name: entry for entry in map(self._topic, sorted({c.topic for c in self._links()}))}
        if not any(entry.count for entry in self.topics.values()):
            self.close()
            raise DataError(f"the bag '{self.path}' holds no message: was it recorded to its end?")

    def messages(self, names: set[str], start_ns: int | None = None) -> Iterator[tuple[str, int, bytes]]:
        """Yield (topic, time in ns, message as CDR bytes) of these topics in the order of their times.

        Raises:
            DataError: the bag is damaged; the messages before that were yielded.
        """
        links = [link for link in self._links() if link.topic in names]
        last_ns = self.start_ns
        try:
            for link, time_ns, data in self._reader.messages(links, start=start_ns) if links else ():
                last_ns = time_ns
                yield link.topic, time_ns, bytes(data) if self._ros2 else self._from_ros1(data, link.msgtype)
        except Exception as error:  # each storage raises errors of its own
            after = (last_ns - self.start_ns) / _NS
            raise DataError(f"the bag '{self.path}' is damaged after {after:.3f} s: {error}") from error

    def latched_before(self, names: set[str], start_ns: int) -> list[tuple[str, int, bytes]]:
        """Return the last latched messages before a time: whoever starts late is due them.

        A topic's last `depth` ones, and all of /tf_static, where every publisher sends its own.
        """
        latched = {name for name in names if self.topics[name].qos.latched}
        kept: dict[str, list[tuple[str, int, bytes]]] = {}
        for name, time_ns, data in self.messages(latched):
            if time_ns >= start_ns:
                break
            kept.setdefault(name, []).append((name, time_ns, data))
        found = []
        for name, entries in kept.items():
            found += entries if name.endswith("/tf_static") else entries[-max(1, self.topics[name].qos.depth) :]
        return sorted(found, key=lambda entry: entry[1])

    def close(self) -> None:
        """Close the bag."""
        if self._reader.isopen if hasattr(self._reader, "isopen") else self._reader.stack is not None:
            self._reader.close()

    def __enter__(self) -> PlayBag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _links(self) -> list[Any]:
        return list(self._reader.connections)

    def _topic(self, name: str) -> BagTopic:
        links = [link for link in self._links() if link.topic == name]
        qos = [_recorded_qos(link.ext) for link in links]
        latched = any(entry.latched for entry in qos) or name in _ALWAYS_LATCHED
        merged = Qos(max(e.depth for e in qos), any(e.reliable for e in qos) or latched, latched)
        return BagTopic(name, links[0].msgtype, merged, sum(link.msgcount for link in links))

    def _from_ros1(self, data: Any, kind: str) -> bytes:
        return bytes(self._reader.typestore.ros1_to_cdr(data, kind))


def _storage_file(path: Path) -> Path:
    """A bag's folder, or the only storage file in it where its metadata.yaml is missing."""
    if path.is_file() or (path / "metadata.yaml").exists():
        return path
    files = sorted(file for file in path.iterdir() if file.suffix in (".mcap", ".db3"))
    return files[0] if len(files) == 1 else path


def _recorded_qos(ext: Any) -> Qos:
    """What a connection of a bag offers; reliable where it does not say."""
    profiles = getattr(ext, "offered_qos_profiles", None)
    if profiles is None:
        return LATCHED if getattr(ext, "latching", 0) else RELIABLE_10
    if not profiles:
        return RELIABLE_10
    depth = max(1, *(int(entry.depth) for entry in profiles)) if profiles else 10
    return Qos(
        depth=min(depth, 1000),
        reliable=any(entry.reliability.name != "BEST_EFFORT" for entry in profiles),
        latched=any(entry.durability.name == "TRANSIENT_LOCAL" for entry in profiles),
    )
