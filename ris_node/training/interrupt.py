# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Signal handling: the first Ctrl-C or SIGTERM stops a run after the step, saved; the second stops it at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from ris_node.errors import TrainingError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class RunStoppedError(TrainingError):
    """The run was asked to stop, and saved; the text says how to go on."""


class StopRequest:
    """Context in which the first SIGINT or SIGTERM only sets `received`, and the second raises KeyboardInterrupt."""

    def __init__(self) -> None:
        self.received = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in _SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        if self.received:
            raise KeyboardInterrupt
        self.received = True
