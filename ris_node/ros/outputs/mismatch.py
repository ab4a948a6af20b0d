# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Other ends of the node's topics that never connect, because their QoS or type is another: who, and what to change.

The graph is asked now and then. rclpy's event handlers would tell only that something did not match, not who nor when
it has gone, and each of them is asked every time the executor waits.
"""

from __future__ import annotations

from collections.abc import Callable

from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from rclpy.topic_endpoint_info import TopicEndpointInfo

from ris_node.stamps import NS_PER_S

_UNKNOWN = "_NODE_NAME_UNKNOWN_"  # rmw's word for an end whose node has not made itself known yet, or is none
_FOR_EVER_NS = 2_000_000_000 * NS_PER_S  # middlewares have several infinities, all of them longer
Found = dict[tuple[str, bytes], str]


class Mismatches:
    """Compares the node's subscriptions and publishers with their other ends; one that does not fit is logged once."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._said: set[tuple[str, bytes]] = set()
        self._unnamed: set[tuple[str, bytes]] = set()
        self.outputs = ""  # who asks for the node's topics in vain

    def look(self) -> str:
        """Whom the node cannot hear now, in words with the remedy; empty where there is nobody."""
        node, inputs, outputs, unnamed = self._node, Found(), Found(), self._unnamed
        self._unnamed = set()
        for subscription in list(node.subscriptions):
            for end in node.get_publishers_info_by_topic(subscription.topic_name):
                self._note(inputs, subscription, end, _unheard, unnamed)
        for publisher in list(node.publishers):
            for end in node.get_subscriptions_info_by_topic(publisher.topic_name):
                self._note(outputs, publisher, end, _unreached, unnamed)
        found = {**inputs, **outputs}
        for key in found.keys() - self._said:
            node.log.warning(found[key])
        self._said = set(found)
        self.outputs = "; ".join(outputs.values())
        return "; ".join(inputs.values())

    def _note(
        self,
        found: Found,
        ours: Subscription | Publisher,
        end: TopicEndpointInfo,
        why: Callable[..., str],
        unnamed: set[tuple[str, bytes]],
    ) -> None:
        text, key = why(ours, end), (ours.topic_name, bytes(end.endpoint_gid))
        if text and end.node_name == _UNKNOWN and key not in unnamed:
            self._unnamed.add(key)  # its name comes a moment later, if it has one
        elif text:
            found[key] = text


def _unheard(subscription: Subscription, end: TopicEndpointInfo) -> str:
    """Why the node does not hear a publisher, and what to change; empty where it does."""
    begin = f"'{subscription.topic_name}' of {_name(end)} is not heard:"
    wanted = _type(subscription.msg_type)
    if end.topic_type != wanted:
        return f"{begin} it is {end.topic_type} and {wanted} is read; remap one of them{_transport(end, wanted)}"
    given, asked = _problem(end.qos_profile, subscription.qos_profile)
    camera = ", or set input_reliability to best_effort" if asked == "reliable" and "Image" in wanted else ""
    return f"{begin} it is published {given} and {asked} is needed; publish it {asked}{camera}" if asked else ""


def _unreached(publisher: Publisher, end: TopicEndpointInfo) -> str:
    """Why a subscription gets nothing of the node's topic, and what to change; empty where it does."""
    begin = f"{_name(end)} does not hear '{publisher.topic_name}':"
    sent = _type(publisher.msg_type)
    if end.topic_type != sent:
        return f"{begin} it reads {end.topic_type} and {sent} is sent; subscribe to that type"
    given, asked = _problem(publisher.qos_profile, end.qos_profile)
    return f"{begin} it asks for {asked} and {given} is sent; change that subscription's QoS" if asked else ""


def _problem(offered: QoSProfile, requested: QoSProfile) -> tuple[str, str]:
    """What is given and what is asked for in its place; empty where the two fit.

    rclpy's `qos_check_compatible` takes the graph's infinite deadlines for ones that the node's own profile lacks.
    """
    if (offered.reliability, requested.reliability) == (ReliabilityPolicy.BEST_EFFORT, ReliabilityPolicy.RELIABLE):
        return "best effort", "reliable"
    if (offered.durability, requested.durability) == (DurabilityPolicy.VOLATILE, DurabilityPolicy.TRANSIENT_LOCAL):
        return "volatile", "transient local"
    if requested.liveliness == LivelinessPolicy.MANUAL_BY_TOPIC != offered.liveliness:
        return "automatic liveliness", "manual liveliness"
    for name in ("deadline", "liveliness_lease_duration"):
        if _ends(getattr(requested, name)) and not _ends(getattr(offered, name)):
            return f"no {name}", f"a {name}"
    return "", ""


def _ends(duration: Duration) -> bool:
    return bool(0 < duration.nanoseconds < _FOR_EVER_NS)


def _transport(end: TopicEndpointInfo, wanted: str) -> str:
    kinds = {"sensor_msgs/msg/Image": "raw", "sensor_msgs/msg/CompressedImage": "compressed"}
    if end.topic_type in kinds and wanted in kinds:
        return f", or set image_transport to {kinds[end.topic_type]}"
    return ""


def _name(end: TopicEndpointInfo) -> str:
    return "somebody" if end.node_name == _UNKNOWN else f"{end.node_namespace.rstrip('/')}/{end.node_name}"


def _type(message: type) -> str:
    return f"{message.__module__.partition('.')[0]}/msg/{message.__name__}"
