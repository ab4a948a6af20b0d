# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The run in TensorBoard (`tensorboard --logdir RUN`) where it is installed, and the grids as PNG files in any case."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ris_node.atomic import write_atomic
from ris_node.types import U8


class Curves:
    """Writes numbers and grids of a run that goes on at step `step`; events of later steps are hidden."""

    def __init__(self, out: Path, step: int = 0) -> None:
        self._grids = out / "grids"
        self._writer = _writer(out / "tensorboard", step)

    def numbers(self, kind: str, values: Mapping[str, Any]) -> None:
        """Add the numbers of one line of the log; `kind` ("step", "check", "final") groups them."""
        if self._writer is None:
            return
        for name, value in values.items():
            if name != "step" and np.isfinite(value):
                self._writer.add_scalar(f"{kind}/{name}", value, values["step"])

    def grid(self, picture: U8, step: int) -> Path:
        """Keep a grid, RGB u8[h,w,3], as OUT/grids/STEP.png; return the path."""
        path = self._grids / f"{step:07d}.png"
        write_atomic(path, bytes(cv2.imencode(".png", np.ascontiguousarray(picture[..., ::-1]))[1]))
        if self._writer is not None:
            self._writer.add_image("answers", picture, step, dataformats="HWC")
            self._writer.flush()
        return path

    def close(self) -> None:
        """Write what is waiting."""
        if self._writer is not None:
            self._writer.close()


def _writer(folder: Path, step: int) -> Any:
    """TensorBoard's writer, or None where the package is missing: `pip install tensorboard` brings the curves."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError:
        print("no TensorBoard curves: pip install tensorboard, if they are wanted (log.jsonl has the same numbers)")
        return None
    return SummaryWriter(str(folder), purge_step=step or None, flush_secs=20)
