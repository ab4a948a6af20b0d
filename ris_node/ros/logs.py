# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The core's `logging` records on the node's ROS logger."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any


class NodeLogger:
    """A ROS logger that keeps silent once its context has ended: rclpy would complain about every line."""

    def __init__(self, logger: Any, alive: Callable[[], bool]) -> None:
        self._logger = logger
        self._alive = alive

    def debug(self, message: str, **options: Any) -> None:
        """Log for developers."""
        if self._alive():
            self._logger.debug(message, **options)

    def info(self, message: str, **options: Any) -> None:
        """Log what happens."""
        if self._alive():
            self._logger.info(message, **options)

    def warning(self, message: str, **options: Any) -> None:
        """Log what somebody may have to change."""
        if self._alive():
            self._logger.warning(message, **options)

    def error(self, message: str, **options: Any) -> None:
        """Log what does not work."""
        if self._alive():
            self._logger.error(message, **options)


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
