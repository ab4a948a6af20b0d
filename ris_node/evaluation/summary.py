# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Summary of an evaluation report for a bundle's manifest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
