# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("ris_msgs")
pytestmark = pytest.mark.ros

from domains import free_domain  # noqa: E402
from harness import Spinning, wait_for  # noqa: E402
from rclpy.node import Node  # noqa: E402


def test_a_node_that_is_busy_as_it_ends_leaves_its_thread_quietly(monkeypatch):
    raised: list[object] = []
    monkeypatch.setattr(threading, "excepthook", raised.append)
    domain, lock = free_domain()
    with lock:
        for _ in range(10):
            spinning, calls = Spinning(domain), []
            node = Node("busy", context=spinning.context)
            for _ in range(10):
                node.create_timer(1e-6, lambda calls=calls: calls.append(1))
            spinning.start(node)
            wait_for(lambda calls=calls: len(calls) > 20, "the timers")
            spinning.close()
            assert not spinning.thread.is_alive()
    assert not raised
