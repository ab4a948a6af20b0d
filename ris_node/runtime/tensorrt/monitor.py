# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""How far a build is, from TensorRT's own progress monitor (10.1 and later)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Phase:
    """One phase: how many steps it has, how many are done, and the phases within."""

    steps: int
    done: int = 0
    parent: Phase | None = None
    inner: list[Phase] = field(default_factory=list)

    def fraction(self) -> float:
        """Return the share that is done, 0..1; a phase within counts as a part of the step under way."""
        part = max((phase.fraction() for phase in self.inner), default=0.0)
        return min(1.0, (self.done + min(part, 0.99)) / max(1, self.steps))


class Tracker:
    """Nested phases in, one fraction out, which never falls. Thread-safe: builders have several threads.

    Args:
        tell: called with the phase and the fraction of the whole, on the builder's threads.
    """

    def __init__(self, tell: Callable[[str, float], None]) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._phases: dict[str, Phase] = {}
        self._top: Phase | None = None
        self._most = 0.0

    def start(self, name: str, parent_name: str | None, steps: int) -> None:
        """Begin a phase, within another or at the top."""
        with self._lock:
            parent = self._phases.get(parent_name or "")
            phase = self._phases[name] = Phase(steps, parent=parent)
            if parent is not None:
                parent.inner.append(phase)
            else:
                self._top = phase
        self._say(name)

    def step(self, name: str, step: int) -> None:
        """Count step number `step` of a phase, from 0 on, as done."""
        with self._lock:
            phase = self._phases.get(name)
            if phase is not None:
                phase.done = max(phase.done, step + 1)
        self._say(name)

    def finish(self, name: str) -> None:
        """End a phase."""
        with self._lock:
            phase = self._phases.pop(name, None)
            if phase is not None and phase.parent is not None and phase in phase.parent.inner:
                phase.parent.inner.remove(phase)
            if phase is not None and phase is self._top:
                self._most = 1.0
        self._say(name)

    def _say(self, name: str) -> None:
        with self._lock:
            if self._top is not None:
                self._most = max(self._most, self._top.fraction())
            most = self._most
        self._tell(name, most)


def make_monitor(trt: Any, on_progress: Callable[[str, float], None]) -> Any:
    """Return a `trt.IProgressMonitor` that calls `on_progress` with the phase and the fraction of the whole."""
    tracker = Tracker(on_progress)

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]  # TensorRT is compiled
        """Passes TensorRT's calls on; the names of its arguments are TensorRT's."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            """Begin a phase."""
            tracker.start(phase_name, parent_phase, int(num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            """Count a step as done; True lets the build go on."""
            tracker.step(phase_name, int(step))
            return True

        def phase_finish(self, phase_name: str) -> None:
            """End a phase."""
            tracker.finish(phase_name)

    return Monitor()
