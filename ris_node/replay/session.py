# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One replay on its way: frames are read ahead, answered beside each other, and written in order."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ris_node.atomic import write_atomic
from ris_node.bags.reader import Bag
from ris_node.bags.topics import Chosen
from ris_node.config import all_specs
from ris_node.errors import BagError
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.answer import NODE, Answered, Answerer, target_messages
from ris_node.replay.frames import FrameJob, FrameReader, Prefetch, film_rate
from ris_node.replay.options import SUMMARY, Progress, ReplayOptions, ReplaySummary
from ris_node.replay.parts import Parts
from ris_node.replay.reasons import count_reasons, message_of
from ris_node.replay.rows import target_row
from ris_node.runtime.ort import cores
from ris_node.sensing.queries import ActiveQuery
from ris_node.targets.hold import TargetHold, TargetStep
from ris_node.types import Status

_IN_FLIGHT_BYTES = 200_000_000  # of decoded pixels; fewer frames are in flight when they are large
_SAY_EVERY_S = 0.5


def identity(bag: Bag, chosen: Chosen, grounder: Grounder) -> tuple[str, ...]:
    """What a replay is of, beside its options."""
    return bag.name, chosen.image.name, grounder.model_id, grounder.info.precision


def sequential(options: ReplayOptions) -> bool:
    """Whether an answer depends on the one before, so that frames cannot be answered beside each other."""
    return options.config.output.temporal_smoothing > 0.0


def workers_for(options: ReplayOptions, grounder: Grounder) -> int:
    """How many frames are answered at once."""
    if sequential(options) or grounder.info.backend != "onnxruntime" or "CPU" not in grounder.info.provider:
        return 1
    return options.threads or cores()


class ReplaySession:
    """One replay of one bag; `go` does it. The arguments are those of `ris_node.replay.replay.replay`."""

    def __init__(
        self,
        bag: Bag,
        chosen: Chosen,
        out: Path,
        options: ReplayOptions,
        grounder: Grounder,
        progress: Callable[[Progress], None],
        stop: threading.Event,
    ) -> None:
        self._bag, self._chosen, self._out, self._options = bag, chosen, out, options
        self._grounder, self._progress, self._stop = grounder, progress, stop
        fingerprint = options.fingerprint(*identity(bag, chosen, grounder))
        out.mkdir(parents=True, exist_ok=True)
        rate = film_rate(bag, chosen, options) if options.video else 10.0
        self._fingerprint = fingerprint
        self._parts = Parts(out, options, rate, fingerprint)
        self._resumed_at = self._parts.done
        self._reader = FrameReader(bag, chosen, options)
        self._answerer = Answerer(bag, grounder, options)
        self._hold = TargetHold(options.config.region.stable_frames)
        self._query: ActiveQuery | None = None
        self._begin = self._said = time.monotonic()
        self._problems: list[str] = []
        self._failed = 0
        self._frames = 0

    def go(self) -> ReplaySummary:
        """Answer the frames, seal and join what was written."""
        try:
            self._answer_all()
            self._parts.seal()
        except OSError as error:
            self._parts.drop()
            self._problems.append(self._disk(error))
        self._problems = [*self._bag.problems, *dict.fromkeys(self._problems)]
        if not self._parts.done and not self._problems and not self._stop.is_set():
            raise BagError(f"{self._bag.path}: {self._chosen.image.name} holds no images: nothing to replay")
        interrupted = self._stop.is_set()
        ended = not interrupted and not self._problems
        try:
            # a damaged bag has been answered as far as it goes: there is nothing to resume
            finished = not interrupted and self._problems == self._bag.problems
            self._parts.finish(complete=finished)
        except OSError as error:
            self._problems.append(self._disk(error))
            ended = False
        return self._summary(complete=ended, interrupted=interrupted)

    def _answer_all(self) -> None:
        """Keep the workers busy, and write the answers in order."""
        workers = workers_for(self._options, self._grounder)
        warm = self._warm_from()
        pending: deque[Future[Answered]] = deque()
        with Prefetch(self._reader.jobs(), 2 * workers) as jobs, ThreadPoolExecutor(workers, "answer") as pool:
            try:
                for job in jobs:
                    if self._stop.is_set():
                        break
                    if job.index < warm:
                        continue
                    pending.append(pool.submit(self._answerer.answer, job))
                    while pending and len(pending) >= self._most_in_flight(workers, job):
                        self._take(pending.popleft().result())
                while pending and not self._stop.is_set():
                    self._take(pending.popleft().result())
            finally:
                for future in pending:
                    future.cancel()

    def _warm_from(self) -> int:
        """The first frame to answer: on resuming some before the first missing one, for what depends on them."""
        if sequential(self._options):
            return 0
        return max(0, self._resumed_at - self._options.config.region.stable_frames - 1)

    def _most_in_flight(self, workers: int, job: FrameJob) -> int:
        size = max(len(job.message.data), 1) * (1 if job.message.type.endswith("/Image") else 12)
        return max(1, min(2 * workers + 1, _IN_FLIGHT_BYTES // (2 * size)))

    def _take(self, answered: Answered) -> None:
        """Write one answer; they come in order."""
        job, grounding, target = answered.job, answered.grounding, None
        steps = self._withdrawn(job)
        if answered.wants_region:
            target = self._hold.answer(grounding, self._options.config.region.target_frame)
            steps = [*steps, target]
        if job.index < self._resumed_at:
            return
        said = message_of(grounding, target.target if target is not None else None)
        messages = [*answered.messages, *(message for step in steps for message in target_messages(step))]
        self._parts.add(answered, {**answered.row, **target_row(target), "message": said}, messages)
        self._frames += 1
        if grounding.status is Status.ERROR:
            self._failed += 1
            if self._failed == 1:
                self._problems.append(f"frame {job.source_index} at {job.stamp_ns / 1e9:.6f} s: {grounding.message}")
        self._tell()

    def _withdrawn(self, job: FrameJob) -> list[TargetStep]:
        """Take back a target as the node does when time goes back or another command comes."""
        replaced, self._query = job.query is not self._query, job.query
        why = "time went back" if job.jump else "another command came" if replaced else ""
        step = self._hold.withdraw(why) if why else None
        return [] if step is None else [step]

    def _tell(self, *, last: bool = False) -> None:
        now = time.monotonic()
        if now - self._said < _SAY_EVERY_S and not last:
            return
        self._said = now
        done = self._resumed_at + self._frames
        rate = self._frames / max(now - self._begin, 1e-9)
        total = self._expected()
        left_s = max(total - done, 0) / rate if rate else 0.0
        self._progress(
            Progress(bag=self._bag.name, done=done, total=total, rate_hz=rate, left_s=left_s, resumed=self._resumed_at)
        )

    def _expected(self) -> int:
        count = self._chosen.image.count
        if count < 0 or self._options.rate_hz:
            return 0
        total = -(-count // self._options.every)
        return min(total, self._options.max_frames) if self._options.max_frames else total

    def _disk(self, error: Exception) -> str:
        name = getattr(error, "filename", None) or self._out
        words = getattr(error, "strerror", None) or str(error)
        kept = f"{self._parts.done} frames are sealed in {self._out}"
        return f"cannot write {name}: {words}; {kept}: make room and give --resume"

    def _summary(self, *, complete: bool, interrupted: bool) -> ReplaySummary:
        self._tell(last=True)
        seconds = time.monotonic() - self._begin
        reader = self._reader
        notes = [*self._bag.notes, *dict.fromkeys(reader.notes)]
        if reader.late or reader.equal:
            notes.append(f"stamps: {reader.late} went back and {reader.equal} repeated the one before")
        notes += [
            reason.note() for reason in count_reasons(kind for seal in self._parts.seals for kind in seal.reasons)
        ]
        if self._failed > 1:
            notes.append(f"{self._failed} frames could not be answered (status ERROR says why)")
        if interrupted:
            self._problems.append("stopped: --resume goes on")
        statuses: Counter[str] = Counter()
        for seal in self._parts.seals:
            statuses.update(seal.statuses)
        summary = ReplaySummary(
            bag=self._bag.name, out=self._out, complete=complete, frames=self._parts.done, seen=reader.seen,
            rate_hz=self._frames / max(seconds, 1e-9), seconds=seconds, problems=tuple(self._problems),
            notes=tuple(notes), statuses=dict(statuses), model_id=self._grounder.model_id, interrupted=interrupted,
        )  # fmt: skip
        about: dict[str, Any] = {
            **summary.to_json(),
            "out": ".",
            "image_topic": self._chosen.image.name,
            "node": NODE,
            "fingerprint": self._fingerprint,
            "settings": self._settings(),
        }
        try:
            write_atomic(self._out / SUMMARY, json.dumps(about, indent=1) + "\n")
        except OSError as error:
            self._problems.append(self._disk(error))
        return summary

    def _settings(self) -> dict[str, Any]:
        """What the run was asked to do, for its report: no paths."""
        options = self._options
        commands = options.commands
        source = "recorded" if commands.recorded else ("script" if commands.script else "the command line")
        changed = {
            spec.name: getattr(getattr(options.config, spec.group), spec.name)
            for spec in all_specs()
            if getattr(getattr(options.config, spec.group), spec.name) != spec.default
        }
        about = {"commands from": source, "every": options.every, "rate_hz": options.rate_hz}
        topics = {"image": self._chosen.image.name, "camera_info": self._chosen.camera_info,
                  "depth": self._chosen.depth, "command topic": self._chosen.command,
                  "TF": ", ".join((*self._chosen.tf, *self._chosen.tf_static))}  # fmt: skip
        model = {"precision": self._grounder.info.precision, "provider": self._grounder.info.provider}
        return {**about, **{k: v or "none" for k, v in topics.items()}, **model, **changed}
