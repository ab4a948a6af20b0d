# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Jobs, outcomes and progress of a fleet of replays."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ris_node.replay.options import Progress, ReplaySummary


@dataclass(frozen=True)
class Job:
    """One bag and the folder for its results; `attempt` counts from 1."""

    index: int
    bag: Path
    out: Path
    attempt: int = 1


@dataclass(frozen=True)
class Outcome:
    """Outcome of one attempt: a summary, or an error; `again` says whether another attempt may help."""

    job: Job
    summary: ReplaySummary | None = None
    error: str = ""
    again: bool = False
    lost: bool = False


@dataclass(frozen=True, kw_only=True)
class FleetProgress:
    """Progress of all bags: bags, frames of those in sight (bags not begun are guessed from the others), seconds left.

    `left_s` is None while it is unknown.
    """

    bags_done: int
    bags: int
    frames: int
    total: int
    rate_hz: float
    left_s: float | None
    workers: int


@dataclass
class BagRecord:
    """Attempts at one bag, for the list of failures."""

    job: Job
    attempts: int = 0
    errors: list[str] = field(default_factory=list)
    summary: ReplaySummary | None = None

    @property
    def failed(self) -> bool:
        """Whether no attempt gave a summary."""
        return self.summary is None

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        summary = self.summary
        return {
            "bag": str(self.job.bag),
            "out": self.job.out.name,
            "attempts": self.attempts,
            "errors": self.errors,
            "complete": summary is not None and summary.complete,
            "frames": summary.frames if summary is not None else 0,
        }


class Pool(Protocol):
    """Workers that each hold a loaded model and replay one bag at a time."""

    @property
    def size(self) -> int:
        """How many workers there are."""

    def idle(self) -> int:
        """Return how many workers have nothing to do."""

    def start(self, job: Job) -> None:
        """Give a job to an idle worker."""

    def poll(self, patience_s: float) -> list[Outcome]:
        """Wait for a job to end, at most so long; a lost worker is replaced, and its job's outcome says `lost`."""

    def progress(self) -> dict[int, Progress]:
        """Return how far the running jobs are, by index; those without a report yet are left out."""

    def stop(self) -> None:
        """Ask the workers to seal their parts and to return."""

    def close(self) -> None:
        """End the workers."""
