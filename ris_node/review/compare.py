# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Comparison of two runs over the same frames: differences with their intervals, and the frames with the largest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.errors import ConfigError, DataError
from ris_node.evaluation.bootstrap import Estimate, Resampler
from ris_node.evaluation.columns import make_columns
from ris_node.evaluation.table import make_table
from ris_node.metrics.segmentation import counts
from ris_node.replay.rows import FOUND, iter_rows
from ris_node.report.values import plain
from ris_node.review.score import FEWEST_STRETCHES, STRETCH, score_rows
from ris_node.review.scores import read_scores
from ris_node.review.steady import jitter
from ris_node.review.truth import Truth
from ris_node.rle import decode_rle
from ris_node.types import F64, I64

DRAWS = 1000
NAN = float("nan")
# metric: what it is; the first group needs no truth
PLAIN = {
    "found": "share of frames answered PRESENT or AMBIGUOUS",
    "presence": "mean presence",
    "area": "mean area of the referent, share of the picture",
    "targets": "share of region answers with a target in metres",
    "steady": "mask IoU with the frame before, after optical flow",
    "jitter": "scatter of the goal, metres",
    "latency": "median time for a frame, ms",
}
TRUE = {
    "miou": "mIoU", "oiou": "oIoU", "p50": "P@0.5", "refused": "refused", "riou": "rIoU", "pointing": "pointing",
    "inside": "inside", "region_miou": "region mIoU",
}  # fmt: skip
NAMES = {"mIoU": "miou", "oIoU": "oiou", "P@0.5": "p50", "rIoU": "riou", "region mIoU": "region_miou"}


@dataclass(frozen=True)
class Line:
    """One metric of two runs and their paired difference (B minus A) with its 95 % interval, None where too short."""

    name: str
    doc: str
    a: float
    b: float
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        """B minus A."""
        return self.b - self.a

    @property
    def certain(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.interval is not None and not self.interval[0] <= 0.0 <= self.interval[1]


@dataclass(frozen=True)
class Pair:
    """One frame that both runs answered; `agreement` is the IoU of their masks, 1 where both are empty."""

    a: Mapping[str, Any]
    b: Mapping[str, Any]
    agreement: float

    @property
    def verdicts_differ(self) -> bool:
        """Whether one found something and the other did not."""
        return (self.a["status"] in FOUND) != (self.b["status"] in FOUND)


@dataclass(frozen=True)
class Comparison:
    """Result of `compare_runs`; `alone` counts frames that only one of the runs has."""

    lines: tuple[Line, ...]
    pairs: tuple[Pair, ...]
    agreement: float
    flipped: float
    alone: tuple[int, int]

    def line(self, name: str) -> Line:
        """Return the line of a metric.

        Raises:
            ConfigError: there is none of that name; the message lists them.
        """
        wanted = NAMES.get(name, name.lower().replace(" ", "_"))
        found = next((line for line in self.lines if line.name == wanted), None)
        if found is None:
            raise ConfigError(f"there is no metric '{name}' here: {', '.join(line.name for line in self.lines)}")
        return found


def compare_runs(a: Path, b: Path, truth: Truth | None = None) -> Comparison:
    """Compare two runs frame by frame (same bag name, image and command).

    Raises:
        DataError: a run is missing, or they have no frame in common.
    """
    rows_a, rows_b = _keyed(a), _keyed(b)
    common = [key for key in rows_a if key in rows_b]
    if not common:
        raise DataError(f"{a} and {b} have no frame and command in common: replay the same bags with the same commands")
    pairs = [_pair(rows_a[key], rows_b[key]) for key in common]
    stretch = _stretches(pairs)
    resampler = Resampler.draw(int(stretch.max()) + 1, DRAWS)
    lines = [*_plain_lines(pairs, stretch, resampler), *_steady_lines(a, b, common, rows_a, rows_b, stretch, resampler)]
    if truth is not None:
        lines += _true_lines(pairs, truth)
    return Comparison(
        tuple(line for line in lines if not (np.isnan(line.a) and np.isnan(line.b))),
        tuple(pairs),
        float(np.mean([pair.agreement for pair in pairs])),
        float(np.mean([pair.verdicts_differ for pair in pairs])),
        (len(rows_a) - len(common), len(rows_b) - len(common)),
    )


def most_different(pairs: Sequence[Pair], count: int = 8, apart: int = 5) -> list[Pair]:
    """Return the frames that differ most, a few frames apart from each other."""
    kept: list[Pair] = []
    for pair in sorted(pairs, key=lambda p: (p.agreement, p.a["frame"])):
        if pair.agreement < 0.999 and all(
            pair.a["bag"] != k.a["bag"] or abs(pair.a["frame"] - k.a["frame"]) >= apart for k in kept
        ):
            kept.append(pair)
        if len(kept) == count:
            break
    return kept


Key = tuple[str, int, str]


def _keyed(folder: Path) -> dict[Key, dict[str, Any]]:
    return {(row["bag"], row["source_index"], row["command"]): row for row in iter_rows(folder)}


def _pair(a: dict[str, Any], b: dict[str, Any]) -> Pair:
    if (a["height"], a["width"]) != (b["height"], b["width"]):
        raise DataError(f"frame {a['source_index']} of {a['bag']} differs in size between the runs: not the same bag")
    if a["mask_rle"] == b["mask_rle"]:
        return Pair(a, b, 1.0)
    if not a["mask_rle"] or not b["mask_rle"]:
        return Pair(a, b, 0.0)
    inter, union = counts(*(decode_rle(row["mask_rle"], row["height"], row["width"]) for row in (a, b)))
    return Pair(a, b, inter / union if union else 1.0)


def _stretches(pairs: Sequence[Pair]) -> I64:
    """Return a number for each pair's stretch of the drive: what is drawn again as a whole."""
    keys = [(pair.a["bag"], pair.a["source_index"] // STRETCH) for pair in pairs]
    numbers = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([numbers[key] for key in keys])


def _plain_lines(pairs: Sequence[Pair], stretch: I64, resampler: Resampler) -> Iterator[Line]:
    def region(row: Mapping[str, Any]) -> float:
        return float(row["target_status"] == "OK") if row["target_status"] else NAN

    values: dict[str, Callable[[Mapping[str, Any]], float]] = {
        "found": lambda row: float(row["status"] in FOUND) if row["query_id"] else NAN,
        "presence": lambda row: float(row["presence"]) if row["query_id"] else NAN,
        "area": lambda row: float(row["mask_area"]) if row["query_id"] else NAN,
        "targets": region,
    }
    for name, value in values.items():
        columns = [np.array([value(row) for row in rows]) for rows in zip(*((p.a, p.b) for p in pairs), strict=True)]
        yield _mean_line(name, columns[0], columns[1], stretch, resampler)
    spent = [np.array([row["total_ms"] for row in rows]) for rows in zip(*((p.a, p.b) for p in pairs), strict=True)]
    a, b = (float(np.median(column)) for column in spent)
    yield Line("latency", PLAIN["latency"], a, b, None)


def _steady_lines(
    a: Path,
    b: Path,
    common: Sequence[Key],
    rows_a: Mapping[Key, Any],
    rows_b: Mapping[Key, Any],
    stretch: I64,
    resampler: Resampler,
) -> Iterator[Line]:
    columns = []
    for folder, rows in ((a, rows_a), (b, rows_b)):
        known = {(s["bag"], s["frame"]): s["steady_iou"] for s in read_scores(folder)}
        values = [known.get((rows[key]["bag"], rows[key]["frame"])) for key in common]
        columns.append(np.array([NAN if value is None else value for value in values]))
    yield _mean_line("steady", columns[0], columns[1], stretch, resampler)
    one, other = (jitter([rows[key] for key in common]) for rows in (rows_a, rows_b))
    yield Line("jitter", PLAIN["jitter"], one, other, None)


def _mean_line(name: str, a: F64, b: F64, stretch: I64, resampler: Resampler) -> Line:
    """Return a line of means over the frames where both have a value."""
    both = ~(np.isnan(a) | np.isnan(b))
    if not both.any():
        return Line(name, PLAIN[name], NAN, NAN, None)
    stretches = resampler.weights.shape[1]
    weight = np.bincount(stretch[both], minlength=stretches).astype(np.float64)
    total = np.bincount(stretch[both], (b - a)[both], stretches)
    with np.errstate(invalid="ignore", divide="ignore"):
        draws = (resampler.weights @ total) / (resampler.weights @ weight)
    one, other = float(a[both].mean()), float(b[both].mean())
    interval = Estimate(other - one, draws).interval if np.count_nonzero(weight) >= FEWEST_STRETCHES else None
    return Line(name, PLAIN[name], one, other, interval)


def _true_lines(pairs: Sequence[Pair], truth: Truth) -> Iterator[Line]:
    scored = [score_rows(rows, truth) for rows in ([p.a for p in pairs], [p.b for p in pairs])]
    columns = make_columns(scored[0])
    resampler = Resampler.draw(columns.pictures, DRAWS)
    tables = [make_table(one, resampler)[0] for one in scored]
    for name, doc in TRUE.items():
        a, b = (table.estimates.get(name) for table in tables)
        if a is not None and b is not None:
            interval = b.minus(a).interval if columns.pictures >= FEWEST_STRETCHES else None
            yield Line(name, doc, a.value, b.value, interval)


_RULE = re.compile(r"^\s*(?P<name>[\w@. ]+?)\s+(?P<how>drops|rises|changes)\s+(?P<much>[\d.]+)\s*(?P<sure>surely)?\s*$")


def broken(comparison: Comparison, rules: Sequence[str]) -> list[str]:
    """Return those of the rules ("mIoU drops 0.01", "found changes 0.02 surely") that hold, in words.

    With "surely", the whole 95 % interval has to lie beyond the number.

    Raises:
        ConfigError: a rule is not of that form, or names no metric of this comparison.
    """
    found = []
    for rule in rules:
        match = _RULE.match(rule)
        if match is None:
            raise ConfigError(f"--fail-if '{rule}': write METRIC drops|rises|changes NUMBER [surely]")
        line, much = comparison.line(match["name"]), float(match["much"])
        low, high = line.interval or (NAN, NAN) if match["sure"] else (line.difference, line.difference)
        # a hair of tolerance: 0.50 to 0.49 is a drop of 0.01, whatever binary fractions make of it
        falls, rises = high <= -much + 1e-12, low >= much - 1e-12
        if (falls and match["how"] != "rises") or (rises and match["how"] != "drops"):
            found.append(f"{line.name}: {line.a:.4f} -> {line.b:.4f} ({line.difference:+.4f}), and '{rule}' fails")
    return found


def to_json(comparison: Comparison) -> dict[str, Any]:
    """Return the comparison as JSON values, without the frames."""
    metrics = {
        line.name: {"a": line.a, "b": line.b, "difference": line.difference, "interval": line.interval,
                    "certain": line.certain}
        for line in comparison.lines
    }  # fmt: skip
    return {
        "frames": len(comparison.pairs),
        "agreement": comparison.agreement,
        "flipped": comparison.flipped,
        "only_a": comparison.alone[0],
        "only_b": comparison.alone[1],
        "metrics": plain(metrics),
    }


def digest(comparison: Comparison) -> str:
    """Return a hash of the comparison's figures, timings left out."""
    found = to_json(comparison)
    found["metrics"].pop("latency", None)
    return hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()
