# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Any bag's messages in order: ROS 2 (sqlite3, MCAP, split, compressed, without metadata.yaml) and ROS 1."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True)
class TopicInfo:
    """One topic of a bag: `type` is "package/msg/Name"; `count` -1 where it is not known; `qos` rosbags' profiles."""

    name: str
    type: str
    count: int
    definition: str = ""
    digest: str = ""
    qos: tuple[object, ...] = ()


@dataclass(frozen=True)
class Message:
    """One recorded message: its topic, type, receive time in nanoseconds, and CDR bytes (ROS 1 ones are converted)."""

    topic: str
    type: str
    log_ns: int
    data: bytes


class Bag:
    """An open bag; `open_bag` makes it. `problems` fills as damage is met; reading then ends early."""

    path: Path
    name: str
    topics: tuple[TopicInfo, ...]
    problems: list[str]

    def messages(self, topics: Collection[str] = (), start_ns: int | None = None) -> Iterator[Message]:
        """Messages of some topics (none named: all) in order of receive time, from `start_ns` on."""
        raise NotImplementedError

    def deserialize(self, message: Message) -> object:
        """The message as an object with the fields of its definition; arrays are NumPy views."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the files and remove what was decompressed."""
        raise NotImplementedError

    def __enter__(self) -> Bag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_bag(path: Path) -> Bag:
    """Open a bag: a ROS 2 bag's folder, one `.mcap` or `.db3` file (also `.zstd`), or a ROS 1 `.bag`.

    Raises:
        BagError: it is missing, empty, unreadable, or not a bag; the message names the file, offset and what to do.
    """
    raise NotImplementedError
