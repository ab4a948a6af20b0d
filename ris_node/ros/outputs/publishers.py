# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The node's publishers and QoS profiles, made from the tables in `ris_node.interface`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from ris_node.interface import PUBLISHERS, Qos
from ris_node.ros.convert.make import interface_class

try:
    from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks, SubscriptionEventCallbacks

Message = Any


def qos_profile(qos: Qos) -> QoSProfile:
    """The rclpy profile of a table's QoS."""
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=qos.depth,
        reliability=ReliabilityPolicy.RELIABLE if qos.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if qos.latched else DurabilityPolicy.VOLATILE,
    )


def subscribe(node: Any, message: Any, name: str, callback: Callable[..., None], profile: QoSProfile) -> Any:
    """A subscription to serialised bytes, without event handlers (see `Publishers`).

    A callback with two arguments is given rclpy's information about the message too.
    """
    quiet = SubscriptionEventCallbacks(use_default_callbacks=False)
    return node.create_subscription(message, name, callback, profile, event_callbacks=quiet, raw=True)


def publishers_of(node: Any, subscription: Any) -> frozenset[bytes]:
    """Who publishes on a subscription's topic now, by the middleware's ids."""
    return frozenset(bytes(end.endpoint_gid) for end in node.get_publishers_info_by_topic(subscription.topic_name))


class Publishers:
    """All publishers of the node, by the names in the table; those whose package is missing are left out.

    They have no event handlers: rclpy's defaults only warn of other ends with another QoS or type, which `Mismatches`
    does better, but make several of each, and every one of them is asked each time the executor waits.
    """

    def __init__(self, node: Node) -> None:
        self.missing: set[str] = set()
        self._context = node.context
        self._publishers: dict[str, Any] = {}
        for topic in PUBLISHERS:
            try:
                message = interface_class(topic.type)
            except ImportError:
                self.missing.add(topic.type.partition("/")[0])
                continue
            self._publishers[topic.name] = node.create_publisher(
                message,
                topic.name,
                qos_profile(topic.qos),
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),
            )

    def wanted(self, name: str) -> bool:
        """Whether anybody listens to the topic."""
        publisher = self._publishers.get(name)
        return publisher is not None and publisher.get_subscription_count() > 0

    def has(self, name: str) -> bool:
        """Whether the topic's message package is installed."""
        return name in self._publishers

    def publish(self, name: str, msg: Message) -> None:
        """Send a message; callable from any thread. Once the process has been told to end, nothing is sent."""
        try:
            self._publishers[name].publish(msg)
        except Exception:  # rclpy's own error type is not public on every release
            if self._context.ok():
                raise
