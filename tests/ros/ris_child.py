# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A `ris` verb in a process of its own, and a node beside it that talks and listens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import ROOT, Spinning
from rclpy.node import Node


@contextmanager
def running(verb: str, *options: str, domain: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """Start `ris VERB`; it is killed at the end if it still runs."""
    environment = dict(os.environ) if domain is None else {**os.environ, "ROS_DOMAIN_ID": str(domain)}
    child = subprocess.Popen(
        [sys.executable, "-m", "ris_node.cli", verb, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def ended(child: subprocess.Popen[str], code: int = 0, timeout_s: float = 60.0) -> tuple[dict[str, Any], str]:
    """Return what it said at its end: JSON and standard error."""
    out, err = child.communicate(timeout=timeout_s)
    assert child.returncode == code, err
    return json.loads(out) if out else {}, err


def interrupted(child: subprocess.Popen[str], code: int = 0) -> dict[str, Any]:
    """Send Ctrl-C, as terminal and launch may both do, until it ends; return the JSON that it said then."""
    deadline = time.monotonic() + 30.0
    while child.poll() is None and time.monotonic() < deadline:
        child.send_signal(signal.SIGINT)
        time.sleep(0.001)
    return ended(child, code, timeout_s=1.0)[0]


@contextmanager
def spinning_node(name: str, domain: int) -> Iterator[Node]:
    """A node in a context and a thread of its own."""
    spinning = Spinning(domain)
    node = Node(name, context=spinning.context)
    spinning.start(node)
    yield node
    spinning.close()
