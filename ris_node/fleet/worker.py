# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The part in a worker's process: one model, loaded once, and bags one after another."""

from __future__ import annotations

import os
import threading
from dataclasses import replace

from ris_node.errors import ConfigError, RisError
from ris_node.fleet.jobs import Job, Outcome
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import REPORT, Progress, ReplayOptions, ReplaySummary
from ris_node.replay.replay import open_model
from ris_node.review.review import replay_and_review, review


class Worker:
    """Replays bags; `progress` and `stop` may be called from another thread while `run` works."""

    def __init__(self, options: ReplayOptions) -> None:
        self._options = options
        self._grounder: Grounder | None = None
        self._stop = threading.Event()
        self._progress: tuple[int, Progress] | None = None

    def pid(self) -> int:
        """Return the process's id."""
        return os.getpid()

    def load(self) -> str:
        """Load the model; return the error, or an empty string."""
        try:
            self._grounder = open_model(self._options)
        except RisError as error:
            return str(error)
        return ""

    def progress(self) -> tuple[int, Progress] | None:
        """Return the running job's index and how far it is."""
        return self._progress

    def stop(self) -> None:
        """Ask the replay to seal its part and return."""
        self._stop.set()

    def run(self, job: Job) -> Outcome:
        """Replay a bag; errors are part of the outcome, so that only a lost process raises."""
        self._progress = None
        try:
            if self._grounder is None and (problem := self.load()):
                return Outcome(job, error=problem, again=True)
            return Outcome(job, self._replay(job))
        except ConfigError as error:  # the next attempt would say the same
            return Outcome(job, error=str(error))
        except RisError as error:
            return Outcome(job, error=str(error), again=True)
        except Exception as error:
            return Outcome(job, error=f"{type(error).__name__}: {error}", again=True)

    def _replay(self, job: Job) -> ReplaySummary:
        def note(progress: Progress) -> None:
            self._progress = (job.index, progress)

        def attempt(options: ReplayOptions) -> ReplaySummary:
            return replay_and_review(job.bag, job.out, options, grounder=self._grounder, progress=note, stop=self._stop)

        options = self._options
        if job.attempt == 1:
            return attempt(options)
        # an attempt before this one left sealed parts, which stay; what was not sealed is answered again
        again = replace(options, resume=True, overwrite=False)
        try:
            summary = attempt(again)
        except ConfigError:  # it was lost between joining its parts and saying so
            fresh = replace(options, resume=False, overwrite=True)
            return attempt(fresh)
        if options.report and summary.complete and not (job.out / REPORT).is_file():
            review(job.bag, job.out, options)
        return summary
