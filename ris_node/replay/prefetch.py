# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An iterator that runs ahead in a thread of its own, by so many items at most."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")
_POLL_S = 0.05


class _End:
    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Prefetch(Generic[Item]):
    """Iterates over `items`, which are made in another thread; leaving the `with` ends that thread."""

    def __init__(self, items: Iterator[Item], ahead: int) -> None:
        self._items = items
        self._queue: queue.Queue[Item | _End] = queue.Queue(max(1, ahead))
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._run, name="read", daemon=True)

    def __enter__(self) -> Prefetch[Item]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left.set()
        self._thread.join()

    def __iter__(self) -> Iterator[Item]:
        while True:
            item = self._queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item

    def _run(self) -> None:
        end = _End(None)
        try:
            for item in self._items:
                if not self._put(item):
                    return
        except BaseException as error:  # handed over to whoever iterates
            end = _End(error)
        self._put(end)

    def _put(self, item: Item | _End) -> bool:
        while not self._left.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
                return True
            except queue.Full:
                continue
        return False
