# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Log of a run: JSON lines in `log.jsonl`, lines on the screen, a progress bar, TensorBoard curves and grids as PNG."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from ris_node.atomic import write_atomic
from ris_node.types import U8


@dataclass
class Means:
    """Running means of the loss terms since they were last logged; the fields go into checkpoints."""

    count: int = 0
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, values: Mapping[str, float]) -> None:
        """Count one step's values."""
        self.count += 1
        self.sums |= {name: self.sums.get(name, 0.0) + value for name, value in values.items()}

    def take(self) -> dict[str, float]:
        """Return the means and begin anew."""
        means = {name: value / max(1, self.count) for name, value in self.sums.items()}
        self.count, self.sums = 0, {}
        return means


class Log:
    """Log of a run that goes on at step `step` of `steps`: lines and curves of later steps are taken out.

    The progress bar shows on terminals only; where the output goes into a file, the lines tell the time left. Curves
    are for TensorBoard (`tensorboard --logdir RUN`) where it is installed, grids are PNG files in any case.
    """

    def __init__(self, out: Path, step: int = 0, steps: int = 0) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self._path, self._grids, self._steps = out / "log.jsonl", out / "grids", steps
        self._forget_after(step)
        self._curves = _curves(out / "tensorboard", step)
        self._bar = tqdm(
            total=steps, initial=step, unit="step", disable=None, dynamic_ncols=True, smoothing=0.05, file=sys.stderr
        )

    def step(self, loss: float) -> None:
        """Move the progress bar by one step."""
        self._bar.set_postfix_str(f"loss {loss:.3f}", refresh=False)
        self._bar.update()

    def write(self, kind: str, values: Mapping[str, float]) -> None:
        """Append one line ("step", "check", "final"), print it above the bar, and add its numbers to the curves.

        `values` has the step, and its seconds per step as "s" where they were measured.
        """
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"event": kind, **values}) + "\n")
        shown = " ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in values.items())
        left = f" left={_clock((self._steps - values['step']) * values['s'])}" if "s" in values else ""
        tqdm.write(f"[{time.strftime('%H:%M:%S')}] {kind} {shown}{left}", file=sys.stdout)
        sys.stdout.flush()
        for name, value in values.items():
            if self._curves is not None and name != "step" and np.isfinite(value):
                self._curves.add_scalar(f"{kind}/{name}", value, values["step"])

    def grid(self, picture: U8, step: int) -> Path:
        """Keep a grid, RGB u8[h,w,3], as OUT/grids/STEP.png; return the path."""
        path = self._grids / f"{step:07d}.png"
        write_atomic(path, bytes(cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1]))
        if self._curves is not None:
            self._curves.add_image("answers", picture, step, dataformats="HWC")
            self._curves.flush()
        return path

    def close(self) -> None:
        """Take the bar away and flush the curves."""
        self._bar.close()
        if self._curves is not None:
            self._curves.close()

    def _forget_after(self, step: int) -> None:
        if not self._path.is_file():
            return
        lines = self._path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if _step_of(line) <= step]
        if len(kept) < len(lines):
            write_atomic(self._path, "".join(f"{line}\n" for line in kept))


def _step_of(line: str) -> float:
    """Return the step of a line of the log; a line cut short by a crash counts as later than any."""
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return float("inf")


def _clock(seconds: float) -> str:
    minutes = round(max(0.0, seconds) / 60)
    return f"{minutes // 60}:{minutes % 60:02d}h"


def _curves(folder: Path, step: int) -> Any:
    """Return TensorBoard's writer, or None where the package is missing."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError:
        print("no TensorBoard curves: pip install tensorboard, if they are wanted (log.jsonl has the same numbers)")
        return None
    return SummaryWriter(str(folder), purge_step=step or None, flush_secs=20)
