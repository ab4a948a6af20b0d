# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is said of a region query's target in a frame: the target, why there is none, or that one was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ris_node.targets.stability import TargetGate
from ris_node.types import RegionTarget, Status, TargetStatus

if TYPE_CHECKING:
    from ris_node.pipeline.grounding import Grounding


def announce(gate: TargetGate, grounding: Grounding, frame_id: str) -> tuple[RegionTarget, bool]:
    """What to say of an answer's target, and whether it is confirmed (may be driven to).

    Args:
        gate: knows the frames before.
        grounding: the answer to a region query.
        frame_id: the frame of targets.
    """
    found = grounding.target if grounding.status is Status.PRESENT else None
    shown, confirmed = gate.update(grounding.query.id, found)
    return shown or no_target(grounding, frame_id), confirmed


def no_target(
    grounding: Grounding, frame_id: str, status: TargetStatus | None = None, message: str = ""
) -> RegionTarget:
    """A target that says why there is none."""
    if status is None:
        planes = grounding.planes
        missing = grounding.status is Status.PRESENT and planes is not None and planes.region_pieces.instances
        status = TargetStatus.NO_CAMERA if missing else TargetStatus.UNSET
        if missing:
            message = "no camera_info yet: publish it beside the image, or remap it"
        else:
            message = grounding.message or f"the query is {grounding.status.name} in this frame"
    return RegionTarget(status, frame_id, message=message)
