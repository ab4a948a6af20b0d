# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Quality goals of a default model and whether they were reached: values of the table, the report and the manifest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any

from ris_node.evaluation.bootstrap import Estimate
from ris_node.evaluation.table import Row

BASELINE = "keyword-baseline"
Differences = Mapping[str, Mapping[str, Estimate]]


@dataclass(frozen=True)
class QualityGoal:
    """Quality goal: `source` is a row and metric of the table, of the differences to the baseline, or a fact.

    `least` or `most` is what is asked; below `floor` the work is not done, whatever the rest.
    """

    name: str
    source: str  # "table", "difference" or "fact"
    row: str
    metric: str = ""
    least: float | None = None
    _: KW_ONLY
    most: float | None = None
    floor: float | None = None

    @property
    def asked(self) -> str:
        """Requirement in words."""
        return f"at least {self.least:g}" if self.least is not None else f"at most {self.most:g}"

    def reached(self, value: float) -> bool:
        """Return whether a value is what is asked; what was not measured is not reached."""
        if math.isnan(value):
            return False
        return value >= self.least if self.least is not None else value <= (self.most or 0.0)


def _over(kind: str, least: float) -> QualityGoal:
    return QualityGoal(f"mIoU over the keyword baseline, {kind}", "difference", kind, "miou", least)


REACH = (
    QualityGoal("driving: mIoU", "table", "driving: noun phrases", "miou", 0.60, floor=0.55),
    QualityGoal("driving: P@0.5", "table", "driving: noun phrases", "p50", 0.65),
    QualityGoal("driving: rIoU", "table", "driving: noun phrases", "riou", 0.58),
    QualityGoal("refused: absent classes", "table", "absent", "refused", 0.95, floor=0.92),
    QualityGoal("refused: what never is", "table", "alien", "refused", 0.95, floor=0.92),
    QualityGoal("refused: near-misses", "table", "near_miss", "refused", 0.70),
    QualityGoal("found: present targets", "table", "all", "found", 0.95),
    QualityGoal("listens", "table", "all", "listens", 0.90),
    _over("order", 0.10),
    _over("relation", 0.10),
    _over("colour", 0.10),
    QualityGoal("pointing: goals in the true region", "table", "all", "pointing", 0.85, floor=0.80),
    QualityGoal("inside: share of the answered region in the true one", "table", "all", "inside", 0.75),
    QualityGoal("true regions' mean share of the picture", "fact", "mean_region_cover", most=0.08),
    QualityGoal("everyday: mIoU", "table", "everyday: noun phrases", "miou", 0.30),
    QualityGoal("calibration error", "table", "all", "ece", most=0.05),
    QualityGoal("vision network / bare trunk, time at 256x320", "fact", "trunk_ratio", most=1.5),
    QualityGoal("bundle, MB", "fact", "megabytes", most=40.0),
)
FIRST = (  # what was asked of the first version, on the suite "first"
    *(_over(kind, 0.05) for kind in ("all", "order", "single", "relation")),
    QualityGoal("refused: absent classes", "table", "absent", "refused", 0.88),
    QualityGoal("refused: what never is", "table", "alien", "refused", 0.88),
    QualityGoal("found: present targets", "table", "all", "found", 0.92),
    QualityGoal("listens", "table", "all", "listens", 0.80),
    QualityGoal("pointing: goals in the true region", "table", "all", "pointing", 0.65),
)
GOALS = {"full": REACH, "first": FIRST}


def judge_goals(
    goals: Sequence[QualityGoal], rows: Sequence[Row], against: Differences, facts: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Judge each goal: its value, its 95 % interval (None where it has none), and whether it was reached.

    Args:
        goals: what is asked.
        rows: the table of the model.
        against: its paired differences to the keyword baseline; empty without one.
        facts: single values by name.
    """
    table = {row.name: row for row in rows}
    found = []
    for goal in goals:
        if goal.source == "fact":
            known = facts.get(goal.row)
            value, interval = (math.nan if known is None else float(known)), None
        else:
            source = against.get(goal.row, {}) if goal.source == "difference" else {}
            if goal.source == "table" and goal.row in table:
                source = table[goal.row].estimates
            made = source.get(goal.metric)
            value, interval = (made.value, made.interval) if made else (math.nan, None)
        below = goal.floor is not None and not value >= goal.floor
        found.append({"name": goal.name, "asked": goal.asked, "value": value, "interval": interval,
                      "reached": goal.reached(value), "floor": goal.floor, "below_floor": below})  # fmt: skip
    return found


def format_goals(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the goals, one a line."""
    lines = []
    for g in found:
        value = "not measured" if g["value"] is None or math.isnan(g["value"]) else f"{g['value']:.3f}"
        span = f"({g['interval'][0]:.3f} to {g['interval'][1]:.3f})" if g["interval"] else ""
        state = "reached" if g["reached"] else "MISSED"
        lines.append(f"{state:8s} {g['name']:52s} {value:>12s} {span:18s} {g['asked']}")
    return "\n".join(lines)
