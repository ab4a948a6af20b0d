# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""When a target may be acted on: steady for some frames, and not lost since."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ris_node.types import RegionTarget, TargetStatus


@dataclass
class TargetGate:
    """Counts how many frames in a row gave about the same goal for the same query.

    `frames` is how many are wanted; `jump_m` is how far the goal may move between two frames, in metres, on top of
    the uncertainty it states. Not thread-safe: belongs to the worker.
    """

    frames: int = 1
    jump_m: float = 1.0
    _query_id: str = ""
    _count: int = 0
    _last: RegionTarget | None = None

    def update(self, query_id: str, target: RegionTarget | None) -> tuple[RegionTarget | None, bool]:
        """Take the target of one processed frame (None: the frame had none).

        Returns:
            The target to publish and whether it is confirmed. A confirmed target that is lost is given back once
            as STALE, so that a planner lets go of it; what was never confirmed disappears quietly.
        """
        if query_id != self._query_id:
            held, self._last, self._count = self._confirmed(), None, 0
            self._query_id = query_id
            if held is not None and target is None:
                return stale(held, "the query changed"), False
        if target is None or target.status is not TargetStatus.OK:
            held, self._last, self._count = self._confirmed(), None, 0
            if target is None and held is not None:
                return stale(held, "the region was lost"), False
            return target, False
        self._count = self._count + 1 if self._near(target) else 1
        self._last = target
        return target, self._count >= self.frames

    def reset(self) -> None:
        """Forget everything, as after CANCEL, deactivation or a jump in time."""
        self._query_id, self._count, self._last = "", 0, None

    @property
    def count(self) -> int:
        """How many frames in a row agree so far."""
        return self._count

    def _confirmed(self) -> RegionTarget | None:
        return self._last if self._count >= self.frames else None

    def _near(self, target: RegionTarget) -> bool:
        if self._last is None or self._last.frame_id != target.frame_id:
            return False
        allowed = self.jump_m + float(np.sqrt(max(np.trace(target.covariance[:2, :2]), 0.0)))
        return float(np.hypot(*(target.position - self._last.position)[:2])) <= allowed


def stale(target: RegionTarget, reason: str) -> RegionTarget:
    """Return a target that is no longer to be driven to, with the reason."""
    return replace(target, status=TargetStatus.STALE, message=f"{reason}: do not drive to this target any more")
