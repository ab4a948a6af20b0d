# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""TensorRT's own words: passed on to Python's log, and the last errors kept for whoever has to say what failed."""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

from ris_node.errors import BackendError

log = logging.getLogger(__name__)
_KEPT = 30  # lines


def make_logger(trt: Any) -> Any:
    """Return a `trt.ILogger` that keeps the last `errors` and `lines`; it must outlive what it is given to."""

    class Logger(trt.ILogger):  # type: ignore[misc]  # TensorRT is compiled
        """Keeps warnings and errors; everything else goes to the debug log."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: deque[str] = deque(maxlen=_KEPT)
            self.lines: deque[str] = deque(maxlen=_KEPT)

        def log(self, severity: Any, msg: str) -> None:
            """Take a line; called from TensorRT's threads, and must not raise."""
            text = " ".join(str(msg).split())
            if severity in (trt.ILogger.INTERNAL_ERROR, trt.ILogger.ERROR):
                self.errors.append(text)
                self.lines.append(f"error: {text}")
                log.debug("TensorRT error: %s", text)
            elif severity == trt.ILogger.WARNING:
                self.lines.append(f"warning: {text}")
                log.debug("TensorRT warning: %s", text)

    return Logger()


def complaint(logger: Any, what: str, do: str) -> BackendError:
    """Return an error: `what` failed, TensorRT's own reason from its log, and what to `do`."""
    why = "; ".join(dict.fromkeys(logger.errors)) or "TensorRT gave no reason"
    return BackendError(f"{what} ({why[:1500]}): {do}")


def given(logger: Any, value: Any, what: str, do: str) -> Any:
    """Return `value`, which TensorRT must have given.

    Raises:
        BackendError: it is None or False, which is how TensorRT says no; with what it logged.
    """
    if value is None or value is False:
        raise complaint(logger, what, do)
    return value
