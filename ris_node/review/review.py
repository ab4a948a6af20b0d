# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The second look at a run: how steady it is, what it scores, what a live node would have dropped.

Leaves `scores.parquet` (a row for each row of the results) and `scores.json` (figures and the table) in the run's
folder.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.atomic import replacing, write_atomic
from ris_node.evaluation.answers import Scored
from ris_node.evaluation.table import Row
from ris_node.pipeline.grounder import Grounder
from ris_node.replay.options import FIGURES, SCORES, ReplayOptions
from ris_node.replay.rows import arrow, iter_rows
from ris_node.review.merge import read_summary
from ris_node.review.pictures import images_of
from ris_node.review.score import item_id, score_rows, tabulate
from ris_node.review.steady import LiveDrops, MaskFlow, Steadiness, simulate_live, summarise
from ris_node.review.truth import open_truth
from ris_node.types import U8

LIVE_FRAMES = 20  # answered once more, alone, to know what a live node would take for each
_LIVE_BYTES = 100_000_000
_PLAIN = (
    "bag", "frame", "source_index", "log_ns", "stamp_ns", "query_id", "command", "kind", "status", "presence",
    "target_status", "target_x", "target_y", "total_ms",
)  # fmt: skip


def review(out: Path, bag: Path, options: ReplayOptions, *, live: bool = True) -> None:
    """Look at the run in `out` again, with the pictures of its bag, and write what was found beside it.

    Raises:
        DataError: the truth cannot be read, or speaks of none of the frames.
        BagError: the bag cannot be opened again.
    """
    topic = str(read_summary(out).get("image_topic", ""))
    total = sum(1 for _ in iter_rows(out, ["frame"]))
    flows, samples = _look(out, bag, topic, total)
    plain = list(iter_rows(out, _PLAIN))
    steady = summarise(plain, flows)
    drops = _live(plain, samples, options) if live and samples else None
    scored = score_rows(list(iter_rows(out)), open_truth(options.truth, bag)) if options.truth else []
    write_scores(out, plain, flows, scored)
    write_figures(out, steady, drops, tabulate(scored) if scored else [])


def _look(out: Path, bag: Path, topic: str, total: int) -> tuple[list[float], list[tuple[str, U8]]]:
    """Mask steadiness of every row, and some (command, image) samples over the drive."""
    flow, flows, samples, held = MaskFlow(), [], [], 0
    step = max(1, total // LIVE_FRAMES)
    for number, (row, image) in enumerate(images_of(bag, topic, iter_rows(out))):
        flows.append(flow.add(row, image) if image is not None else math.nan)
        if image is not None and row["query_id"] and number % step == 0 and held + image.nbytes <= _LIVE_BYTES:
            samples.append((str(row["command"]), image))
            held += image.nbytes
    return flows + [math.nan] * (total - len(flows)), samples


def _live(rows: Sequence[dict[str, Any]], samples: list[tuple[str, U8]], options: ReplayOptions) -> LiveDrops:
    """Answer the samples one by one as a live node would, and put its speed to the recorded arrivals."""
    config = options.config
    with Grounder.open(options.bundle, model=config.model, output=config.output, region=config.region) as grounder:
        prepared = {text: grounder.prepare(text) for text, _ in samples}
        spent = []
        for text, image in samples:
            begin = time.perf_counter()
            grounder.ground(image, prepared[text])
            spent.append((time.perf_counter() - begin) * 1e3)
    return simulate_live((row["log_ns"] for row in rows), spent)


def write_scores(out: Path, rows: Sequence[dict[str, Any]], flows: Sequence[float], scored: Sequence[Scored]) -> None:
    """Write scores.parquet: steadiness of each row and, with truth, its IoU and whether its goal hits."""
    pa = arrow()
    by_id = {s.item.id: s for s in scored}
    own = [by_id.get(item_id(row)) for row in rows]
    columns = {
        "bag": [row["bag"] for row in rows],
        "frame": pa.array([row["frame"] for row in rows], pa.int64()),
        "steady_iou": pa.array([None if math.isnan(v) else v for v in flows], pa.float64()),
        "truth_present": pa.array([s.item.present if s else None for s in own], pa.bool_()),
        "iou": pa.array([s.iou if s and s.item.present else None for s in own], pa.float64()),
        "hit": pa.array([s.hit if s else None for s in own], pa.bool_()),
    }
    with replacing(out / SCORES) as path:
        pa.parquet.write_table(pa.table(columns), path, compression="zstd")


def write_figures(out: Path, steady: Steadiness, drops: LiveDrops | None, table: Sequence[Row]) -> None:
    """Write scores.json: the figures of a run and, with truth, the table of `ris evaluate`."""
    found = {
        "steadiness": _plain(asdict(steady)),
        "live": _plain({**asdict(drops), "dropped": drops.dropped}) if drops else None,
        "table": [
            {
                "name": row.name, "present": row.present, "absent": row.absent,
                "metrics": {n: {"value": _number(e.value), "interval": e.interval} for n, e in row.estimates.items()},
            }
            for row in table
        ],
    }  # fmt: skip
    write_atomic(out / FIGURES, json.dumps(found, indent=1) + "\n")


def read_figures(out: Path) -> dict[str, Any]:
    """What `write_figures` wrote; empty where it did not."""
    path = out / FIGURES
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def read_scores(out: Path) -> list[dict[str, Any]]:
    """The rows of scores.parquet; empty where there is none."""
    path = out / SCORES
    rows: list[dict[str, Any]] = arrow().parquet.read_table(path).to_pylist() if path.is_file() else []
    return rows


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: _number(value) if isinstance(value, float) else value for name, value in values.items()}


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
