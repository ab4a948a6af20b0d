# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Player of `ris play`: publishes a bag's messages and `/clock` over DDS at their recorded spacing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock

from ris_node.bags.message import Message, Topic
from ris_node.errors import ConfigError
from ris_node.interface import BEST_EFFORT
from ris_node.messages.common import stamp_to_msg
from ris_node.ros.bag.pace import Pace
from ris_node.ros.bag.play_bag import PlayBag
from ris_node.ros.convert.make import interface_class, make
from ris_node.ros.outputs.publishers import qos_profile
from ris_node.stamps import NS_PER_S

_CLOCK = "/clock"
_LEAST_DEPTH = 10  # a burst of messages must not push each other out
_ACK_S = 1.0
_ASK_S = 0.05
_FOUND_S = 0.5  # who has been found may not have found the player yet, and would miss the first messages


@dataclass(frozen=True, kw_only=True)
class PlayOptions:
    """How a bag is played.

    `rate` is seconds of the bag in a second; `start_s` from where; `loop` again and again; `topics` only these (all
    when empty) but for `exclude` (`/name/`: all below it); `remap` from the bag's names to others; `clock_hz` of
    `/clock` (0: none, the bag's own is played); `wait_s` how long to wait for someone who listens to a camera's
    images; `paused` begins so.
    """

    rate: float = 1.0
    start_s: float = 0.0
    loop: bool = False
    topics: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    remap: dict[str, str] = field(default_factory=dict)
    clock_hz: float = 100.0
    wait_s: float = 0.0
    paused: bool = False

    def __post_init__(self) -> None:
        if not 0.01 <= self.rate <= 100.0:
            raise ConfigError(f"a rate of {self.rate:g}: give 0.01 to 100")
        if self.start_s < 0 or self.wait_s < 0:
            raise ConfigError(f"start {self.start_s:g} s, wait {self.wait_s:g} s: give 0 or more")
        if not (self.clock_hz == 0 or 1.0 <= self.clock_hz <= 1000.0):
            raise ConfigError(f"a clock of {self.clock_hz:g} Hz: give 1 to 1000, or 0 for none")


@dataclass(frozen=True)
class PlaySummary:
    """Summary of a play: messages by topic, loops, the largest delay, topics left out with the reason."""

    messages: dict[str, int]
    loops: int
    late_ms: float
    left_out: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON values."""
        return asdict(self)


def chosen_topics(bag: PlayBag, options: PlayOptions) -> tuple[list[Topic], dict[str, str]]:
    """Return the topics to play, and the others with the reason.

    Raises:
        ConfigError: a topic that was named is not in the bag, or nothing is left.
    """
    below = tuple(name for name in options.exclude if name.endswith("/"))
    named = {*options.topics, *options.exclude, *options.remap} - {*below}
    if missing := sorted(named - set(bag.topics)):
        raise ConfigError(f"no topic {', '.join(missing)} in {bag.path}: there are {', '.join(sorted(bag.topics))}")
    chosen, left = [], {}
    for entry in bag.topics.values():
        excluded = entry.name in options.exclude or entry.name.startswith(below)
        if excluded or (options.topics and entry.name not in options.topics):
            left[entry.name] = "not asked for"
        elif entry.name == _CLOCK and options.clock_hz:
            left[entry.name] = "the player publishes /clock itself"
        elif not _importable(entry.type):
            left[entry.name] = f"the messages of {entry.type} are not installed"
        else:
            chosen.append(entry)
    if not chosen:
        raise ConfigError(f"nothing to play in {bag.path}: {'; '.join(f'{n}: {why}' for n, why in left.items())}")
    return chosen, left


class Player:
    """Plays an open bag on a node of the caller's, whose executor spins elsewhere (services need it).

    `pace` is the bag's time: pause, resume or stop it from any thread.

    Raises:
        ConfigError: the options do not fit the bag.
    """

    def __init__(self, node: Node, bag: PlayBag, options: PlayOptions) -> None:
        self._node, self._bag, self._options = node, bag, options
        self._start_ns = bag.start_ns + round(options.start_s * NS_PER_S)
        if bag.end_ns is not None and self._start_ns > bag.end_ns:
            raise ConfigError(f"start at {options.start_s:g} s: the bag has {bag.length_s:.3f} s")
        topics, self.left_out = chosen_topics(bag, options)
        self._publishers = {entry.name: self._publisher(entry) for entry in topics}
        self._images = [entry.name for entry in topics if entry.type.startswith("sensor_msgs/msg/") and _shows(entry)]
        profile = qos_profile(replace(BEST_EFFORT, depth=1))
        self._clock = node.create_publisher(Clock, _CLOCK, profile) if options.clock_hz else None
        self._clock_ns: int | None = None
        self.pace = Pace(self._start_ns, options.rate)
        self.pace.pause()
        self._counts: Counter[str] = Counter()
        self._late_ms, self._loops = 0.0, 0

    def play(self, progress: Callable[[float, float], None] | None = None) -> PlaySummary:
        """Publish until the bag is over, or with `loop` until `pace.stop()`.

        Args:
            progress: called about ten times a second with (seconds into the bag, its length in seconds or 0).

        Raises:
            DataError: the bag is damaged; what came before was published.
        """
        self._wait_for_listeners()
        self.pace.restart(self._start_ns)
        if not self._options.paused:
            self.pace.pause(False)
        try:
            while not self.pace.stopped:
                if not self._once(progress or _silent):
                    break
                self._loops += 1
                if not self._options.loop:
                    break
                self.pace.restart(self._start_ns)
        finally:
            self._flush()
        return self.summary

    @property
    def summary(self) -> PlaySummary:
        """Summary so far."""
        return PlaySummary(dict(self._counts), self._loops, round(self._late_ms, 1), self.left_out)

    def _once(self, progress: Callable[[float, float], None]) -> bool:
        """Publish the bag once; False when the player was stopped before the end."""
        names = set(self._publishers)
        if self._start_ns > self._bag.start_ns:
            for message in self._bag.latched_before(names, self._start_ns):
                self._send(message)
        told = 0.0
        for message in self._bag.messages(names, self._start_ns):
            if not self._wait(message.log_ns):
                return False
            self._late_ms = max(self._late_ms, self.pace.late_ms(message.log_ns))
            self._send(message)
            now = time.monotonic()
            if now - told > 0.1:
                told = now
                progress((message.log_ns - self._bag.start_ns) / NS_PER_S, self._bag.length_s)
        return True

    def _wait(self, until_ns: int) -> bool:
        """Wait for a message's time, with `/clock` going on meanwhile; False when the player was stopped."""
        tick_s = 1.0 / self._options.clock_hz if self._clock else 1.0
        while not self.pace.wait(until_ns, tick_s):
            if self.pace.stopped:
                return False
            self._tell_time(min(self.pace.time_ns(), until_ns))
        self._tell_time(until_ns)  # nobody shall get a message from the future
        return True

    def _tell_time(self, time_ns: int) -> None:
        if self._clock is not None:
            self._clock.publish(Clock(clock=stamp_to_msg(make, time_ns)))

    def _send(self, message: Message) -> None:
        self._publishers[message.topic].publish(message.data)
        self._counts[message.topic] += 1

    def _publisher(self, entry: Topic) -> Publisher:
        depth = max(entry.qos.depth, _LEAST_DEPTH)
        if entry.name.endswith("/tf_static"):  # each publisher's is due to whoever comes late
            depth = max(depth, min(max(entry.count, 100), 1000))
        elif entry.qos.latched:
            depth = entry.qos.depth
        name = self._options.remap.get(entry.name, entry.name)
        return self._node.create_publisher(
            interface_class(entry.type.replace("/msg/", "/")), name, qos_profile(replace(entry.qos, depth=depth))
        )

    def _wait_for_listeners(self) -> None:
        names = self._images or list(self._publishers)
        end = time.monotonic() + self._options.wait_s
        found = False
        while time.monotonic() < end and not self.pace.stopped:
            if not found and any(self._publishers[name].get_subscription_count() for name in names):
                found, end = True, min(end, time.monotonic() + _FOUND_S)
            self._tell_time(self._start_ns)
            time.sleep(_ASK_S)

    def _flush(self) -> None:
        """Give reliable listeners the time to take the last messages."""
        for publisher in self._publishers.values():
            if self._node.context.ok() and publisher.get_subscription_count():
                with suppress(Exception):  # rclpy's own error; best-effort publishers have nothing to wait for
                    publisher.wait_for_all_acked(Duration(seconds=_ACK_S))


def _importable(kind: str) -> bool:
    try:
        interface_class(kind.replace("/msg/", "/"))
    except (ImportError, AttributeError):
        return False
    return True


def _shows(entry: Topic) -> bool:
    return entry.type.endswith(("/Image", "/CompressedImage"))


def _silent(_: float, __: float) -> None:
    pass
