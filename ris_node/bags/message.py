# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Topics and messages in CDR, the common form of every kind of bag."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from ris_node.errors import BagError
from ris_node.interface import RELIABLE_10, Qos


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic of a bag: `type` is "package/msg/Name", `count` -1 where it is not known."""

    name: str
    type: str
    count: int = -1
    definition: str = ""
    digest: str = ""
    qos: Qos = RELIABLE_10


@dataclass(frozen=True)
class Message:
    """One recorded message: its topic, type, receive time in nanoseconds, and CDR bytes (ROS 1 ones are converted)."""

    topic: str
    type: str
    log_ns: int
    data: bytes


class BrokenBagError(BagError):
    """Reading broke off in the middle of a file; the messages before are good."""


class Storage(Protocol):
    """One file of a bag, open."""

    topics: tuple[Topic, ...]
    problem: str  # known from the start; empty where the file is whole

    def messages(self, topics: Collection[str], start_ns: int | None) -> Iterator[Message]:
        """Yield messages of some topics in order of receive time, from `start_ns` on, as they are stored.

        Raises:
            BrokenBagError: the file is damaged here; the message names it and the place.
        """

    def convert(self, data: bytes, type_name: str) -> bytes:
        """Return a stored message's bytes in CDR; raises anything where they are damaged."""

    def close(self) -> None:
        """Close the file."""
