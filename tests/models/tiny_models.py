# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A TSMI small enough for tests, over a made-up trunk, and pictures of drawn shapes for it."""

from __future__ import annotations

import numpy as np
import torch

from ris_node.models.systems.tsmi import Tsmi, TsmiConfig
from ris_node.models.trunk import NodeSpec, TrunkSpec
from ris_node.training.inputs.items import TrainingItem

HEIGHT, WIDTH = 64, 96


def _conv(reads: str, made: str, inputs: int, outputs: int, stride: int) -> list[NodeSpec]:
    numbers = {
        "in": inputs, "out": outputs, "kernel": [3, 3], "stride": [stride, stride], "padding": [1, 1],
        "dilation": [1, 1], "groups": 1, "bias": True,
    }  # fmt: skip
    return [NodeSpec("Conv", (reads,), f"{made}c", numbers), NodeSpec("Relu", (f"{made}c",), made, {})]


def graph() -> TrunkSpec:
    nodes = [
        *_conv("image", "s2", 3, 8, 2), *_conv("s2", "s4", 8, 8, 2), *_conv("s4", "s8", 8, 16, 2),
        *_conv("s8", "s16", 16, 24, 2), *_conv("s16", "deep", 24, 24, 1),
    ]  # fmt: skip
    return TrunkSpec("image", tuple(nodes))


SETTINGS = {
    "height": HEIGHT, "width": WIDTH, "text_width": 32, "text_layers": 1, "fine_width": 16, "token_width": 32,
    "pixel_width": 16, "heads": 2, "layers": 1, "memory": 4, "dropout": 0.0, "books": [6, 5, 3], "semantics": 4,
    "tap4": "s4", "tap8": "s8",
    "tap16": "s16", "deep": ["deep"], "tap_scales": [1.0, 1.0, 1.0, 1.0],
}  # fmt: skip


def config(**changes: object) -> TsmiConfig:
    values = {**SETTINGS, **changes}
    return TsmiConfig(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})


def model(**changes: object) -> Tsmi:
    torch.manual_seed(0)
    return Tsmi(config(**changes), graph())


COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220)}


def shapes(seed: int) -> TrainingItem:
    """A red and a blue square on grey: "the red square", "the left square", and an absent green one."""
    rng = np.random.default_rng(seed)
    image = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    masks = [np.zeros((HEIGHT // 4, WIDTH // 4), np.uint8)]
    names = ["red", "blue"] if seed % 2 else ["blue", "red"]
    for name, x in zip(names, (8, 56), strict=True):
        y = int(rng.integers(0, 8)) * 4
        image[y : y + 32, x : x + 32] = COLOURS[name]
        mask = masks[0].copy()
        mask[y // 4 : y // 4 + 8, x // 4 : x // 4 + 8] = 255
        masks.append(mask)
    at = [1 + names.index("red"), 1 + names.index("blue"), 1, 2, 0, 1]
    maps = np.stack(masks)
    coarse = maps.reshape(3, HEIGHT // 8, 2, WIDTH // 8, 2).mean((2, 4)).astype(np.uint8)
    classes = (maps[1:].argmax(0) + 1) * (maps.max(0) > 0)
    there = coarse.max(0) > 127
    objects = np.zeros((4, *there.shape), np.float32)
    for own in coarse[1:]:
        y, x = np.nonzero(own > 127)
        like = ((x.mean() + 0.5) / own.shape[1], (y.mean() + 0.5) / own.shape[0], (y.max() + 1) / own.shape[0])
        objects[:, own > 127] = np.array([*(2 * v - 1 for v in like), 1.0], np.float32)[:, None]
    texts = (
        "the red square",
        "the blue square",
        "the square on the left",
        "the right square",
        "the green one",
        "stop left",
    )
    return TrainingItem(
        image=image,
        texts=texts,
        kinds=("colour", "colour", "order", "order", "absent", "region"),
        masks=maps,
        regions=maps,
        kind_maps=coarse,
        mask_at=np.array(at, np.int32),
        region_at=np.array([0, 0, 0, 0, 0, 1], np.int32),
        kind_at=np.array(at, np.int32),
        presence=np.array([1, 1, 1, 1, 0, 1], np.uint8),
        has_mask=np.array([1, 1, 1, 1, 1, 0], np.uint8),
        has_region=np.array([0, 0, 0, 0, 0, 1], np.uint8),
        meanings=np.array([[1, 0, 0], [2, 0, 0], [-1, 1, 0], [-1, 2, 0], [3, 0, 0], [-1, -1, 1]], np.int32),
        classes=classes.astype(np.uint8),
        objects=objects,
        object_there=there.astype(np.uint8),
    )
