# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The process of `ris play`: a node for the player, its services on a thread of their own, keys and signals."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from ris_node.ros.bag.play_bag import PlayBag
from ris_node.ros.bag.play_control import Keys, offer_services, on_signals
from ris_node.ros.bag.player import Player, PlayOptions, PlaySummary
from ris_node.ros.start import end_ros, start_ros

NODE = "ris_play"


def play_bag(path: Path, options: PlayOptions, *, show: bool = False) -> PlaySummary:
    """Play a bag until it is over or the user ends it; in the main thread of a process of its own.

    Args:
        path: the bag.
        options: how.
        show: keep a line about where it is on standard error.

    Raises:
        ConfigError: the options do not fit the bag.
        DataError: the bag cannot be read.
    """
    start_ros()
    try:
        with PlayBag(path) as bag:
            node = rclpy.create_node(NODE)
            player = Player(node, bag, options)
            offer_services(node, player.pace)
            on_signals(player.pace)
            for name, why in player.left_out.items():
                if why != "not asked for":
                    print(f"left out: {name} ({why})", file=sys.stderr)
            with spinning(node):
                tell = _tell if show else _silent
                with Keys(player.pace, tell):
                    summary = player.play(_progress(tell, player) if show else None)
            if show:
                print(file=sys.stderr)
            return summary
    finally:
        end_ros()


@contextmanager
def spinning(node: Node) -> Iterator[None]:
    """Spin a node on a thread of its own; ended before Python is, whatever happens."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def spin() -> None:
        with suppress(ExternalShutdownException, RuntimeError):
            executor.spin()

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield
    finally:
        executor.shutdown(1.0)
        thread.join(2.0)


def _progress(tell: Callable[[str], None], player: Player) -> Callable[[float, float], None]:
    def say(at_s: float, length_s: float) -> None:
        loops = f", time {player.summary.loops + 1}" if player.summary.loops else ""
        length = f" of {length_s:.1f}" if length_s else ""
        tell(f"{at_s:.1f}{length} s{loops}   (space: pause, q: end)")

    return say


def _tell(text: str) -> None:
    print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def _silent(_: str) -> None:
    pass
