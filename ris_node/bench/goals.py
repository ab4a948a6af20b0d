# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Speed goals of the bench, with the values measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ris_node.bench import profile
from ris_node.bench.float32 import PRECISION
from ris_node.bench.measure import GOAL_SIZE, Measurements
from ris_node.report.values import finite

GOAL_RATIO, GOAL_RSS_MB, GOAL_READY_S = 1.6, 700.0, 5.0
GOAL_FRAME_MS, GOAL_P99_MS, GOAL_INT8, GOAL_CLIPSEG = 40.0, 80.0, 2.2, 6.0
_NOTHING = float("nan")


@dataclass(frozen=True)
class SpeedGoal:
    """Goal for one number: `value` at most `limit`.

    A `value` that is NaN was not measured; where `limit` is None the value is for information and nothing is judged.
    """

    name: str
    value: float
    limit: float | None = None

    @property
    def reached(self) -> bool | None:
        """Whether it was reached; None where nothing was measured or asked."""
        return None if self.limit is None or np.isnan(self.value) else self.value <= self.limit

    @property
    def verdict(self) -> str:
        """`reached` in words."""
        if self.limit is None:
            return "for information"
        return {True: "reached", False: "**missed**", None: "not measured"}[self.reached]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        value = finite(self.value)
        return {"goal": self.name, "measured": value, "at_most": self.limit, "reached": self.reached}


def goals(outcome: Measurements) -> tuple[SpeedGoal, ...]:
    """Return the project's goals at 640x480 with what was measured."""
    loads = [*outcome.paced.values(), *outcome.saturated.values()]
    loads += [outcome.float32.paced] if outcome.float32 else []
    rss = max((load.rss_mb for load in loads), default=_NOTHING)
    return (
        *_ratio_goals(outcome),
        SpeedGoal("node's RSS in MB, all sizes", rss, GOAL_RSS_MB),
        SpeedGoal("start to READY in s, slowest", max(outcome.starts_s, default=_NOTHING), GOAL_READY_S),
        *_speed_goals(outcome),
    )


def _ratio_goals(outcome: Measurements) -> tuple[SpeedGoal, ...]:
    """Return the goal of node to bare network, judged in float32; any other precision beside it."""
    paced, bare = outcome.paced.get(GOAL_SIZE), outcome.bare.get(GOAL_SIZE)
    ratio = paced.end_to_end.ratio(bare.total) if paced and bare else _NOTHING
    name = f"node / bare network, p50, {GOAL_SIZE}, "
    if outcome.precision in ("", PRECISION):
        return (SpeedGoal(f"{name}float32", ratio, GOAL_RATIO),)
    judged = outcome.float32.ratio if outcome.float32 else _NOTHING
    return SpeedGoal(f"{name}float32", judged, GOAL_RATIO), SpeedGoal(f"{name}{outcome.precision}", ratio)


def _speed_goals(outcome: Measurements) -> tuple[SpeedGoal, ...]:
    """What INT8 is for; only where it runs, or networks were compared."""
    found = []
    paced, full = outcome.paced.get(GOAL_SIZE), outcome.saturated.get(GOAL_SIZE)
    if outcome.precision == "int8" and paced and full:
        found.append(SpeedGoal(f"ms a frame through the whole node, {GOAL_SIZE}", 1e3 / full.rate_hz, GOAL_FRAME_MS))
        found.append(SpeedGoal(f"stamp to result, p99 in ms, {GOAL_SIZE}", paced.end_to_end.p99, GOAL_P99_MS))
    if outcome.networks:
        own = "int8" if any(one.name == "int8" and not one.failed for one in outcome.networks) else "fp32"
        int8 = profile.ratio(outcome, "int8", "fp32")
        found.append(SpeedGoal("INT8's share of float32's time", int8, 1 / GOAL_INT8))
        found.append(SpeedGoal("share of CLIPSeg's time", profile.ratio(outcome, own, "clipseg"), 1 / GOAL_CLIPSEG))
    return tuple(found)
