# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project's table over scored answers: by set, by kind, by size of the target; and the goals set for a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from ris_node import metrics as m
from ris_node.data.evalset import EvalItem
from ris_node.evaluation.answers import Scored

SIZES = (("small (< 1 %)", 0.0, 0.01), ("medium", 0.01, 0.06), ("large (> 6 %)", 0.06, 1.01))
# Presence is judged over all items; masks over noun phrases; pointing and inside over commands with a true region.
NAN = float("nan")


@dataclass(frozen=True)
class Row:
    """One line: counts of items and the metrics of `metrics.md` section 9; NaN where nothing was to be counted.

    `miou`, `oiou` and `p50` are over present noun phrases; `found` over all present items; `refused` and `riou` over
    absent ones; `pointing`, `inside` and `region_miou` over present commands; `ece` over all.
    """

    name: str
    present: int
    absent: int
    miou: float
    oiou: float
    p50: float
    found: float
    refused: float
    riou: float
    pointing: float
    inside: float
    region_miou: float
    listens: float
    ece: float


def make_row(name: str, answers: Sequence[Scored], pairs: Sequence[tuple[Scored, Scored]] = ()) -> Row:
    """The metrics of some answers; `pairs` are pairs of true expressions of one picture, for *listens*."""
    present = [a for a in answers if a.item.present]
    absent = [a for a in answers if not a.item.present]
    named = [a for a in present if a.item.type == "object"]
    regions = [a for a in present if a.hit is not None]
    inter, union = [a.intersection for a in named], [a.union for a in named]
    return Row(
        name=name,
        present=len(present),
        absent=len(absent),
        miou=m.mean_iou(inter, union),
        oiou=m.overall_iou(inter, union),
        p50=m.precision_at(inter, union, 0.5),
        found=m.found_rate([a.found for a in present]),
        refused=m.refused_rate([a.refused for a in absent], [a.area for a in absent]),
        riou=m.robust_iou_table(inter, union, [a.area for a in absent]) if named else NAN,
        pointing=m.pointing_rate([bool(a.hit) for a in regions]),
        inside=m.inside([a.region_intersection for a in regions], [a.region_area for a in regions]),
        region_miou=m.mean_iou([a.region_intersection for a in regions], [_region_union(a) for a in regions]),
        listens=m.listens_rate([a.answer_iou(b) for a, b in pairs]),
        ece=m.expected_calibration_error([a.presence for a in answers], [a.item.present for a in answers]),
    )


def make_table(answers: Sequence[Scored], pairs: Sequence[tuple[EvalItem, EvalItem]]) -> list[Row]:
    """All rows: all, each set, kind, size of target and frequent class; `pairs` as from `listening_pairs`."""
    by_id = {a.item.id: a for a in answers}
    scored = [(by_id[a.id], by_id[b.id]) for a, b in pairs if a.id in by_id and b.id in by_id]
    rows = [make_row("all", answers, scored)]
    for name in _ordered(a.item.set for a in answers):
        own = [a for a in answers if a.item.set == name]
        rows.append(make_row(name, own, [p for p in scored if p[0].item.set == name]))
    for kind in _ordered(a.item.kind for a in answers):
        own = [a for a in answers if a.item.kind == kind]
        rows.append(make_row(kind, own, [p for p in scored if p[0].item.kind == p[1].item.kind == kind]))
    named = [a for a in answers if a.item.present and a.item.type == "object"]
    for label, low, high in SIZES:
        rows.append(make_row(label, [a for a in named if low <= a.truth_fraction < high]))
    for name, items in _by_class(named):
        rows.append(make_row(f"of class {name}", items))
    rows.append(make_row("two or more in view", [a for a in named if a.item.in_view >= 2]))
    rows.append(make_row("same class, other one", [], _same_class(scored)))
    return rows


def format_table(rows: Sequence[Row]) -> str:
    """The rows as a fixed-width text table."""
    heads = ("", "pres.", "abs.", "mIoU", "oIoU", "P@.5", "found", "refus.", "rIoU", "point", "inside", "regIoU",
             "listens", "ECE")  # fmt: skip
    width = max(len(r.name) for r in rows) + 1
    lines = [heads[0].ljust(width) + "".join(h.rjust(8) for h in heads[1:])]
    for row in rows:
        values = list(asdict(row).values())[1:]
        cells = [str(v) if isinstance(v, int) else "" if np.isnan(v) else f"{v:.3f}" for v in values]
        lines.append(row.name.ljust(width) + "".join(c.rjust(8) for c in cells))
    return "\n".join(lines)


@dataclass(frozen=True)
class Goal:
    """One goal: what was measured, what is asked, and whether it is reached."""

    name: str
    value: float
    least: float

    @property
    def reached(self) -> bool:
        """Whether the value is at least what is asked (NaN is not)."""
        return self.value >= self.least


def goals(rows: Sequence[Row], baseline: Sequence[Row]) -> list[Goal]:
    """The goals of a default model against the keyword baseline of the same run."""
    own, base = {r.name: r for r in rows}, {r.name: r for r in baseline}
    found = [
        Goal(f"mIoU over the baseline, {k}", own[k].miou - base[k].miou, 0.05)
        for k in ("all", "order", "single", "relation")
        if k in own and k in base
    ]
    found += [Goal(f"refused, {k}", own[k].refused, 0.88) for k in ("absent", "alien") if k in own]
    found.append(Goal("found, all present targets", own["all"].found, 0.92))
    found.append(Goal("listens", own["all"].listens, 0.8))
    found.append(Goal("pointing", own["all"].pointing, 0.65))
    return found


def format_goals(found: Sequence[Goal]) -> str:
    """The goals, one a line."""
    return "\n".join(
        f"{'reached' if g.reached else 'MISSED ':8s} {g.name:38s} {g.value:+.3f} (at least {g.least:.2f})"
        for g in found
    )


def _region_union(answer: Scored) -> int:
    truth = sum((answer.item.region or ())[1::2])
    return truth + answer.region_area - answer.region_intersection


def _same_class(pairs: Sequence[tuple[Scored, Scored]]) -> list[tuple[Scored, Scored]]:
    return [(a, b) for a, b in pairs if a.item.class_name == b.item.class_name]


def _by_class(named: Sequence[Scored], least: int = 15) -> list[tuple[str, list[Scored]]]:
    """Answers by the class named, the most frequent first, where there are enough to say something."""
    names = _ordered(a.item.class_name for a in named)
    found = [(name, [a for a in named if a.item.class_name == name]) for name in names]
    return sorted((pair for pair in found if len(pair[1]) >= least), key=lambda pair: -len(pair[1]))


def _ordered(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
