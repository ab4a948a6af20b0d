# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures and commands that every new engine has to answer as ONNX Runtime does in float32.

Rendered streets, for an engine is built on robots that have no data set; and the edges: black, saturated, a picture of
another shape, one word, more words than fit, an absent thing. Noise alone would hide an overflow.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from ris_node.bundle import open_bundle
from ris_node.config import ModelConfig
from ris_node.pipeline.grounder import Grounder
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import vision_feeds
from ris_node.runtime.base import Array
from ris_node.runtime.tensorrt.accept import Samples
from ris_node.types import U8

_STREETS = (  # a rendered street costs more than all its questions
    ("the car", "the road", "stop next to the red car", "the pedestrian on the left"),
    ("the nearest tree", "pull over on the right", "the white van in front", "the traffic light"),
    ("park behind the blue car", "the cyclist on the right side of the street"),
)
_LONG = "the " + "very " * 40 + "large car beside the second tree on the left side of the road"


def make_samples(bundle_dir: Path | str) -> Samples:
    """Return feeds for a bundle's vision graph and its float32 answers on the CPU; about two seconds."""
    config = ModelConfig(backend="onnxruntime", precision="fp32", num_threads=1, warmup_iterations=0)
    with Grounder.open(open_bundle(bundle_dir).path, model=config) as grounder:
        feeds = [_feeds(grounder, image, command) for image, command in _pairs()]
        answers = [grounder.vision.session.run(feed) for feed in feeds]
        marks = grounder.bundle.manifest.thresholds
    return Samples(
        _stack(feeds),
        _stack(answers),
        {
            "mask_logits": _logit(marks.mask),
            "region_logits": _logit(marks.region),
            "presence_logit": _logit(marks.presence),
        },
    )


@cache
def _pairs() -> tuple[tuple[U8, str], ...]:
    """The pictures and commands, rendered once in a process: that takes longer than the answers."""
    return tuple(_made_pairs())


def _made_pairs() -> Iterator[tuple[U8, str]]:
    from ris_scene import CameraSpec, SceneSpec, render_scene

    for number, commands in enumerate(_STREETS):
        image = render_scene(SceneSpec("train", seed=9000 + number, camera=CameraSpec(320, 240))).image
        yield from ((image, command) for command in commands)
    wide = render_scene(SceneSpec("train", seed=9100, camera=CameraSpec(480, 160))).image
    yield wide, "the car on the left"
    yield wide, "car"
    yield wide, _LONG
    yield wide, "the elephant"
    yield np.zeros((240, 320, 3), np.uint8), "the car"
    yield np.full((240, 320, 3), 255, np.uint8), "stop behind the bus"


def _feeds(grounder: Grounder, image: U8, command: str) -> dict[str, Array]:
    contract = grounder.bundle.manifest.input
    height, width = image.shape[:2]
    box = Letterbox.fit(width, height, contract.width, contract.height, contract.pad_value)
    return vision_feeds(box.image(np.ascontiguousarray(image)), grounder.prepare(command).features)


def _stack(rows: list[dict[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1.0 - 1e-6)
    return float(np.log(bounded / (1.0 - bounded)))
