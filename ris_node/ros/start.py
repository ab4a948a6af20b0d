# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Start of ROS 2 in a process, whatever the log folder is like and with a reason where it fails; and its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import rclpy
from rclpy.executors import Executor, ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from ris_node.errors import ConfigError
from ris_node.logfolder import log_folder, log_trouble, spare_folder

_NO_FILES = "--disable-external-lib-logs"


def start_ros(args: Sequence[str] | None = None, *, signals: bool = False) -> None:
    """Initialise rclpy; logs go to a temporary folder, or nowhere but the terminal, where theirs cannot be written.

    Args:
        args: the command line; the process's own when None.
        signals: let rclpy handle SIGINT and SIGTERM.

    Raises:
        ConfigError: ROS does not start with these arguments or this environment.
    """
    words = list(sys.argv if args is None else args)
    if _NO_FILES not in words:
        words += _without_files()
    handlers = SignalHandlerOptions.ALL if signals else SignalHandlerOptions.NO
    try:
        rclpy.init(args=words, signal_handler_options=handlers)
    except Exception as error:  # rclpy's own error types are not public on every release
        reason = " ".join(str(error).split())
        raise ConfigError(
            f"ROS 2 does not start: {reason}; check --ros-args, ROS_DOMAIN_ID and RMW_IMPLEMENTATION ('ris doctor')"
        ) from error


@contextmanager
def ros_process() -> Iterator[None]:
    """Run the body of a `with` as a process that uses ROS; an interrupt ends it without a word."""
    start_ros()
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        rclpy.try_shutdown()


@contextmanager
def spinning(node: Node) -> Iterator[None]:
    """Spin a node in a thread of its own until the body of a `with` ends, and ROS with it."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    thread = threading.Thread(target=_spin, args=(executor,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        rclpy.try_shutdown()
        thread.join(2.0)


def _spin(executor: Executor) -> None:
    with suppress(ExternalShutdownException):
        executor.spin()


def end_ros() -> None:
    """End ROS in the main thread of a process that is about to end, and let no further Ctrl-C kill what is left of it.

    In a launch two may come, from the terminal and from the launch, and while Python ends SIGINT would be deadly again.
    """
    rclpy.try_shutdown()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _without_files() -> list[str]:
    """Return arguments for rcl where the log folder cannot be written and no other can; said in one line either way."""
    trouble = log_trouble(log_folder(os.environ))
    if not trouble:
        return []
    spare = spare_folder()
    goes = f"logs go to {spare}" if spare else "logs go to the terminal only"
    print(f"no log folder, {trouble}: {goes}; set ROS_LOG_DIR to a folder that can be written", file=sys.stderr)
    if spare is None:
        return ["--ros-args", _NO_FILES]
    os.environ["ROS_LOG_DIR"] = str(spare)
    return []
