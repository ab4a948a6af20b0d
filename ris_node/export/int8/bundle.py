# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle's INT8: made, given golden answers, measured beside float32, and described in the manifest."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.atomic import replacing
from ris_node.bundle.bundle import VISION_FILES
from ris_node.config import ModelConfig
from ris_node.data.evalset import EvalItem
from ris_node.data.pictures import read_rgb
from ris_node.errors import CommandError
from ris_node.export.int8.calibration import calibration_feeds, feed
from ris_node.export.int8.quantize import Quantised, quantise
from ris_node.export.manifest import read_manifest, write_manifest
from ris_node.export.parity import Tally, measure
from ris_node.pipeline.grounder import Grounder
from ris_node.runtime.base import Session
from ris_node.runtime.ort import OrtSession
from ris_node.runtime.self_check import GOLDEN, Golden
from ris_node.types import Query, QueryKind

log = logging.getLogger(__name__)
FILES = {"cpu": VISION_FILES["int8"], "tensorrt": VISION_FILES["int8-trt"]}
LIMITS = {"miou_drop": 0.015, "pointing_drop": 0.02, "mask_iou": 0.95, "same_presence": 0.98}
GOLDEN_COMMANDS = ("the car", "stop next to the red car", "the pedestrian on the left", "the elephant")


def quantise_bundle(
    folder: Path, target: str, frames: int = 128, images: Path | None = None, keep: Sequence[str] = ()
) -> Quantised:
    """Make a bundle's INT8 graph for a target, and for the CPU the golden answers; the manifest then lists them.

    Raises:
        ExportError: the bundle's float32 graph cannot be quantised.
        BundleError: the bundle is damaged.
    """
    config = ModelConfig(model_dir=str(folder), backend="onnxruntime", precision="fp32", warmup_iterations=0)
    with Grounder.open(model=config) as grounder:
        feeds = calibration_feeds(grounder, frames, images)
        done = quantise(folder / VISION_FILES["fp32"], folder / FILES[target], feeds, target, keep)
        if target == "cpu":
            write_golden(grounder, folder)
    manifest = read_manifest(folder)
    write_manifest(folder, replace(manifest, int8={} if target == "cpu" else manifest.int8))
    return done


def write_golden(grounder: Grounder, folder: Path) -> None:
    """Ask the INT8 graph rendered streets, and write what it answers on this machine."""
    from ris_scene import CameraSpec, SceneSpec, render_scene

    contract = grounder.bundle.manifest.input
    camera = CameraSpec(contract.width // 2, contract.height // 2)
    images = [render_scene(SceneSpec("train", seed=7000 + i, camera=camera)).image for i in range(len(GOLDEN_COMMANDS))]
    rows = [feed(grounder, image, text) for image, text in zip(images, GOLDEN_COMMANDS, strict=True)]
    names = [name for name in rows[0] if name != "image"]
    feeds = {name: np.stack([row[name][0] for row in rows]).astype(np.float16) for name in names}
    golden = Golden(np.stack(images), feeds, {})
    with OrtSession(folder / VISION_FILES["int8"], num_threads=1) as session:
        given = [session.run(golden.feed(index)) for index in range(len(golden))]
    answers = {name: np.stack([row[name][0] for row in given]) for name in given[0]}
    with replacing(folder / GOLDEN) as part:
        Golden(golden.images, feeds, answers).save(part)


def measure_int8(folder: Path, items: Sequence[EvalItem], root: Path, rounds: int = 60) -> dict[str, Any]:
    """Measure a bundle's INT8 against its float32 on evaluation items, and write the result into the manifest.

    `kept` says that all of `LIMITS` hold: then INT8 is the CPU's default.
    """
    paths = {name: folder / VISION_FILES[name] for name in ("fp32", "int8")}
    with OrtSession(paths["fp32"]) as exact, OrtSession(paths["int8"]) as rounded:
        found = _compare(folder, exact, rounded, items, root)
    times = measure(paths, threads=2, rounds=rounds)["milliseconds"]
    found["milliseconds"] = times
    found["faster"] = round(times["fp32"]["p50"] / times["int8"]["p50"], 2)
    found["limits"] = LIMITS
    found["kept"] = (
        found["miou"]["fp32"] - found["miou"]["int8"] <= LIMITS["miou_drop"]
        and found["pointing"]["fp32"] - found["pointing"]["int8"] <= LIMITS["pointing_drop"]
        and found["mask_iou"] >= LIMITS["mask_iou"]
        and found["same_presence"] >= LIMITS["same_presence"]
    )
    manifest = read_manifest(folder)
    write_manifest(folder, replace(manifest, int8=found))
    return found


def _compare(folder: Path, exact: Session, rounded: Session, items: Sequence[EvalItem], root: Path) -> dict[str, Any]:
    config = ModelConfig(backend="onnxruntime", precision="fp32", warmup_iterations=0)
    name, image = "", np.zeros((1, 1, 3), np.uint8)
    with Grounder.open(folder, model=config) as grounder:
        manifest = grounder.bundle.manifest
        tally = Tally(manifest.thresholds, (manifest.input.width, manifest.input.height))
        for item in items:
            if item.image != name:
                name, image = item.image, read_rgb(root / item.image, (item.width, item.height))
            kind = QueryKind.REGION if item.type == "region" else QueryKind.OBJECT
            try:
                inputs = feed(grounder, image, Query(item.text, kind=kind))
            except CommandError:
                continue
            tally.add(item, exact.run(inputs), rounded.run(inputs))
    return tally.result()
