# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The published region target: confirmed after steady frames, shown as steps, and taken back when it no longer holds.

The node and the replay of bags share them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ris_node.types import RegionTarget, Status, TargetStatus


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


if TYPE_CHECKING:
    from ris_node.pipeline.grounding import Grounding


@dataclass(frozen=True)
class TargetStep:
    """One message on `~/region`: a target, or why there is none, for a query and a frame's stamp.

    `confirmed` targets may be driven to, and pose, polygon, grid and markers show them; with any other step whatever
    they show is taken back.
    """

    query_id: str
    stamp_ns: int
    target: RegionTarget
    confirmed: bool = False


class TargetHold:
    """Turns a stream of answers and commands into steps. Not thread-safe.

    Args:
        frames: how many in a row must agree before a target is confirmed.
    """

    def __init__(self, frames: int) -> None:
        self._gate = TargetGate(frames)
        self._held: TargetStep | None = None

    def answer(self, grounding: Grounding, frame_id: str) -> TargetStep:
        """Take the answer to a region query; `frame_id` names the frame of targets."""
        found = grounding.target if grounding.status is Status.PRESENT else None
        shown, confirmed = self._gate.update(grounding.query.id, found)
        step = TargetStep(grounding.query.id, grounding.stamp_ns, shown or _reason(grounding, frame_id), confirmed)
        self._held = step if confirmed else None
        return step

    def withdraw(self, why: str) -> TargetStep | None:
        """Forget what was seen, and return the step that takes back a confirmed target (None: there was none)."""
        held, self._held = self._held, None
        self._gate.reset()
        return None if held is None else replace(held, target=stale(held.target, why), confirmed=False)


def outdated(grounding: Grounding, frame_id: str) -> TargetStep:
    """Return the step for an answer whose query was replaced while it was worked on."""
    target = RegionTarget(status=TargetStatus.STALE, frame_id=frame_id, message="another command came meanwhile")
    return TargetStep(grounding.query.id, grounding.stamp_ns, target)


def _reason(grounding: Grounding, frame_id: str) -> RegionTarget:
    """Return a target that says why there is none."""
    planes = grounding.planes
    if grounding.status is Status.PRESENT and planes is not None and planes.region_pieces.instances:
        message = "no camera_info yet: publish it beside the image, or remap it"
        return RegionTarget(status=TargetStatus.NO_CAMERA, frame_id=frame_id, message=message)
    message = grounding.message or f"the query is {grounding.status.name} in this frame"
    return RegionTarget(status=TargetStatus.UNSET, frame_id=frame_id, message=message)
