# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Region targets on their topics: published when steady, taken back the moment they no longer hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from ris_node.config import RegionConfig
from ris_node.messages.display import delete_markers, empty_grid, region_grid, target_markers
from ris_node.messages.target import polygon_stamped, pose_stamped, target_to_msg
from ris_node.pipeline.grounding import Grounding
from ris_node.ros.convert.make import make
from ris_node.ros.outputs.publishers import Publishers
from ris_node.targets.announce import announce, no_target
from ris_node.targets.stability import TargetGate
from ris_node.types import RegionTarget, TargetStatus


@dataclass(frozen=True)
class Held:
    """The confirmed target that planners may be following."""

    query_id: str
    target: RegionTarget
    stamp_ns: int


class TargetOutputs:
    """Publishes `~/region` and what follows from it. Thread-safe: a command withdraws while a frame is answered.

    Args:
        publishers: where to.
        config: the current region parameters.
    """

    def __init__(self, publishers: Publishers, config: Callable[[], RegionConfig]) -> None:
        self._publishers = publishers
        self._config = config
        self._lock = threading.Lock()
        self._gate = TargetGate(config().stable_frames)
        self._held: Held | None = None
        self._drawn = False

    @property
    def held(self) -> Held | None:
        """The confirmed target in force."""
        return self._held

    def restart(self) -> None:
        """Begin afresh with the current parameters."""
        with self._lock:
            self._gate = TargetGate(self._config().stable_frames)

    def answer(self, grounding: Grounding, current: Callable[[], bool]) -> RegionTarget:
        """Publish the target of a region query's answer, or why there is none.

        Args:
            grounding: the answer.
            current: whether the query is still the active one, asked while nobody else can withdraw.

        Returns:
            What was said on `~/region`.
        """
        query_id, stamp_ns, frame_id = grounding.query.id, grounding.stamp_ns, self._config().target_frame
        with self._lock:
            if not current():
                said = no_target(grounding, frame_id, TargetStatus.STALE, "another command came meanwhile")
                self._publishers.publish("~/region", target_to_msg(make, said, query_id, stamp_ns))
                return said
            said, confirmed = announce(self._gate, grounding, frame_id)
            self._publishers.publish("~/region", target_to_msg(make, said, query_id, stamp_ns))
            if confirmed:
                self._show(said, grounding)
            else:
                self._take_back(said.frame_id, stamp_ns)
        return said

    def withdraw(self, why: str) -> None:
        """Take back whatever stands: the query was cancelled, replaced or has run out, or the node stops."""
        with self._lock:
            held = self._held
            if held is not None:
                stale = replace(
                    held.target, status=TargetStatus.STALE, message=f"{why}: do not drive to this target any more"
                )
                self._publishers.publish("~/region", target_to_msg(make, stale, held.query_id, held.stamp_ns))
                self._take_back(held.target.frame_id, held.stamp_ns)
            self._gate.reset()

    def _show(self, target: RegionTarget, grounding: Grounding) -> None:
        publishers, stamp_ns = self._publishers, grounding.stamp_ns
        self._held = Held(grounding.query.id, target, stamp_ns)
        if publishers.wanted("~/target_pose"):
            publishers.publish("~/target_pose", pose_stamped(make, target, stamp_ns))
        if publishers.wanted("~/region_polygon"):
            publishers.publish("~/region_polygon", polygon_stamped(make, target, stamp_ns))
        if publishers.wanted("~/region_grid"):
            resolution = self._config().grid_resolution
            publishers.publish("~/region_grid", region_grid(make, target, stamp_ns, resolution))
            self._drawn = True
        if publishers.wanted("~/markers"):
            lifetime_s, text = self._config().marker_lifetime_s, grounding.query.text
            publishers.publish("~/markers", target_markers(make, target, stamp_ns, text, lifetime_s))
            self._drawn = True

    def _take_back(self, frame_id: str, stamp_ns: int) -> None:
        self._held = None
        if self._drawn:  # said once; the grid is latched, so that late subscribers see it empty too
            self._drawn = False
            self._publishers.publish("~/region_grid", empty_grid(make, frame_id, stamp_ns))
            self._publishers.publish("~/markers", delete_markers(make, frame_id, stamp_ns))
