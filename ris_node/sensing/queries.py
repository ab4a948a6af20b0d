# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The active command: the last one given, until it is cancelled or its time is up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from ris_node.config import QueryConfig
from ris_node.errors import CommandError
from ris_node.language.parse import ParsedCommand, parse_command
from ris_node.stamps import NS_PER_S
from ris_node.types import Manoeuvre, Query, QueryKind


@dataclass(frozen=True, eq=False)
class ActiveQuery:
    """An accepted command as it was given (with its id) and its meaning; compared by identity."""

    query: Query
    command: ParsedCommand

    @property
    def wants_region(self) -> bool:
        """Whether it asks for a place to go to."""
        return self.command.kind is QueryKind.REGION


class Queries:
    """Holds the active query; `on_change(now, why)` is called whenever another one, or none, becomes active.

    Thread-safe. Times are the node's clock in nanoseconds, 0 while it has not started (simulated time).
    """

    def __init__(self, config: Callable[[], QueryConfig], on_change: Callable[[ActiveQuery | None, str], None]) -> None:
        self._config = config
        self._on_change = on_change
        self._lock = threading.RLock()
        self._active: ActiveQuery | None = None
        self._since_ns = 0

    @property
    def active(self) -> ActiveQuery | None:
        """The active query; take it once for each frame."""
        return self._active

    def check(self, query: Query) -> ActiveQuery:
        """Return the query with its id and meaning, without making it the active one.

        Raises:
            CommandError: empty, too long or not text, or recognised with too little confidence.
        """
        config = self._config()
        command = parse_command(query, config.max_query_chars)
        if 0.0 < query.confidence < config.min_asr_confidence:  # 0 is what a message holds where nobody has set it
            raise CommandError(
                f"'{command.text[:60]}' was heard with confidence {query.confidence:.2f}, less than min_asr_confidence"
                f" {config.min_asr_confidence:g}: say it again, or lower that parameter"
            )
        return ActiveQuery(query.identified(), command)

    def set(self, query: Query, now_ns: int) -> ActiveQuery:
        """Make this the active query; a cancellation clears it instead.

        Returns:
            The accepted query with its id.

        Raises:
            CommandError: the query cannot be used; the active one stays.
        """
        accepted = self.check(query)
        if accepted.command.manoeuvre is Manoeuvre.CANCEL:
            self.clear("cancelled")
            return accepted
        with self._lock:
            self._active, self._since_ns = accepted, now_ns
            self._on_change(accepted, "")
        return accepted

    def clear(self, why: str) -> bool:
        """Leave no query active; False when there was none."""
        with self._lock:
            had, self._active = self._active, None
            if had is not None:
                self._on_change(None, why)
        return had is not None

    def expire(self, now_ns: int) -> bool:
        """Clear the query if its time is up; True when it was.

        The count starts at the first moment the clock is known, and again when the clock has gone back.
        """
        with self._lock:
            active = self._active
            if active is None or now_ns == 0:
                return False
            if self._since_ns == 0 or now_ns < self._since_ns:
                self._since_ns = now_ns
            ttl_s = active.query.ttl_s or self._config().query_ttl_s
            if ttl_s <= 0.0 or now_ns - self._since_ns < ttl_s * NS_PER_S:
                return False
            return self.clear(f"expired after {ttl_s:g} s")

    def restart_ttl(self) -> None:
        """Count the time to live afresh, because time has jumped back."""
        with self._lock:
            self._since_ns = 0
