# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Recorder of topics: finds them, subscribes as their publishers offer them, and hands on serialised messages."""

from __future__ import annotations

import queue
import re
import threading
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from ris_node.bags.message import Message, Topic
from ris_node.interface import IF_SUBSCRIBED, NODE_NAME, PUBLISHERS, RELIABLE_10, SUBSCRIPTIONS, Qos
from ris_node.ros.convert.make import interface_class
from ris_node.ros.outputs.publishers import qos_profile, subscribe

_LOOK_S = 0.2
_DEPTH = 100
_TF = ("/tf", "/tf_static")
_NEVER = ("/rosout", "/parameter_events")


@dataclass(frozen=True)
class Wanted:
    """Which topics to record: `names` (all when None), but for those that `exclude`, a pattern, is found in."""

    names: frozenset[str] | None
    exclude: str = ""

    def __call__(self, name: str) -> bool:
        """Whether to record a topic."""
        if self.exclude and re.search(self.exclude, name):
            return False
        return name not in _NEVER if self.names is None else name in self.names


def node_topics(namespace: str = "", node: str = NODE_NAME) -> dict[str, Qos]:
    """Return the absolute names of a grounding node's topics, and TF, with their QoS.

    Left out are those that it works out only because someone listens: recording them would slow it down.
    """
    base = "/" + namespace.strip("/")
    found = {_join(base, entry.name): entry.qos for entry in SUBSCRIPTIONS}
    for entry in PUBLISHERS:
        if IF_SUBSCRIBED not in entry.condition and "while subscribed" not in entry.condition:
            found[_join(base, entry.name.replace("~", node))] = entry.qos
    static = Qos(depth=100, latched=True)
    return found | {_TF[0]: Qos(depth=100), _TF[1]: static}


def _join(base: str, name: str) -> str:
    return name if name.startswith("/") else f"{base.rstrip('/')}/{name}"


class BagRecorder:
    """Subscribes on a node of the caller's; `take` returns topics and messages in order, for another thread to write.

    Args:
        node: on which to subscribe; its executor calls.
        wanted: which topics.
        budget: bytes that may wait to be written; past it messages are dropped, and counted in `dropped`.
    """

    def __init__(self, node: Node, wanted: Wanted, budget: int = 256 << 20) -> None:
        self._node, self._wanted, self._budget = node, wanted, budget
        # no SimpleQueue: CPython 3.11 may wait for ever in its `get` when a signal comes at the deadline
        self._queue: queue.Queue[Topic | Message] = queue.Queue()
        self._waiting, self._lock = 0, threading.Lock()
        self._early: list[Message] = []
        self._subscriptions: dict[str, tuple[Qos, Subscription]] = {}
        self.unknown: dict[str, str] = {}
        self.dropped: Counter[str] = Counter()
        # a steady clock: simulated time may not have begun, and topics are to be found all the same
        self._timer = node.create_timer(_LOOK_S, self.look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    @property
    def topics(self) -> frozenset[str]:
        """The topics that are recorded."""
        return frozenset(self._subscriptions)

    def take(self, patience_s: float) -> Topic | Message | None:
        """Return the next topic or message, or None when nothing came for so long."""
        try:
            entry = self._queue.get(timeout=patience_s) if patience_s > 0 else self._queue.get_nowait()
        except queue.Empty:
            return None
        if isinstance(entry, Message):
            with self._lock:
                self._waiting -= len(entry.data)
        return entry

    def look(self) -> None:
        """Subscribe to wanted topics that have appeared; anew where a publisher offers less than the others."""
        for name, kinds in self._node.get_topic_names_and_types():
            if not self._wanted(name) or name in self.unknown:
                continue
            profiles = [info.qos_profile for info in self._node.get_publishers_info_by_topic(name)]
            if not profiles:
                continue
            qos = weakest(profiles)
            held = self._subscriptions.get(name)
            if held is None:
                self._begin(name, kinds[0], qos, any(_latched(profile) for profile in profiles))
            elif _less(qos, held[0]):
                self._drain(name, kinds[0], held[1])
                self._node.destroy_subscription(held[1])
                self._subscribe(name, kinds[0], qos)

    def _begin(self, name: str, kind: str, qos: Qos, latched: bool) -> None:
        try:
            self._subscribe(name, kind, qos)
        except (ImportError, AttributeError):
            self.unknown[name] = f"the messages of {kind} are not installed"
            return
        # the first to come are on their way already: the topic is told of before them all the same
        depth = 1 if latched and not name.endswith("/tf_static") else RELIABLE_10.depth
        self._queue.put(Topic(name=name, type=kind, qos=replace(qos, depth=depth, latched=latched)))

    def _subscribe(self, name: str, kind: str, qos: Qos) -> None:
        cls = interface_class(kind.replace("/msg/", "/"))
        held = subscribe(self._node, cls, name, lambda data: self._on_message(name, kind, data), qos_profile(qos))
        self._subscriptions[name] = (qos, held)

    def _drain(self, name: str, kind: str, subscription: Subscription) -> None:
        """Take the messages that wait in a subscription, before it is destroyed."""
        with suppress(Exception), subscription.handle:  # rclpy's own, without a promise
            while (taken := subscription.handle.take_message(subscription.msg_type, True)) is not None:
                self._on_message(name, kind, taken[0])

    def _on_message(self, name: str, kind: str, data: bytes) -> None:
        with self._lock:
            if self._waiting + len(data) > self._budget:
                self.dropped[name] += 1
                return
            self._waiting += len(data)
        now_ns = int(self._node.get_clock().now().nanoseconds)
        self._early.append(Message(name, kind, now_ns, bytes(data)))
        if now_ns:  # simulated time is 0 until the first /clock: what comes before gets the first time there is
            for early in self._early:
                self._queue.put(replace(early, log_ns=now_ns))
            self._early.clear()


def weakest(profiles: Sequence[QoSProfile]) -> Qos:
    """Return the QoS that every one of these publishers can serve: more than one offers gets nothing of it."""
    return Qos(
        depth=_DEPTH,
        reliable=all(profile.reliability == ReliabilityPolicy.RELIABLE for profile in profiles),
        latched=all(_latched(profile) for profile in profiles),
    )


def _latched(profile: QoSProfile) -> bool:
    return bool(profile.durability == DurabilityPolicy.TRANSIENT_LOCAL)


def _less(a: Qos, b: Qos) -> bool:
    return (b.reliable and not a.reliable) or (b.latched and not a.latched)
