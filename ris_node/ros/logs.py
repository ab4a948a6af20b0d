# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core's `logging` records on the node's ROS logger."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any


class NodeLogger:
    """A ROS logger whose calls never raise, and which is silent once its context has ended.

    Throttling is done here: rclpy keys its filters by the caller's line, which for all calls is one line of this file,
    and raises `ValueError` where two of them ask for different filters.
    """

    def __init__(self, logger: Any, alive: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._logger = logger
        self._alive = alive
        self._clock = clock
        self._last: dict[str, float] = {}

    def debug(self, message: str) -> None:
        """Log for developers."""
        self._log("debug", message)

    def info(self, message: str) -> None:
        """Log what happens."""
        self._log("info", message)

    def warning(self, message: str, *, every: float = 0.0, key: str = "") -> None:
        """Log what somebody may have to change; of the lines with one `key` at most one in `every` seconds."""
        if self._due(key or message, every):
            self._log("warning", message)

    def error(self, message: str, *, every: float = 0.0, key: str = "") -> None:
        """Log what does not work; of the lines with one `key` at most one in `every` seconds."""
        if self._due(key or message, every):
            self._log("error", message)

    def _due(self, key: str, every: float) -> bool:
        if every <= 0.0:
            return True
        now = self._clock()
        if key in self._last and now - self._last[key] < every:
            return False
        self._last[key] = now
        return True

    def _log(self, level: str, message: str) -> None:
        try:
            if self._alive():
                getattr(self._logger, level)(message)  # no options: see the class
        except Exception as error:  # a line that cannot be written must not cost a frame, or the node
            with suppress(OSError, ValueError):
                print(f"{level}: {message} (rclpy could not log it: {error})", file=sys.stderr)


class RosLogHandler(logging.Handler):
    """Passes records on, formatted, at their own level."""

    def __init__(self, logger: NodeLogger) -> None:
        super().__init__()
        self._logger = logger

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record."""
        message = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(message)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(message)
        elif record.levelno >= logging.INFO:
            self._logger.info(message)
        else:
            self._logger.debug(message)


def forward_logs(logger: NodeLogger) -> None:
    """Send what the package logs to `logger`, the only one from now on."""
    core = logging.getLogger("ris_node")
    for handler in list(core.handlers):
        if isinstance(handler, RosLogHandler):
            core.removeHandler(handler)
    core.addHandler(RosLogHandler(logger))
    core.setLevel(logging.INFO)
    core.propagate = False
