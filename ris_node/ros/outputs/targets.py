# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Region targets on their topics: published when steady, taken back the moment they no longer hold."""

from __future__ import annotations

import threading
from collections.abc import Callable

from ris_node.config import RegionConfig
from ris_node.messages.target import (
    delete_markers,
    empty_grid,
    polygon_stamped,
    pose_stamped,
    region_grid,
    target_markers,
    target_to_msg,
)
from ris_node.pipeline.grounding import Grounding
from ris_node.ros.convert.make import make
from ris_node.ros.outputs.publishers import Publishers
from ris_node.targets.hold import TargetHold, TargetStep, outdated
from ris_node.types import RegionTarget


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
        self._hold = TargetHold(config().stable_frames)
        self._drawn = False

    def restart(self) -> None:
        """Begin afresh with the current parameters."""
        with self._lock:
            self._hold = TargetHold(self._config().stable_frames)

    def answer(self, grounding: Grounding, current: Callable[[], bool]) -> RegionTarget:
        """Publish the target of a region query's answer, or why there is none.

        Args:
            grounding: the answer.
            current: whether the query is still the active one, asked while nobody else can withdraw.

        Returns:
            The target published on `~/region`.
        """
        frame_id = self._config().target_frame
        with self._lock:
            step = self._hold.answer(grounding, frame_id) if current() else outdated(grounding, frame_id)
            self._publish(step, grounding.query.text)
        return step.target

    def withdraw(self, why: str) -> None:
        """Take back a confirmed target: the query was cancelled, replaced or has run out, or the node stops."""
        with self._lock:
            step = self._hold.withdraw(why)
            if step is not None:
                self._publish(step)

    def _publish(self, step: TargetStep, text: str = "") -> None:
        self._publishers.publish("~/region", target_to_msg(make, step.target, step.query_id, step.stamp_ns))
        if step.confirmed:
            self._show(step.target, step.stamp_ns, text)
        elif self._drawn:  # said once; the grid is latched, so that late subscribers see it empty too
            self._drawn = False
            frame_id, stamp_ns = step.target.frame_id, step.stamp_ns
            self._publishers.publish("~/region_grid", empty_grid(make, frame_id, stamp_ns))
            self._publishers.publish("~/markers", delete_markers(make, frame_id, stamp_ns))

    def _show(self, target: RegionTarget, stamp_ns: int, text: str) -> None:
        publishers, config = self._publishers, self._config()
        if publishers.wanted("~/target_pose"):
            publishers.publish("~/target_pose", pose_stamped(make, target, stamp_ns))
        if publishers.wanted("~/region_polygon"):
            publishers.publish("~/region_polygon", polygon_stamped(make, target, stamp_ns))
        if publishers.wanted("~/region_grid"):
            publishers.publish("~/region_grid", region_grid(make, target, stamp_ns, config.grid_resolution))
            self._drawn = True
        if publishers.wanted("~/markers"):
            markers = target_markers(make, target, stamp_ns, text, config.marker_lifetime_s)
            publishers.publish("~/markers", markers)
            self._drawn = True
