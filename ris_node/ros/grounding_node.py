# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of the node's process: start, spin whatever happens, and end quietly on SIGINT and SIGTERM.

Heavy imports wait until `main` runs, so that even a SIGINT during start-up ends without a traceback.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from typing import Any

_BAD_CONFIG = 2


def main(args: Sequence[str] | None = None) -> int:
    """Run the grounding node until it is told to stop; returns the exit code."""
    try:
        return _run(args)
    except KeyboardInterrupt:
        return 0


def _run(args: Sequence[str] | None) -> int:
    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from ris_node.errors import ConfigError
    from ris_node.ros.node import GroundingNode

    rclpy.init(args=list(args) if args is not None else None)
    try:
        node = GroundingNode()
    except ConfigError as error:
        rclpy.logging.get_logger("grounding_node").fatal(str(error))
        rclpy.try_shutdown()
        return _BAD_CONFIG
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        _spin(executor, node)
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # once is enough
        ended = node.close()
        if ended:
            executor.shutdown(0.0)
            node.destroy_node()
            rclpy.try_shutdown()
        else:
            # a network is being loaded or run in native code; Python must not be torn down around it
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    return 0


def _spin(executor: Any, node: Any) -> None:
    """Spin until the context ends; an error in one callback must not end the node."""
    from rclpy.executors import ExternalShutdownException

    while executor.context.ok():
        try:
            executor.spin_once()
        except (KeyboardInterrupt, ExternalShutdownException):
            return
        except Exception as error:
            if not executor.context.ok():
                return
            node.get_logger().error(f"a callback failed, {type(error).__name__}: {error}")


if __name__ == "__main__":
    sys.exit(main())
