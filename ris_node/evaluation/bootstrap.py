# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Bootstrap intervals: pictures are drawn again, not items, because items of one picture stand and fall together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_node.evaluation.columns import Columns, Slice, Unit
from ris_node.metrics import answers as m
from ris_node.types import F64, I64, Bool

SEED = 20261122
DRAWS = 1000
SLOW_DRAWS = 200  # for what is no ratio of sums: the calibration error and the area under the ROC curve
LEVEL = 95.0


@dataclass(frozen=True)
class Resampler:
    """Number of times f64[D,P] that each picture is drawn in each draw; the same for every system: paired."""

    weights: F64

    @classmethod
    def draw(cls, pictures: int, draws: int = DRAWS, seed: int = SEED) -> Resampler:
        """Draw as many pictures as there are, with replacement, `draws` times."""
        rng = np.random.default_rng(seed)
        share = np.full(pictures, 1.0 / pictures) if pictures else np.zeros(0)
        return cls(rng.multinomial(pictures, share, size=draws).astype(np.float64))


@dataclass(frozen=True)
class Estimate:
    """A metric's value over some items, and its values f64[D] over the draws (none where it was not resampled)."""

    value: float
    draws: F64

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % percentile interval."""
        return percentiles(self.draws)

    def minus(self, other: Estimate) -> Estimate:
        """Return the paired difference of two systems."""
        size = min(self.draws.size, other.draws.size)
        return Estimate(self.value - other.value, self.draws[:size] - other.draws[:size])


def percentiles(draws: F64) -> tuple[float, float] | None:
    """Return the 95 % interval of draws, None where fewer than half of them have a value."""
    finite = draws[np.isfinite(draws)]
    if not draws.size or finite.size * 2 < draws.size:
        return None
    low, high = np.percentile(finite, ((100 - LEVEL) / 2, (100 + LEVEL) / 2))
    return float(low), float(high)


def estimates(columns: Columns, row: Slice, resampler: Resampler) -> dict[str, Estimate]:
    """Return every metric of a row with its draws; metrics over whole pictures only for rows of whole pictures."""
    found: dict[str, Estimate] = {}
    for unit in columns.units:
        if unit.whole and not row.whole:
            continue
        taken = row.taken[unit.members[:, 0]] & row.taken[unit.members[:, 1]]
        for name, (top, bottom) in _sums(unit, taken, columns.pictures).items():
            value = float(top.sum() / bottom.sum()) if bottom.sum() else float("nan")
            with np.errstate(invalid="ignore", divide="ignore"):
                draws = (resampler.weights @ top) / (resampler.weights @ bottom)
            found[name] = Estimate(value, draws)
    if np.isnan(found["miou"].value):  # without a present noun phrase there is nothing to be robust about
        for name in ("riou", "ciou_gres", "ciou_lisa"):
            found.pop(name, None)
    return found | presence_estimates(columns, row, resampler)


def presence_estimates(columns: Columns, row: Slice, resampler: Resampler) -> dict[str, Estimate]:
    """Return calibration error and area under the ROC curve; resampled for rows of whole pictures only."""
    score, truth = columns.presence, columns.present
    draws = min(SLOW_DRAWS, resampler.weights.shape[0]) if row.whole else 0
    values = np.full((2, draws), np.nan)
    index, starts = _by_picture(columns.picture, row.taken, columns.pictures)
    for n in range(draws):
        drawn = np.repeat(np.arange(columns.pictures), resampler.weights[n].astype(np.int64))
        chosen = np.concatenate([index[starts[p] : starts[p + 1]] for p in drawn]) if drawn.size else index
        values[:, n] = (
            m.expected_calibration_error(score[chosen], truth[chosen]),
            m.roc(score[chosen], truth[chosen]).area,
        )
    own = row.taken
    return {
        "ece": Estimate(m.expected_calibration_error(score[own], truth[own]), values[0]),
        "auc": Estimate(m.roc(score[own], truth[own]).area, values[1]),
    }


def _sums(unit: Unit, taken: Bool, pictures: int) -> dict[str, tuple[F64, F64]]:
    """Each term's two sums by picture, f64[P]."""
    where = unit.picture[taken]
    return {
        name: (_by(where, top[taken], pictures), _by(where, bottom[taken], pictures))
        for name, (top, bottom) in unit.terms.items()
    }


def _by_picture(picture: I64, taken: Bool, pictures: int) -> tuple[I64, I64]:
    """Return the row's items ordered by picture, i64[N], and where each picture's begin, i64[P+1]."""
    index = np.flatnonzero(taken)
    index = index[np.argsort(picture[index], kind="stable")]
    return index, np.searchsorted(picture[index], np.arange(pictures + 1))


def _by(where: I64, values: F64, pictures: int) -> F64:
    return np.asarray(np.bincount(where, values, pictures), np.float64)
