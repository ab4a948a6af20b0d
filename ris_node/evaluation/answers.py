# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Answers of any system to evaluation items, as lines of JSON and as the counts of the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np

from ris_node.data.evalset import EvalItem
from ris_node.errors import DataError
from ris_node.metrics.segmentation import best_rank
from ris_node.pipeline.grounding import Grounding
from ris_node.rle import decode_rle, encode_rle
from ris_node.types import F32, Bool, Status

NO_RANK = -1  # the system gives a map of the region, but none for this answer
Runs = tuple[int, ...]


@dataclass(frozen=True)
class Prediction:
    """Answer of one system to one item, at the image's own size.

    `mask` and `region` are run lengths, None where empty; `point` is the goal's pixel (x, y); `rank` is the place of
    the true region's best pixel in the map of where to go, NO_RANK without an answer, None where no map is known.
    """

    id: str
    status: Status
    presence: float
    _: KW_ONLY
    mask: Runs | None = None
    region: Runs | None = None
    point: tuple[float, float] | None = None
    rank: int | None = None

    def to_line(self) -> dict[str, Any]:
        """Return a line of predictions as `ris predict --manifest` writes it, with status and rank beside it."""
        found = self.status in (Status.PRESENT, Status.AMBIGUOUS)
        return {"id": self.id, "present": found, "presence": self.presence, "mask": self.mask, "region": self.region,
                "point": self.point, "status": self.status.name, "rank": self.rank}  # fmt: skip

    @classmethod
    def from_line(cls, line: Mapping[str, Any]) -> Prediction:
        """Read a line of predictions.

        Without a "status", a line that is not present and yet gives a mask or a region is read as UNCERTAIN, which is
        what `ris predict` writes so; without either it says ABSENT.

        Raises:
            KeyError, TypeError, ValueError: a field is missing or of another type.
        """
        mask, region = (None if line.get(k) is None else tuple(line[k]) for k in ("mask", "region"))
        if line.get("status") is not None:
            status = Status[line["status"]]
        elif line["present"]:
            status = Status.PRESENT
        else:
            status = Status.ABSENT if mask is None and region is None else Status.UNCERTAIN
        point = line.get("point")
        rank = line.get("rank")
        presence = float(line.get("presence", 1.0 if line["present"] else 0.0))
        if not 0.0 <= presence <= 1.0:
            raise ValueError(f"presence is {presence}: give 0 to 1")
        return cls(
            id=str(line["id"]),
            status=status,
            presence=presence,
            mask=mask,
            region=region,
            point=None if point is None else (float(point[0]), float(point[1])),
            rank=None if rank is None else int(rank),
        )


def answer_of(item: EvalItem, grounding: Grounding) -> Prediction:
    """Return the prediction of a grounding."""
    mask, region = grounding.mask, grounding.region_mask
    truth = item.region_truth() if item.present else None
    return Prediction(
        id=item.id,
        status=grounding.status,
        presence=float(grounding.presence),
        mask=tuple(encode_rle(mask)) if mask.any() else None,
        region=tuple(encode_rle(region)) if region.any() else None,
        point=grounding.point,
        rank=None if truth is None else _rank(region_map(grounding), truth),
    )


def region_map(grounding: Grounding) -> F32 | None:
    """Return the logits f32[H,W] of where to go, at the image's size; None without an answer."""
    planes = grounding.planes
    if planes is None or planes.region_logits is None:
        return None
    return np.asarray(planes.box.restore(planes.region_logits), np.float32)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """An item with one system's answer, counted in pixels of the input image.

    `raw_*` count what was given as the mask whatever the verdict; `intersection`, `union` and `area` count an answer
    ABSENT as empty. `area` is that of the mask, and for commands of mask and region together. `hit` says whether the
    goal's pixel lies in the true region, None where the item has none.
    """

    item: EvalItem
    answer: Prediction
    area: int
    intersection: int
    union: int
    raw_area: int
    raw_intersection: int
    region_area: int = 0
    region_intersection: int = 0
    hit: bool | None = None

    @property
    def found(self) -> bool:
        """Whether the answer is PRESENT or AMBIGUOUS."""
        return self.answer.status in (Status.PRESENT, Status.AMBIGUOUS)

    @property
    def refused(self) -> bool:
        """Whether the answer is ABSENT (or there is none, for want of anything to ground)."""
        return self.answer.status in (Status.ABSENT, Status.NO_QUERY, Status.ERROR)

    @property
    def truth_area(self) -> int:
        """Pixels of the true mask."""
        return sum((self.item.mask or ())[1::2])

    @property
    def region_union(self) -> int:
        """Pixels of the true and the answered region together."""
        return sum((self.item.region or ())[1::2]) + self.region_area - self.region_intersection

    @property
    def iou(self) -> float:
        """IoU of the mask with the truth, 0 where both are empty."""
        return self.intersection / self.union if self.union else 0.0

    def mask(self) -> Bool:
        """Return the answered mask bool[H,W]; empty for an answer ABSENT."""
        return _decode(None if self.refused else self.answer.mask, self.item)

    def region(self) -> Bool:
        """Return the answered region bool[H,W]; empty for an answer ABSENT."""
        return _decode(None if self.refused else self.answer.region, self.item)


def score(item: EvalItem, answer: Prediction) -> Scored:
    """Count an answer against an item's truth.

    Raises:
        DataError: the answer's run lengths are not of the item's size.
    """
    truth, region_truth = item.mask_truth(), item.region_truth()
    raw = _decode(answer.mask, item)
    empty = np.zeros_like(raw)
    silent = answer.status in (Status.ABSENT, Status.NO_QUERY, Status.ERROR)
    mask, region = (empty, empty) if silent else (raw, _decode(answer.region, item))
    truth = empty if truth is None else truth
    inside = 0 if region_truth is None else int(np.count_nonzero(region & region_truth))
    hit = None
    if region_truth is not None:
        hit = answer.point is not None and not silent and contains(region_truth, answer.point)
    return Scored(
        item=item,
        answer=answer,
        area=int(np.count_nonzero(mask | region if item.type == "region" else mask)),
        intersection=int(np.count_nonzero(mask & truth)),
        union=int(np.count_nonzero(mask | truth)),
        raw_area=int(np.count_nonzero(raw)),
        raw_intersection=int(np.count_nonzero(raw & truth)),
        region_area=int(np.count_nonzero(region)),
        region_intersection=inside,
        hit=hit,
    )


def contains(mask: Bool, point: tuple[float, float]) -> bool:
    """Return whether the pixel nearest to a point (x, y) is set in a mask bool[H,W]."""
    x, y = round(point[0]), round(point[1])
    return 0 <= y < mask.shape[0] and 0 <= x < mask.shape[1] and bool(mask[y, x])


def _decode(runs: Runs | None, item: EvalItem) -> Bool:
    if runs is None:
        return np.zeros((item.height, item.width), np.bool_)
    try:
        return decode_rle(runs, item.height, item.width)
    except DataError as error:
        raise DataError(f"the answer to {item.id!r}: {error}") from error


def _rank(logits: F32 | None, truth: Bool) -> int:
    found = None if logits is None else best_rank(logits, truth)
    return NO_RANK if found is None else found
