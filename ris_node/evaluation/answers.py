# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One model's answers to the evaluation items, reduced to what the metrics count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ris_node.data.evalset import EvalItem
from ris_node.data.readers import read_rgb
from ris_node.errors import CommandError
from ris_node.metrics import counts
from ris_node.pipeline.grounder import Grounder
from ris_node.types import U8, Bool, Query, QueryKind, Status

Progress = Callable[[Iterable[EvalItem]], Iterable[EvalItem]]


@dataclass(frozen=True)
class Scored:
    """An item with one model's answer: counts in pixels of the input image, and the masks' bits for *listens*.

    `hit` says whether the published goal's pixel lies in the true region, None where the item has none; `area` is that
    of the answered mask, and for commands of mask and region together.
    """

    item: EvalItem
    status: Status
    presence: float
    area: int
    intersection: int
    union: int
    region_area: int = 0
    region_intersection: int = 0
    hit: bool | None = None
    bits: bytes = b""
    milliseconds: float = 0.0

    @property
    def found(self) -> bool:
        """Answered PRESENT or AMBIGUOUS."""
        return self.status in (Status.PRESENT, Status.AMBIGUOUS)

    @property
    def refused(self) -> bool:
        """Answered ABSENT (or not answered, for want of anything to ground)."""
        return self.status in (Status.ABSENT, Status.NO_QUERY)

    @property
    def truth_fraction(self) -> float:
        """Share of the picture that the true mask covers."""
        runs = self.item.mask or ()
        return sum(runs[1::2]) / (self.item.width * self.item.height)

    def answer_iou(self, other: Scored) -> float:
        """IoU of two answers' masks to one picture; two empty answers do not overlap."""
        a, b = np.frombuffer(self.bits, np.uint8), np.frombuffer(other.bits, np.uint8)
        union = int(_ONES[a | b].sum())
        return float(_ONES[a & b].sum()) / union if union else 0.0


_ONES = np.array([bin(i).count("1") for i in range(256)], np.int64)


def answer_all(
    grounder: Grounder, items: Sequence[EvalItem], root: Path, progress: Progress | None = None
) -> Iterator[Scored]:
    """Answer every item with a grounder; images are read once per run of items that share one."""
    name, image = "", np.zeros((1, 1, 3), np.uint8)
    for item in progress(items) if progress else items:
        if item.image != name:
            name, image = item.image, read_rgb(root / item.image)
        yield answer(grounder, item, image)


def answer(grounder: Grounder, item: EvalItem, image: U8) -> Scored:
    """Answer one item and count its pixels; a command that the grounder refuses to parse counts as ABSENT."""
    kind = QueryKind.REGION if item.type == "region" else QueryKind.OBJECT
    try:
        grounding = grounder.ground(image, Query(item.text, kind=kind))
    except CommandError:
        empty = np.zeros(image.shape[:2], np.bool_)
        return score(item, Status.ABSENT, 0.0, empty, empty, None)
    return score(item, grounding.status, grounding.presence, grounding.mask, grounding.region_mask, grounding.point,
                 grounding.timing.total)  # fmt: skip


def score(
    item: EvalItem,
    status: Status,
    presence: float,
    mask: Bool,
    region: Bool,
    point: tuple[float, float] | None,
    milliseconds: float = 0.0,
) -> Scored:
    """Count an answer (masks bool[H,W], goal (x, y) in pixels) against an item's truth."""
    truth, region_truth = item.mask_truth(), item.region_truth()
    empty = np.zeros_like(mask)
    inter, union = counts(mask, empty if truth is None else truth)
    hit = None
    if region_truth is not None:
        hit = point is not None and _inside(region_truth, point)
    return Scored(
        item=item,
        status=status,
        presence=presence,
        area=int(np.count_nonzero(mask | region if item.type == "region" else mask)),
        intersection=inter,
        union=union,
        region_area=int(np.count_nonzero(region)),
        region_intersection=int(np.count_nonzero(region & (empty if region_truth is None else region_truth))),
        hit=hit,
        bits=np.packbits(mask).tobytes() if item.present and item.type == "object" else b"",
        milliseconds=milliseconds,
    )


def road_centre_hits(items: Sequence[EvalItem]) -> list[bool]:
    """Whether the middle of the labelled road lies in each true region: pointing without listening or looking."""
    hits = []
    for item in items:
        truth = item.region_truth()
        if item.present and truth is not None:
            hits.append(item.road_point is not None and _inside(truth, item.road_point))
    return hits


def _inside(mask: Bool, point: tuple[float, float]) -> bool:
    x, y = round(point[0]), round(point[1])
    return 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[y, x])
