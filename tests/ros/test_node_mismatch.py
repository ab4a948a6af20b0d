# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Other ends that do not connect are named with the remedy: one line in the log, on `~/status` and `/diagnostics`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from harness import Client, Rig, diagnostics, rig, tiny, wait_for  # noqa: E402
from rclpy.context import Context  # noqa: E402
from rclpy.duration import Duration  # noqa: E402
from rclpy.node import Node  # noqa: E402
from rclpy.qos import QoSProfile  # noqa: E402
from ris_msgs.msg import Grounding, NodeStatus  # noqa: E402
from sensor_msgs.msg import CompressedImage  # noqa: E402
from std_msgs.msg import String  # noqa: E402

from ris_node.interface import BEST_EFFORT, LATCHED  # noqa: E402
from ris_node.ros.outputs.publishers import qos_profile  # noqa: E402


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny(tmp_path_factory.mktemp("bundle"))


@contextmanager
def another(live: Rig) -> Iterator[Node]:
    """A node of another process, as far as the middleware knows."""
    context = Context()
    rclpy.init(context=context, domain_id=live.domain)
    node = Node("stranger", namespace=live.namespace, context=context)
    try:
        yield node
    finally:
        node.destroy_node()
        context.try_shutdown()


def ready(client: Client) -> None:
    """Keep the camera going until the node is READY."""
    wait_for(lambda: client.send() and client.statuses[-1].state == NodeStatus.STATE_READY, "READY")


def test_publishers_that_are_not_heard_are_named_until_they_go(bundle: Path, monkeypatch):
    with rig(bundle) as live, another(live) as stranger:
        client, said = live.client, []
        ready(client)
        monkeypatch.setattr(live.node.log, "warning", lambda text, **_: said.append(text))
        quiet = qos_profile(BEST_EFFORT)
        wrong = {"command": "publish it reliable", "image": "image_transport to compressed"}
        publishers = [stranger.create_publisher(String, "command", quiet)]
        publishers += [stranger.create_publisher(CompressedImage, "image", quiet)]
        for where in (lambda: client.statuses[-1].message, lambda: diagnostics(client).message):
            text = wait_for(lambda where=where: all(w in (t := where()) for w in wrong.values()) and t, "both remedies")
            assert all(f"/{name}' of {live.namespace}/stranger " in text for name in wrong)
        assert client.statuses[-1].state == NodeStatus.STATE_DEGRADED
        for publisher in publishers:
            stranger.destroy_publisher(publisher)
        ready(client)
        assert [sum(words in text for text in said) for words in wrong.values()] == [1, 1], "one line of the log each"


def test_listeners_that_get_nothing_are_named(bundle: Path, monkeypatch):
    with rig(bundle) as live, another(live) as stranger:
        client, said = live.client, []
        ready(client)
        monkeypatch.setattr(live.node.log, "warning", lambda text, **_: said.append(text))
        for qos, words in (
            (qos_profile(LATCHED), "transient local"),
            (QoSProfile(depth=1, deadline=Duration(seconds=1)), "deadline"),
        ):
            wrong = stranger.create_subscription(Grounding, "grounding_node/result", print, qos)
            text = wait_for(lambda words=words: next((t for t in said if words in t), ""), "the warning")
            assert f"/stranger does not hear '{live.namespace}/grounding_node/result'" in text
            values = {pair.key: pair.value for pair in diagnostics(client).values}
            assert values["not_heard_by"] == text
            stranger.destroy_subscription(wrong)
            ready(client)  # a listener's fault is not the node's
            assert sum(words in text for text in said) == 1
            said.clear()
