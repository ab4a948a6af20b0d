# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Making of a recipe, step by step; stopped and started again, it goes on where it was.

Beside the steps' folders, `steps/NAME.json` records the inputs of a step, whether it is done, and how long each line
took. A step whose inputs have changed since is made again only when asked for: it may hold hours of training.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from ris_node import outputs
from ris_node.atomic import write_atomic
from ris_node.bundle import packaged_bundles
from ris_node.bundle.bundle import BASELINE
from ris_node.bundle.publish import VERB
from ris_node.entry import INTERRUPTED
from ris_node.errors import ConfigError, TrainingError
from ris_node.training.interrupt import RunStoppedError, StopRequest
from ris_node.training.recipe.recipe import BUNDLE, Recipe, Step, digest

RECORDS = "steps"
_STDERR = 2


class Child(StopRequest):
    """Runs `ris` lines one after the other, in processes of their own, whose memory goes back with them.

    While it is open, SIGTERM is passed on to the line that runs, and Ctrl-C, which a terminal gives to both, is left to
    it: training saves before it ends. `received` says that one of them came. The file `lock` is locked by this process
    and by the lines, which may outlive it.
    """

    def __init__(self, lock: Path) -> None:
        super().__init__()
        self._lock = lock
        self._handle = -1
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Child:
        self._handle = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._handle)
            raise ConfigError(f"{self._lock.parent} is being written to by another process: wait for it") from error
        super().__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        os.close(self._handle)

    def run(self, words: Sequence[str]) -> int:
        """Run one line, its output sent to stderr; return its exit code."""
        command = [sys.executable, "-m", "ris_node.cli", *words]
        with subprocess.Popen(command, stdout=_STDERR, pass_fds=[self._handle]) as child:
            self._running = child
            return child.wait()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = True
        if number == signal.SIGTERM and self._running is not None:
            self._running.send_signal(number)


@dataclass(frozen=True)
class Making:
    """A recipe, the folder that its steps write into, and the digests of its data."""

    recipe: Recipe
    work: Path
    data: Mapping[str, str]

    @property
    def bundle(self) -> Path:
        """Folder of the bundle."""
        return self.work / BUNDLE / self.recipe.name

    def record(self, step: Step) -> Path:
        """Return the file that records how far a step is."""
        return self.work / RECORDS / f"{step.name}.json"

    def run(self, anew: str = "") -> None:
        """Make the steps that are not done yet; `anew` names a step to make again with all that come after it.

        Raises:
            ConfigError: the folder is not this program's, a step is unknown, or was made of something else.
            TrainingError: a line failed.
            RunStoppedError: a line was stopped by Ctrl-C or SIGTERM.
        """
        steps = self.recipe.steps
        outputs.claim(self.work, [RECORDS, *(step.name for step in steps)], by=VERB)
        outputs.sign(self.work / RECORDS, by=VERB)
        before = ""
        with Child(self.work / RECORDS / "lock") as child:
            if anew:
                self._forget(anew)
            for number, step in enumerate(steps, 1):
                inputs, title = step.inputs(self.recipe, self.data, before), f"[{number}/{len(steps)}] {step.name}"
                before = digest(inputs)
                if self._is_done(step, inputs):
                    print(f"{title}: made before, kept", file=sys.stderr, flush=True)
                    continue
                for later in steps[number:]:
                    self.record(later).unlink(missing_ok=True)
                self._make(step, inputs, title, child)

    def _is_done(self, step: Step, inputs: Mapping[str, Any]) -> bool:
        """Whether a step is done; one that was begun with other inputs is refused."""
        try:
            record = json.loads(self.record(step).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return False
        changed = [name for name, value in inputs.items() if record["inputs"].get(name) != value]
        if changed:
            raise ConfigError(
                f"step {step.name!r} in {self.work} was made with other {', '.join(changed)}: --anew {step.name} makes "
                "it and all after it again, or give another --work"
            )
        return bool(record["done"]) and (self.work / step.name).is_dir()

    def _forget(self, name: str) -> None:
        names = [step.name for step in self.recipe.steps]
        if name not in names:
            raise ConfigError(f"there is no step {name!r} to make anew: there are {', '.join(names)}")
        for step in self.recipe.steps[names.index(name) :]:
            self.record(step).unlink(missing_ok=True)
            outputs.remove(self.work, step.name, by=VERB)

    def _make(self, step: Step, inputs: Mapping[str, Any], title: str, child: Child) -> None:
        self._write(step, inputs, [], done=False)
        out = outputs.sign(self.work / step.name, by=VERB)
        packaged = packaged_bundles()
        places = {
            "here": str(self.recipe.folder),
            "work": str(self.work),
            "out": str(out),
            "bundle": str(self.bundle),
            **({"engines": str(packaged[BASELINE].parent)} if BASELINE in packaged else {}),
        }
        ran: list[dict[str, Any]] = []
        for line in step.lines:
            words, begun = line.filled(places), time.monotonic()
            print(f"{title}: ris {shlex.join(words)}", file=sys.stderr, flush=True)
            code = child.run(words)
            ran.append({"line": shlex.join(line.words), "code": code, "seconds": round(time.monotonic() - begun, 1)})
            if child.received or code == INTERRUPTED:
                raise RunStoppedError(f"stopped in step {step.name!r}; the same command goes on")
            if code > (not line.gate) or code < 0:
                raise TrainingError(f"step {step.name!r}: 'ris {shlex.join(words)}' ended with exit code {code}")
        self._write(step, inputs, ran, done=True)

    def _write(self, step: Step, inputs: Mapping[str, Any], ran: Sequence[Mapping[str, Any]], done: bool) -> None:
        content = {"done": done, "inputs": inputs, "ran": ran}
        write_atomic(self.record(step), json.dumps(content, indent=1) + "\n")

    def summary(self) -> list[dict[str, Any]]:
        """Return what each step ran: lines, exit codes, seconds."""
        records = [json.loads(self.record(step).read_text(encoding="utf-8")) for step in self.recipe.steps]
        return [{"step": step.name, "ran": r["ran"]} for step, r in zip(self.recipe.steps, records, strict=True)]
