# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The project's table over one system's answers, with bootstrap intervals, and the differences of two systems.

`quality_of` is the part of a report that goes into a bundle's manifest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ris_node.evaluation.answers import Scored
from ris_node.evaluation.bootstrap import Estimate, Resampler, estimates
from ris_node.evaluation.columns import make_columns, make_slices

SHOWN = (  # metric and heading, in the order of the text table
    ("miou", "mIoU"), ("oiou", "oIoU"), ("p50", "P@.5"), ("found", "found"), ("refused", "refus."), ("riou", "rIoU"),
    ("pointing", "point"), ("inside", "inside"), ("region_miou", "regIoU"), ("listens", "listens"),
    ("listens_strict", "strict"), ("apart", "apart"), ("apart_strict", "strict"), ("auc", "AUC"), ("ece", "ECE"),
)  # fmt: skip
COMPARED = ("miou", "oiou", "p50", "found", "refused", "riou", "pointing", "inside", "region_miou", "listens",
            "listens_strict", "apart", "apart_strict", "ece", "auc")  # fmt: skip


@dataclass(frozen=True)
class Row:
    """Row of the table: how many items were present and absent, and each metric that has a value there."""

    name: str
    present: int
    absent: int
    estimates: dict[str, Estimate]

    def value(self, metric: str) -> float:
        """Return a metric's value, NaN where nothing was to be counted."""
        found = self.estimates.get(metric)
        return found.value if found else float("nan")


def make_table(scored: Sequence[Scored], resampler: Resampler | None = None) -> list[Row]:
    """Return all rows of one system; without a resampler there are no intervals."""
    columns = make_columns(scored)
    resampler = resampler or Resampler.draw(columns.pictures, 0)
    rows = []
    for part in make_slices([s.item for s in scored]):
        found = estimates(columns, part, resampler)
        present = int((columns.present & part.taken).sum())
        known = {name: e for name, e in found.items() if not math.isnan(e.value)}
        rows.append(Row(part.name, present, int(part.taken.sum()) - present, known))
    return rows


def differences(rows: Sequence[Row], other: Sequence[Row]) -> dict[str, dict[str, Estimate]]:
    """Return paired differences (this minus the other) by row and metric; both of the same items and draws."""
    theirs = {row.name: row for row in other}
    found = {
        row.name: {
            name: row.estimates[name].minus(theirs[row.name].estimates[name])
            for name in COMPARED
            if name in row.estimates and name in theirs[row.name].estimates
        }
        for row in rows
        if row.name in theirs
    }
    return {name: values for name, values in found.items() if values}


def format_table(rows: Sequence[Row]) -> str:
    """Return the rows as a fixed-width text table."""
    width = max(len(r.name) for r in rows) + 1
    lines = ["".ljust(width) + "".join(h.rjust(8) for h in ("pres.", "abs.", *(head for _, head in SHOWN)))]
    for row in rows:
        values = [row.value(metric) for metric, _ in SHOWN]
        cells = [str(row.present), str(row.absent), *("" if math.isnan(v) else f"{v:.3f}" for v in values)]
        lines.append(row.name.ljust(width) + "".join(c.rjust(8) for c in cells))
    return "\n".join(lines)


ABOUT = ("items", "pictures", "suite", "every", "items_sha256", "regions", "mean_region_cover", "pointing_road_centre")
LEFT_OUT = ("about", "intervals", "roc", "reliability", "against")  # stay in the report
METRICS = ("name", "present", "absent", "miou", "oiou", "p50", "found", "refused", "riou", "pointing", "inside",
           "region_miou", "listens", "listens_strict", "apart_strict", "auc", "ece")  # fmt: skip


def quality_of(report: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the part of a report that is a bundle manifest's `quality`: items, rows, and goals.

    Raises:
        KeyError: the report says nothing of the bundle.
    """
    own = report["bundles"][name]
    kept = {key: value for key, value in own.items() if key not in LEFT_OUT}
    kept["rows"] = [{k: row[k] for k in METRICS if k in row} for row in own["rows"]]
    return {"evaluation": {key: report[key] for key in ABOUT if key in report}, **kept}
