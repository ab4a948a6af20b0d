# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The range of each tensor over real inputs that rounding to 256 steps hurts least.

First the extremes, then a histogram between them; then the clipping with the smallest mean squared error is searched
for: a single outlier widens all the steps, and losing it costs less.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from onnx import ModelProto

from ris_node.export.onnx_edit import Array

BINS = 2048
MOST_VALUES = 1 << 15  # of one tensor and input: enough for a histogram
_KEEP = np.linspace(1.0, 0.2, 33)  # shares of the extremes that are tried


Feeds = Sequence[dict[str, Array]]


def observe(model: ModelProto, names: Sequence[str], feeds: Feeds, see: Callable[[str, Array], None]) -> None:
    """Run a float32 model on every feed and show `see` each named tensor's value."""
    import onnx
    import onnxruntime

    if not names:  # ONNX Runtime takes no names as all outputs
        return
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    known = {output.name for output in watched.graph.output}
    watched.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.intra_op_num_threads = 1  # two that wait for each other are many times slower on a busy machine
    session = onnxruntime.InferenceSession(watched.SerializeToString(), options, providers=["CPUExecutionProvider"])
    for feed in feeds:
        for name, value in zip(names, session.run(list(names), feed), strict=True):
            see(name, value)


def channel_maxima(model: ModelProto, names: Sequence[str], feeds: Feeds) -> dict[str, Array]:
    """Return the largest absolute value of each channel of maps [1,C,H,W] over all feeds: name -> f32[C]."""
    found: dict[str, Array] = {}

    def see(name: str, value: Array) -> None:
        here = np.abs(value).max((0, 2, 3))
        found[name] = np.maximum(found[name], here) if name in found else here

    observe(model, names, feeds, see)
    return found


def best_ranges(
    model: ModelProto, names: Sequence[str], feeds: Feeds, symmetric: bool
) -> dict[str, tuple[float, float]]:
    """Return for each tensor the range (low, high), 0 in it, of the least mean squared rounding error.

    Args:
        model: a float32 model.
        names: tensors to look at.
        feeds: real inputs.
        symmetric: low = -high, in 255 steps; else 256 steps, and 0 is one of them.
    """
    ends: dict[str, tuple[float, float]] = {}

    def widen(name: str, value: Array) -> None:
        low, high = ends.get(name, (0.0, 0.0))
        ends[name] = min(low, float(value.min())), max(high, float(value.max()))

    observe(model, names, feeds, widen)
    counts = {name: np.zeros(BINS) for name in names}

    def count(name: str, value: Array) -> None:
        low, high = ends[name]
        flat = value.ravel()
        flat = flat[:: max(1, flat.size // MOST_VALUES)]
        place = (flat - low) * (BINS / max(high - low, 1e-12))
        counts[name] += np.bincount(np.clip(place, 0, BINS - 1).astype(np.int64), minlength=BINS)

    observe(model, names, feeds, count)
    return {name: _search(counts[name], *ends[name], symmetric) for name in names}


def _search(counts: Array, low: float, high: float, symmetric: bool) -> tuple[float, float]:
    middles = low + (np.arange(BINS) + 0.5) * (high - low) / BINS
    if high - low < 1e-9:
        return low, max(high, low + 1e-6)
    if symmetric:
        most = max(-low, high)
        return min(((-most * k, most * k) for k in _KEEP), key=lambda ends: _error(counts, middles, ends, 254))
    best = (low, high)
    for _ in range(2):  # one end after the other, twice: the error is nearly separable
        best = _best(counts, middles, ((best[0], high * k) for k in (_KEEP if high > 0 else (1.0,))))
        best = _best(counts, middles, ((low * k, best[1]) for k in (_KEEP if low < 0 else (1.0,))))
    return best


def _best(counts: Array, middles: Array, choices: Iterable[tuple[float, float]]) -> tuple[float, float]:
    return min(choices, key=lambda ends: _error(counts, middles, ends, 255))


def _error(counts: Array, middles: Array, ends: tuple[float, float], steps: int) -> float:
    low, high = ends
    step = max(high - low, 1e-12) / steps
    zero = np.round(low / step)  # 0 falls on a step
    rounded = np.clip(np.round(middles / step), zero, zero + steps) * step
    return float((counts * (rounded - middles) ** 2).sum())
