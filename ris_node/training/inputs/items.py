# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Training item: a picture with its expressions at the network's scale, as the sample cache keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.pipeline.letterbox import Letterbox
from ris_node.types import F32, I32, U8, Bool


@dataclass(frozen=True, kw_only=True)
class TrainingItem:
    """One variant of a picture: `image` u8[H,W,3] letterboxed; per expression a text, its kind and soft maps.

    `masks` u8[a,H/4,W/4], `regions` u8[b,H/4,W/4] and `kind_maps` u8[c,H/8,W/8] hold coverage times 255, the first
    of each empty; `mask_at`, `region_at` and `kind_at` i32[n] say which is whose (`kind_at` -1: not known).
    `presence` u8[n] is 1 or 0; `has_mask` and `has_region` u8[n] say which truths are known (an empty one may be).
    `meanings` i32[n,3] are those of `labels.meaning_of`. Whatever the text: `classes` u8[H/4,W/4] (0: not known) and,
    per stride-8 cell, attributes of its object, `objects` f32[4,H/8,W/8] as in `models/batch.py`, where
    `object_there` u8[H/8,W/8] is 1.
    """

    image: U8
    texts: tuple[str, ...]
    kinds: tuple[str, ...]
    masks: U8
    regions: U8
    kind_maps: U8
    mask_at: I32
    region_at: I32
    kind_at: I32
    presence: U8
    has_mask: U8
    has_region: U8
    meanings: I32
    classes: U8
    objects: F32
    object_there: U8


def coverage(letterbox: Letterbox, mask: Bool, stride: int) -> U8:
    """Return the share of each stride x stride cell of the input that a mask bool[H,W] of the source covers, x 255."""
    box = letterbox
    content = cv2.resize(
        mask.astype(np.uint8) * 255, (box.content_width, box.content_height), interpolation=cv2.INTER_AREA
    )
    full = np.zeros((box.height, box.width), np.uint8)
    full[box.top : box.top + box.content_height, box.left : box.left + box.content_width] = content
    small = cv2.resize(full, (box.width // stride, box.height // stride), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def random_view(picture: Annotated, rng: np.random.Generator, first: bool) -> Annotated:
    """Return a mirrored and cropped view of a picture; the first view of each keeps the whole picture."""
    if rng.random() < 0.5:
        picture = picture.flipped()
    if first or rng.random() < 0.25:
        return picture
    height, width = picture.height, picture.width
    area, aspect = rng.uniform(0.35, 1.0), np.exp(rng.uniform(np.log(1.0), np.log(1.8)))
    crop_w = min(width, int(np.sqrt(area * height * width * aspect)))
    crop_h = min(height, int(np.sqrt(area * height * width / aspect)))
    x0, y0 = int(rng.integers(0, width - crop_w + 1)), int(rng.integers(0, height - crop_h + 1))
    return picture.cropped(x0, y0, x0 + crop_w, y0 + crop_h)


def jitter(image: U8, rng: np.random.Generator) -> U8:
    """Change brightness, contrast, saturation, sharpness and noise; hues hardly, so that colour words stay true."""
    x = image.astype(np.float32)
    if rng.random() < 0.5:
        cast = rng.uniform(0.94, 1.06, 3).astype(np.float32)
        x = 255.0 * (x / 255.0) ** np.float32(np.exp(rng.uniform(-0.35, 0.35))) * cast
    if rng.random() < 0.15:  # as a cheaper camera, or one farther away, would have seen it
        scale = rng.uniform(0.5, 0.9)
        less = cv2.resize(x, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        x = np.asarray(cv2.resize(less, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_LINEAR), np.float32)
    mean = x.mean()
    x = (x - mean) * rng.uniform(0.75, 1.25) + mean * rng.uniform(0.75, 1.25)
    grey = x.mean(2, keepdims=True)
    x = grey + (x - grey) * rng.uniform(0.8, 1.25)
    if rng.random() < 0.3:
        x += rng.normal(0.0, rng.uniform(2.0, 8.0), x.shape).astype(np.float32)
    if rng.random() < 0.2:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.4, 1.0))
    return np.asarray(np.clip(x, 0, 255), np.uint8)


def choose(item: TrainingItem, count: int, weights: dict[str, float], rng: np.random.Generator) -> list[int]:
    """Choose `count` expressions, kinds by weight, without repeats while there are enough."""
    by_kind: dict[str, list[int]] = {}
    for index in rng.permutation(len(item.texts)).tolist():
        by_kind.setdefault(item.kinds[index], []).append(index)
    chosen: list[int] = []
    while len(chosen) < count:
        left = [kind for kind, items in by_kind.items() if items and weights.get(kind, 1.0) > 0]
        if not left:
            break
        chance = np.array([weights.get(kind, 1.0) for kind in left])
        chosen.append(by_kind[left[int(rng.choice(len(left), p=chance / chance.sum()))]].pop())
    repeats: Sequence[int] = chosen or [0]
    while len(chosen) < count:
        chosen.append(repeats[int(rng.integers(len(repeats)))])
    return chosen
