# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""`ris evaluate` from items and systems to a report: answers, tables, differences, goals, files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.atomic import write_atomic
from ris_node.data.evalset import EvalItem
from ris_node.evaluation.answers import Prediction, Scored, contains, score
from ris_node.evaluation.bootstrap import DRAWS, SEED, SLOW_DRAWS, Estimate, Resampler
from ris_node.evaluation.goals import BASELINE, GOALS, judge_goals
from ris_node.evaluation.systems import Progress, answer_all, digest
from ris_node.evaluation.table import Row, differences, make_table
from ris_node.evaluation.variants import Entry
from ris_node.metrics import answers as m
from ris_node.report.values import plain

ROC_POINTS = 200  # at most so many points of a curve are kept


@dataclass(frozen=True)
class Measured:
    """System with its scored answers, its table, and the facts known of it."""

    name: str
    scored: list[Scored]
    rows: list[Row]
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Settings of an evaluation: the items, and how they are answered.

    `root` is the images' folder, `suite` the built set's name ("" for items of one's own), of whose pictures every
    `every`-th was taken.
    """

    items: list[EvalItem]
    root: Path
    suite: str = ""
    every: int = 1
    threads: int = 1
    precision: str = "auto"
    cache: Path | None = None
    quiet: bool = False


def measure_bundles(entries: Sequence[Entry], setting: Setting) -> list[Measured]:
    """Answer and score with each bundle in turn."""
    resampler = Resampler.draw(len({i.image for i in setting.items}))
    found = []
    for entry in entries:
        cache = setting.cache / f"{entry.name.replace(':', '.')}.jsonl" if setting.cache else None
        with _bar(entry.name, len(setting.items), setting.quiet) as tell:
            answers, about = answer_all(
                entry, setting.items, setting.root, setting.threads, setting.precision, cache, tell
            )
        found.append(measure(entry.name, setting.items, answers, resampler, about))
        if not any(other.folder == entry.folder for other in entries[len(found) :]):
            entry.maps.clear()
    return found


def measure(
    name: str, items: Sequence[EvalItem], answers: Sequence[Prediction], resampler: Resampler, about: dict[str, Any]
) -> Measured:
    """Score one system's answers."""
    scored = [score(item, answer) for item, answer in zip(items, answers, strict=True)]
    return Measured(name, scored, make_table(scored, resampler), about)


def make_report(systems: Sequence[Measured], setting: Setting) -> dict[str, Any]:
    """Return all measurements as plain values (NaN as None), for JSON, the HTML report and the model card."""
    items = setting.items
    base = next((s for s in systems if s.name == BASELINE), None)
    about = describe_items(items)
    report: dict[str, Any] = {
        "suite": setting.suite, "every": setting.every, **about, "cores": os.cpu_count(), "threads": setting.threads,
        "bootstrap": {"unit": "picture", "draws": DRAWS, "draws_ece_auc": SLOW_DRAWS, "seed": SEED, "level": 0.95},
        "conventions": CONVENTIONS,
        "bundles": {},
    }  # fmt: skip
    for system in systems:
        entry: dict[str, Any] = {"about": system.about, "rows": [row_values(row) for row in system.rows]}
        entry["intervals"] = {row.name: _intervals(row.estimates) for row in system.rows}
        entry |= presence_curves(system.scored)
        others = {o.name: differences(system.rows, o.rows) for o in systems if o.name.startswith(BASELINE)}
        others.pop(system.name, None)
        entry["against"] = {
            name: {row: _compared(found) for row, found in rows.items()} for name, rows in others.items()
        }
        if not system.name.startswith(BASELINE) and setting.suite:
            facts = {**about, "trunk_ratio": system.about.get("trunk_ratio"),
                     "megabytes": system.about["bytes"] / 1e6 if "bytes" in system.about else None}  # fmt: skip
            against = others[BASELINE] if base else {}
            entry["goals"] = judge_goals(GOALS[setting.suite], system.rows, against, facts)
        report["bundles"][system.name] = entry
    made: dict[str, Any] = plain(report, 4)
    return made


def describe_items(items: Sequence[EvalItem]) -> dict[str, Any]:
    """Count the items by set and kind, and measure the points to beat."""
    regions = [(i, truth) for i in items if i.present and (truth := i.region_truth()) is not None]
    hits = [i.road_point is not None and contains(truth, i.road_point) for i, truth in regions]
    kinds: dict[str, dict[str, int]] = {}
    for i in items:
        own = kinds.setdefault(i.set, {})
        own[i.kind] = own.get(i.kind, 0) + 1
    return {
        "items": len(items),
        "pictures": len({i.image for i in items}),
        "items_sha256": digest(items),
        "sets": {name: {"pictures": len({i.image for i in items if i.set == name}), "kinds": own}
                 for name, own in kinds.items()},
        "regions": len(regions),
        "mean_region_cover": float(np.mean([truth.mean() for _, truth in regions])) if regions else None,
        "pointing_road_centre": float(np.mean(hits)) if hits else None,
    }  # fmt: skip


def presence_curves(scored: Sequence[Scored]) -> dict[str, Any]:
    """Return the ROC curve of presence, thinned, and its reliability in 15 bins."""
    scores, truth = [s.answer.presence for s in scored], [s.item.present for s in scored]
    curve = m.roc(scores, truth)
    keep = np.unique(np.linspace(0, max(curve.thresholds.size - 1, 0), ROC_POINTS).astype(int))
    points = [[float(a[k]) for a in (curve.false_positive, curve.true_positive)] for k in keep if curve.thresholds.size]
    bins = m.reliability(scores, truth)
    return {"roc": {"area": curve.area, "points": points},
            "reliability": [[b.count, b.confidence, b.share] for b in bins]}  # fmt: skip


def row_values(row: Row) -> dict[str, Any]:
    """Return a row as one flat mapping; metrics without a value are left out."""
    return {"name": row.name, "present": row.present, "absent": row.absent,
            **{name: e.value for name, e in row.estimates.items()}}  # fmt: skip


def save_report(report: Mapping[str, Any], path: Path) -> None:
    """Write a report as JSON, its tables one row a line."""
    write_atomic(path, dump(report) + "\n")


def dump(value: Any, depth: int = 4) -> str:
    """Return JSON with line breaks down to a depth, and none below."""
    if depth and isinstance(value, dict) and value:
        inner = ",\n".join(f"{json.dumps(k)}: {dump(v, depth - 1)}" for k, v in value.items())
        return f"{{\n{inner}\n}}"
    if depth and isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(json.dumps(v) for v in value) + "\n]"
    return json.dumps(value)


def _intervals(found: Mapping[str, Estimate]) -> dict[str, Any]:
    spans = {name: e.interval for name, e in found.items()}
    return {name: span for name, span in spans.items() if span is not None}


def _compared(found: Mapping[str, Estimate]) -> dict[str, Any]:
    return {name: [e.value, *(e.interval or (None, None))] for name, e in found.items()}


@contextmanager
def _bar(name: str, total: int, quiet: bool) -> Iterator[Progress]:
    from tqdm import tqdm

    with tqdm(total=total, desc=name, unit="item", disable=quiet, mininterval=1.0) as bar:
        yield bar.update


CONVENTIONS = {
    "resolution": "masks are compared at each picture's own size",
    "miou": "mean IoU over present noun phrases; ABSENT counts as an empty mask, UNCERTAIN as the mask it gives",
    "oiou": "sum of intersections / sum of unions, over present noun phrases",
    "p50..p90": "share of present noun phrases with IoU >= 0.5 .. 0.9",
    "found": "share of present items answered PRESENT or AMBIGUOUS",
    "refused": "share of absent items answered ABSENT or with an empty mask",
    "riou": "sum of intersections / (sum of unions of present noun phrases + sum of areas answered to absent items)",
    "pointing": "share of true regions that hold the pixel of the published goal",
    "inside": "mean share of the answered region that lies in the true one; an empty answer counts 0",
    "region_miou, region_oiou": "mean and overall IoU of regions",
    "recall_k": "share of true regions that hold one of the k highest pixels of the region's map; recall_1 is the "
    "Pointing Game of Rufus et al.; no answer is a miss",
    "listens": "over pairs of true noun phrases of one picture whose masks overlap less than 0.1: share whose answers "
    "overlap less than 0.3; two empty answers count as listening",
    "listens_strict": "as listens, but only two answers with pixels count as listening",
    "apart, apart_strict": "listens and listens_strict over pairs of one class",
    "giou_gres, ciou_gres, n_acc, t_acc": "GRES, over noun phrases; a bundle answering ABSENT gives no raw mask",
    "giou_lisa, ciou_lisa": "LISA: empty against empty scores 1; over noun phrases",
    "ref_miou, mrr, ref_riou": "R-RIS; a ref is an item's group: a picture, in the project's own set",
    "auc": "area under the ROC of presence, present against absent items",
    "ece": "calibration error of presence in 15 bins of equal mass",
}
