# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The two files of a run's scores: scores.parquet (a row for each row of the results) and scores.json (figures)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ris_node.atomic import replacing, write_atomic
from ris_node.evaluation.answers import Scored
from ris_node.evaluation.table import Row
from ris_node.replay.options import FIGURES, SCORES
from ris_node.replay.rows import arrow
from ris_node.report.values import finite, plain
from ris_node.review.score import item_id
from ris_node.review.steady import LiveDrops, Steadiness


def write_scores(out: Path, rows: Sequence[dict[str, Any]], flows: Sequence[float], scored: Sequence[Scored]) -> None:
    """Write scores.parquet: steadiness of each row and, with truth, its IoU and whether its goal hits."""
    pa = arrow()
    by_id = {s.item.id: s for s in scored}
    own = [by_id.get(item_id(row)) for row in rows]
    columns = {
        "bag": [row["bag"] for row in rows],
        "frame": pa.array([row["frame"] for row in rows], pa.int64()),
        "steady_iou": pa.array([finite(v, None) for v in flows], pa.float64()),
        "truth_present": pa.array([s.item.present if s else None for s in own], pa.bool_()),
        "iou": pa.array([s.iou if s and s.item.present else None for s in own], pa.float64()),
        "hit": pa.array([s.hit if s else None for s in own], pa.bool_()),
    }
    with replacing(out / SCORES) as path:
        pa.parquet.write_table(pa.table(columns), path, compression="zstd")


def write_figures(out: Path, steady: Steadiness, drops: LiveDrops | None, table: Sequence[Row]) -> None:
    """Write scores.json: the figures of a run and, with truth, the table of `ris evaluate`."""
    estimates = [{n: {"value": e.value, "interval": e.interval} for n, e in row.estimates.items()} for row in table]
    found = {
        "steadiness": asdict(steady),
        "live": {**asdict(drops), "dropped": drops.dropped} if drops else None,
        "table": [
            {"name": row.name, "present": row.present, "absent": row.absent, "metrics": metrics}
            for row, metrics in zip(table, estimates, strict=True)
        ],
    }
    write_atomic(out / FIGURES, json.dumps(plain(found), indent=1) + "\n")


def read_figures(out: Path) -> dict[str, Any]:
    """Return what `write_figures` wrote; empty where it did not."""
    path = out / FIGURES
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def read_scores(out: Path) -> list[dict[str, Any]]:
    """Return the rows of scores.parquet; empty where there is none."""
    path = out / SCORES
    rows: list[dict[str, Any]] = arrow().parquet.read_table(path).to_pylist() if path.is_file() else []
    return rows
