# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Times as messages hold them, in seconds and nanoseconds, and as the core counts them, in nanoseconds."""

from __future__ import annotations

from typing import Protocol

NS_PER_S = 1_000_000_000


class Stamp(Protocol):
    """A `builtin_interfaces/Time` or `Duration`, of rclpy or of the `rosbags` type store."""

    @property
    def sec(self) -> int:
        """Whole seconds, rounded down."""

    @property
    def nanosec(self) -> int:
        """Nanoseconds after them."""


def stamp_to_ns(stamp: Stamp) -> int:
    """Return the nanoseconds of a time or duration."""
    return int(stamp.sec) * NS_PER_S + int(stamp.nanosec)
