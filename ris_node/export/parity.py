# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Comparison of two networks or precisions: whether they answer alike, what the other costs, and how long each takes.

`parity` asks both on rendered streets and edge cases, and on real frames where they are there; `Tally` counts answers
beside the truth; `measure` times graphs in turn with each other so that a busy machine slows all alike.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.bundle import Thresholds
from ris_node.config import ModelConfig
from ris_node.data.evalset import EvalItem
from ris_node.errors import BackendError, DataError
from ris_node.export.int8.calibration import calibration_feeds
from ris_node.export.tensorrt.samples import make_samples
from ris_node.metrics.segmentation import mask_iou
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import sigmoid
from ris_node.runtime.base import Array
from ris_node.runtime.ort import OrtSession, session_options
from ris_node.runtime.tensorrt.accept import LEAST_IOU, Parity, Samples, compare
from ris_node.types import F32

REAL_FRAMES = 24


def parity(reference: Path, candidate: Path, bundle: Path, real: int = REAL_FRAMES) -> tuple[str, Parity]:
    """Run two vision graphs on ONNX Runtime and compare them by the limits of the candidate's precision.

    Args:
        reference: the graph that is right, usually in float32.
        candidate: the graph in question.
        bundle: whose text graph and thresholds are used.
        real: frames of the public sets to add, where RIS_DATA has them.

    Returns:
        The candidate's precision, and how they compare.

    Raises:
        BackendError: a graph does not load.
        BundleError: the bundle is damaged.
    """
    samples = real_samples(bundle, real)
    with OrtSession(candidate) as second:
        kind = second.info.precision if second.info.precision in LEAST_IOU else "fp32"
        found = _run(second, samples)
    with OrtSession(reference) as first:
        wanted = _run(first, samples)
    if set(wanted) != set(found):
        raise BackendError(f"{reference} and {candidate} have other outputs: compare graphs of one contract")
    return kind, compare(replace(samples, answers=wanted), found, kind)


def real_samples(bundle: Path, count: int) -> Samples:
    """Return the samples that every engine has to pass, and `count` real frames where RIS_DATA has them."""
    samples = make_samples(bundle)
    config = ModelConfig(backend="onnxruntime", precision="fp32", warmup_iterations=0)
    try:
        with Grounder.open(bundle, model=config) as grounder:
            rows = calibration_feeds(grounder, count) if count else []
    except DataError:
        rows = []
    feeds = {name: np.concatenate([value, *(row[name] for row in rows)]) for name, value in samples.feeds.items()}
    return replace(samples, feeds=feeds)


def _run(session: OrtSession, samples: Samples) -> dict[str, Array]:
    rows = [
        session.run({name: value[index][None] for name, value in samples.feeds.items()})
        for index in range(len(samples))
    ]
    return {name: np.concatenate([row[name] for row in rows]) for name in samples.thresholds}


NAMES = ("fp32", "int8")


class Tally:
    """Counts pairs of raw answers (of float32, of the other) to evaluation items."""

    def __init__(self, thresholds: Thresholds, size: tuple[int, int]) -> None:
        """Count with a bundle's thresholds; `size` is the input's width and height."""
        self._at, self._size = thresholds, size
        self._ious: dict[str, list[float]] = {name: [] for name in NAMES}
        self._hits: dict[str, list[bool]] = {name: [] for name in NAMES}
        self._alike: list[float] = []
        self._found_alike: list[float] = []
        self._same: list[bool] = []

    def add(self, item: EvalItem, exact: Mapping[str, Array], other: Mapping[str, Array]) -> None:
        """Count one item; an answer below the presence threshold is an empty mask, and two of these agree."""
        present = [_chance(out["presence_logit"]) >= self._at.presence for out in (exact, other)]
        which, level = ("region_logits", self._at.region) if item.type == "region" else ("mask_logits", self._at.mask)
        masks = [_map(out[which]) > level for out in (exact, other)]
        shown = [mask & there for mask, there in zip(masks, present, strict=True)]
        self._same.append(present[0] == present[1])
        self._alike.append(mask_iou(*shown))
        if present[0]:
            self._found_alike.append(self._alike[-1])
        box = Letterbox.fit(item.width, item.height, *self._size)
        truth, region = item.mask_truth(), item.region_truth()
        for name, out, there in zip(NAMES, (exact, other), present, strict=True):
            if item.present and item.type == "object" and truth is not None:
                whole = box.restore(_map(out["mask_logits"])) > self._at.mask
                self._ious[name].append(mask_iou(whole, truth) if there else 0.0)
            if item.present and region is not None:
                whole_region = box.restore(_map(out["region_logits"]))
                best = np.unravel_index(int(whole_region.argmax()), whole_region.shape)
                self._hits[name].append(bool(there and region[best]))

    def result(self) -> dict[str, Any]:
        """Return the JSON-ready numbers; `pointing`: whether the likeliest pixel lies in the true region."""
        return {
            "items": len(self._same),
            "miou": {name: _mean(values) for name, values in self._ious.items()},
            "pointing": {name: _mean(values) for name, values in self._hits.items()},
            "mask_iou": _mean(self._alike),
            "mask_iou_where_found": _mean(self._found_alike),
            "same_presence": _mean(self._same),
        }


def _map(logits: Array) -> F32:
    return sigmoid(np.asarray(logits[0], np.float32))


def _chance(logit: Array) -> float:
    return float(sigmoid(np.asarray(logit, np.float32).ravel())[0])


def _mean(values: Any) -> float:
    return round(float(np.mean(values)), 4) if len(values) else 0.0


def measure(graphs: Mapping[str, Path], threads: int, rounds: int = 60, size: tuple[int, int] = (256, 320)) -> Any:
    """Run each graph `rounds` times, interleaved; return milliseconds (p50, p10) by name, and the threads.

    The session options are the node's. With ONNX Runtime's own, the threads of the graph before are still spinning and
    take the cores from the next: that made the bare trunk look two to three times as slow, and its ratio small.

    A dynamic image input is given `size` (rows, columns).
    """
    import onnxruntime

    sessions: dict[str, tuple[Any, dict[str, np.ndarray]]] = {}
    for name, path in graphs.items():
        options = session_options(onnxruntime, threads)  # whose threads do not spin on while another graph runs
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        sessions[name] = session, {i.name: _zeros(i, size) for i in session.get_inputs()}
    times: dict[str, list[float]] = {name: [] for name in sessions}
    for turn in range(rounds + 5):
        for name, (session, feeds) in sessions.items():
            begun = time.perf_counter()
            session.run(None, feeds)
            if turn >= 5:
                times[name].append((time.perf_counter() - begun) * 1e3)
    found = {
        n: {"p50": round(float(np.median(t)), 2), "p10": round(float(np.percentile(t, 10)), 2)}
        for n, t in times.items()
    }
    return {"threads": threads, "rounds": rounds, "milliseconds": found}


def _zeros(tensor: Any, size: tuple[int, int]) -> np.ndarray:
    kinds = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8, "tensor(int64)": np.int64}
    fixed = iter([1, 3, *size])
    static = all(isinstance(d, int) for d in tensor.shape)
    filled = [int(d) if static else next(fixed) for d in tensor.shape]
    return np.zeros(filled, kinds[tensor.type])
