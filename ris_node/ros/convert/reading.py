# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Subscriptions whose messages the node reads itself, so that an unreadable one is named and counted.

rclpy and the middleware leave such a message out, and say so only on standard error, in ten lines each time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Protocol

from rclpy.qos import QoSProfile
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image

from ris_node.ros.convert.raw_image import read_compressed, read_image
from ris_node.ros.logs import NodeLogger
from ris_node.ros.outputs.diagnostics import Meter
from ris_node.ros.outputs.publishers import subscribe

_QUICK: dict[type[Any], Callable[[bytes], Any]] = {Image: read_image, CompressedImage: read_compressed}


class Listener(Protocol):
    """The parts of a node that its subscriptions need."""

    log: NodeLogger
    meter: Meter


def listen(
    node: Listener,
    message: type[Any],
    name: str,
    callback: Callable[[Any], None],
    profile: QoSProfile,
    *,
    arrived: Callable[[Mapping[str, Any]], None] | None = None,
    unreadable: Callable[[str], None] | None = None,
) -> Any:
    """Return a subscription that gives `callback` each message that can be read.

    Args:
        node: the grounding node; its meter counts the others.
        message: the type.
        name: the topic.
        callback: gets messages, images as views of their serialised form.
        profile: the QoS.
        arrived: called first for every message, with rclpy's information on it.
        unreadable: called with the reason why a message cannot be read, in place of the log.
    """
    read = _QUICK.get(message) or partial(deserialize_message, message_type=message)
    complain = unreadable or partial(node.log.warning, every=5.0, key=name)

    def take(serialized: bytes, info: Mapping[str, Any]) -> None:
        if arrived is not None:
            arrived(info)
        try:
            msg = read(serialized)
        except Exception as error:
            reason = f"a message on '{name}' is no {message.__name__}, {type(error).__name__}: {error}"
            node.meter.failed(reason)
            complain(reason)
        else:
            callback(msg)

    return subscribe(node, message, name, take, profile)
