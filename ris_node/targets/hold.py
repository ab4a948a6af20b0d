# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Steps of a published region target: shown when steady, taken back when it no longer holds.

The node and the replay of bags share them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ris_node.targets.stability import TargetGate, stale
from ris_node.types import RegionTarget, Status, TargetStatus

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
