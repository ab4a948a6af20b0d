# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bag as `ris play` needs it: which topics with which QoS, its times, and its messages as ROS 2 serialises them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import yaml

from ris_node.bags.message import Message, Topic
from ris_node.bags.reader import open_bag
from ris_node.bags.typestore import needs
from ris_node.errors import DataError

# Bags of ROS 1, and old ones of ROS 2, do not say that these are latched.
_ALWAYS_LATCHED = {"/tf_static", "/robot_description", "/map"}


class PlayBag:
    """An open bag of any kind that `open_bag` reads; use it in a `with`.

    `start_ns` is the time of its first message, `end_ns` that of its last, or None where only reading it all would
    tell (it is damaged, or still being written).

    Raises:
        BagError: it does not exist, or cannot be read.
        DataError: it holds no message.
    """

    def __init__(self, path: Path | str) -> None:
        self._bag = open_bag(path)
        self.path = Path(path)
        try:
            first = next(self._bag.messages(), None)
            if first is None:
                raise DataError(f"the bag '{self.path}' holds no message: was it recorded to its end?")
            self.start_ns, self.end_ns = first.log_ns, end_time(self.path)
            self.topics = {topic.name: _played(topic) for topic in sorted(self._bag.topics, key=lambda one: one.name)}
        except BaseException:
            self.close()
            raise

    @property
    def length_s(self) -> float:
        """Seconds from the first message to the last; 0 where it is not known."""
        return 0.0 if self.end_ns is None else (self.end_ns - self.start_ns) / 1e9

    def messages(self, names: set[str], start_ns: int | None = None) -> Iterator[Message]:
        """Yield the messages of these topics in the order of their times.

        Raises:
            DataError: the bag is damaged; all that could be read of it was yielded before.
        """
        if names:
            yield from self._bag.messages(names, start_ns)
        if self._bag.problems:
            raise DataError(f"the bag is damaged: {'; '.join(self._bag.problems)}; the rest of it was used")

    def latched_before(self, names: set[str], start_ns: int) -> list[Message]:
        """Return the last latched messages before a time: whoever starts late is due them.

        A topic's last `depth` ones, and all of /tf_static, where every publisher sends its own.
        """
        latched = {name for name in names if self.topics[name].qos.latched}
        kept: dict[str, list[Message]] = {}
        for message in self._bag.messages(latched) if latched else ():
            if message.log_ns >= start_ns:
                break
            kept.setdefault(message.topic, []).append(message)
        found: list[Message] = []
        for name, entries in kept.items():
            found += entries if name.endswith("/tf_static") else entries[-self.topics[name].qos.depth :]
        return sorted(found, key=lambda message: message.log_ns)

    def close(self) -> None:
        """Close the bag."""
        self._bag.close()

    def __enter__(self) -> PlayBag:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def end_time(path: Path) -> int | None:
    """Return the time of a bag's last message in nanoseconds from its metadata or index, or None."""
    with suppress(Exception):  # damaged ones raise anything
        if path.is_dir():
            found = yaml.safe_load((path / "metadata.yaml").read_text(encoding="utf-8"))
            info = found["rosbag2_bagfile_information"]
            return int(info["starting_time"]["nanoseconds_since_epoch"]) + int(info["duration"]["nanoseconds"])
        if path.suffix in (".mcap", ".db3"):
            with needs("rosbags.rosbag2").Reader(path) as reader:
                return int(reader.end_time) - 1
    return None


def _played(topic: Topic) -> Topic:
    qos = topic.qos
    return replace(topic, qos=replace(qos, reliable=True, latched=True)) if topic.name in _ALWAYS_LATCHED else topic
