# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of the node's process: start, spin whatever happens, and end quietly on SIGINT and SIGTERM.

Heavy imports wait until `main` runs, so that even a SIGINT during start-up ends without a traceback.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ris_node.entry import guarded, start

if TYPE_CHECKING:
    from rclpy.executors import Executor

    from ris_node.ros.node.node import GroundingNode

_BAD_CONFIG = 2
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_LARGEST_BLOCK, _KEPT = 32 << 20, 128 << 20  # bytes


def main(args: Sequence[str] | None = None) -> int:
    """Run the grounding node until SIGINT or SIGTERM; returns the exit code."""
    return guarded("grounding_node", lambda: _quiet(args))


def _quiet(args: Sequence[str] | None) -> int:
    try:
        return _run(args)
    except KeyboardInterrupt:
        return 0


def _run(args: Sequence[str] | None) -> int:
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from ris_node.errors import ConfigError
    from ris_node.ros.node.node import GroundingNode
    from ris_node.ros.start import start_ros

    _keep_freed_memory()
    interrupted: list[int] = []
    # rclpy's own handler, installed next, ends the context and then calls this one: no KeyboardInterrupt from here on
    signal.signal(signal.SIGINT, lambda number, _: interrupted.append(number))
    start_ros(args, signals=True)
    node = None
    try:
        node = GroundingNode()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        _spin(executor, node, interrupted)
    except ConfigError as error:
        rclpy.logging.get_logger("grounding_node").fatal(str(error))
        return _BAD_CONFIG
    except Exception:
        if not interrupted and rclpy.ok():  # else a context that has ended is reason enough
            raise
    finally:
        _end(node)
    return 0


def _keep_freed_memory() -> None:
    """Let glibc keep what frames leave behind instead of giving it back to the system after each.

    Getting it again costs a page fault for every 4 kB: at 1920x1080 more than decoding does. Elsewhere than on glibc
    nothing happens. The numbers are those of `mallopt(3)`.

    One arena serves all threads: each configure loads on a new thread, and with an arena to each thread the memory of
    one model is not used for the next.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_BLOCK)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)
        mallopt(_M_ARENA_MAX, 1)


def _spin(executor: Executor, node: GroundingNode, interrupted: list[int]) -> None:
    """Spin until the process is told to end; an error in one callback must not end the node."""
    from rclpy.executors import ExternalShutdownException

    while executor.context.ok() and not interrupted:
        try:
            executor.spin_once()
        except ExternalShutdownException:
            return
        except Exception as error:
            if not executor.context.ok():
                return
            node.log.error(f"a callback failed, {type(error).__name__}: {error}", every=1.0, key="callback")


def _end(node: GroundingNode | None) -> None:
    """Stop all threads and leave; at once where native code does not let go of one."""
    from ris_node.ros.start import end_ros

    if node is not None and not node.close():
        # a network is being loaded or run; Python must not be torn down around it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
    if node is not None:
        node.destroy_node()
    end_ros()


if __name__ == "__main__":
    start(main)
