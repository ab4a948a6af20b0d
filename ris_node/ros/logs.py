# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core's `logging` records on the node's ROS logger."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from ris_node.errors import printable

if TYPE_CHECKING:
    from rclpy.impl.rcutils_logger import RcutilsLogger as Logger

_NUMBER = re.compile(r"\d+")
_KEYS = 64  # of lines that come seldom; more are forgotten, the oldest first


class NodeLogger:
    """The node's ROS logger: no call raises, whatever the text, and none is made once the context has ended.

    A line may say how seldom it comes: `every` seconds at least lie between two lines of one `key` (where none is given
    the text itself, its numbers left out), and the next one says how many were left out. rclpy's own filters are not
    used: it ties them to the line of the caller, which is in this file for everybody, and raises where two calls want
    different ones.
    """

    def __init__(self, logger: Logger, alive: Callable[[], bool], now_s: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._alive = alive
        self._now_s = now_s
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, int]] = {}  # key: when it was said, how many were left out since

    def debug(self, message: str, *, every: float = 0.0, key: str = "") -> None:
        """Log for developers."""
        self._say("debug", message, every, key)

    def info(self, message: str, *, every: float = 0.0, key: str = "") -> None:
        """Log an event."""
        self._say("info", message, every, key)

    def warning(self, message: str, *, every: float = 0.0, key: str = "") -> None:
        """Log a problem that somebody may have to solve."""
        self._say("warning", message, every, key)

    def error(self, message: str, *, every: float = 0.0, key: str = "") -> None:
        """Log a failure."""
        self._say("error", message, every, key)

    def fatal(self, message: str) -> None:
        """Log the reason why the process ends."""
        self._say("fatal", message, 0.0, "")

    def _say(self, level: str, message: str, every: float, key: str) -> None:
        try:
            left_out = self._left_out(key or _NUMBER.sub("#", message), every) if every > 0.0 else 0
            if left_out is None or not self._alive():
                return
            more = f" (and {left_out} more since the last such line)" if left_out else ""
            _LEVELS[level](self._logger, printable(f"{message}{more}"))
        except Exception as error:
            with suppress(Exception):  # standard error may be closed
                print(f"{level}: {message!a} (not logged, {type(error).__name__}: {error!a})", file=sys.stderr)

    def _left_out(self, key: str, every: float) -> int | None:
        """Return how many lines of the key were left out since the last one; None where this one is left out too."""
        now_s = self._now_s()
        with self._lock:
            said_s, count = self._said.get(key, (float("-inf"), 0))
            if now_s - said_s < every:
                self._said[key] = (said_s, count + 1)
                return None
            while len(self._said) >= _KEYS:
                del self._said[next(iter(self._said))]  # the oldest
            self._said.pop(key, None)
            self._said[key] = (now_s, 0)
            return count


# one line for each: rclpy ties a line of the caller to the level it was first called with
_LEVELS: dict[str, Callable[[Logger, str], object]] = {
    "debug": lambda logger, text: logger.debug(text),
    "info": lambda logger, text: logger.info(text),
    "warning": lambda logger, text: logger.warning(text),
    "error": lambda logger, text: logger.error(text),
    "fatal": lambda logger, text: logger.fatal(text),
}


class RosLogHandler(logging.Handler):
    """Passes records on, formatted, at their own level."""

    def __init__(self, logger: NodeLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record; one whose arguments do not fit its text is logged as it was written."""
        try:
            message = self.format(record)
        except Exception:
            message = f"{record.msg} {record.args}"
        if record.levelno >= logging.ERROR:
            self._logger.error(message)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(message)
        elif record.levelno >= logging.INFO:
            self._logger.info(message)
        else:
            self._logger.debug(message)


def forward_logs(logger: NodeLogger) -> None:
    """Send the package's records to `logger`, the only one from now on."""
    core = logging.getLogger("ris_node")
    for handler in list(core.handlers):
        if isinstance(handler, RosLogHandler):
            core.removeHandler(handler)
    core.addHandler(RosLogHandler(logger))
    core.setLevel(logging.INFO)
    core.propagate = False
