# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pausing a played bag: by the space bar, by SIGUSR1, or by the services `~/pause`, `~/resume`, `~/toggle_paused`."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from ris_node.ros.bag.pace import Pace

_ASK_S = 0.2


def offer_services(node: Node, pace: Pace) -> None:
    """Create the services on a node."""

    def serve(name: str, act: Callable[[], object]) -> None:
        def answer(_: object, response: Trigger.Response) -> Trigger.Response:
            act()
            response.success = True
            response.message = f"{'paused' if pace.paused else 'playing'} at {pace.time_ns() / 1e9:.3f}"
            return response

        node.create_service(Trigger, f"~/{name}", answer)

    serve("pause", pace.pause)
    serve("resume", lambda: pace.pause(False))
    serve("toggle_paused", pace.toggle)


class Keys:
    """The space bar pauses and goes on, `q` ends; only where standard input is a terminal. Use it in a `with`."""

    def __init__(self, pace: Pace, tell: Callable[[str], None]) -> None:
        self._pace, self._tell = pace, tell
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._saved: Any = None

    def __enter__(self) -> Keys:
        if sys.stdin is not None and sys.stdin.isatty():
            import termios
            import tty

            self._saved = termios.tcgetattr(sys.stdin.fileno())
            tty.setcbreak(sys.stdin.fileno())
            self._thread = threading.Thread(target=self._read, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        if self._thread is not None:
            import termios

            self._thread.join(1.0)
            termios.tcsetattr(sys.stdin.fileno(), termios.TCSADRAIN, self._saved)

    def _read(self) -> None:
        source = sys.stdin.fileno()
        while not self._done.is_set():
            if not select.select([source], [], [], _ASK_S)[0]:
                continue
            key = os.read(source, 1)
            if key == b" ":
                self._tell("paused" if self._pace.toggle() else "playing")
            elif key in (b"q", b""):
                self._pace.stop()
                return


def on_signals(pace: Pace) -> None:
    """Pause and go on at SIGUSR1, end the play at SIGINT and SIGTERM. In the main thread only."""

    # a handler must not wait for the lock that the code it interrupts may hold
    def later(act: Callable[[], object]) -> Callable[[int, FrameType | None], None]:
        return lambda _number, _frame: threading.Thread(target=act, daemon=True).start()

    signal.signal(signal.SIGUSR1, later(pace.toggle))
    signal.signal(signal.SIGINT, later(pace.stop))
    signal.signal(signal.SIGTERM, later(pace.stop))
