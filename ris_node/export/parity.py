# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Do two networks answer alike? On rendered streets and edge cases, and on real frames where they are there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from ris_node.config import ModelConfig
from ris_node.errors import BackendError, DataError
from ris_node.export.int8.calibration import calibration_feeds
from ris_node.export.tensorrt.samples import make_samples
from ris_node.pipeline.grounder import Grounder
from ris_node.runtime.base import Array
from ris_node.runtime.ort import OrtSession
from ris_node.runtime.tensorrt.accept import LEAST_IOU, Parity, Samples, compare

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
