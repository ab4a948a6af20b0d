# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One builder at a time for each engine, however many processes start at once."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ris_node.runtime.tensorrt.store import LOCKS

_POLL_S = 0.2


@contextmanager
def engine_lock(root: Path, key: str, on_wait: Callable[[float], None] | None = None) -> Iterator[None]:
    """Hold the lock of an engine; `on_wait` is told the seconds so far while another process has it.

    The system frees the lock when its holder ends, however it ends, so a killed builder locks nobody out.

    Raises:
        OSError: the cache's folder cannot be written to.
    """
    folder = root / LOCKS
    folder.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    with (folder / key).open("w") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if on_wait is not None:
                    on_wait(time.monotonic() - begin)
                time.sleep(_POLL_S)
        yield
