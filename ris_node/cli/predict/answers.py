# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Groundings as JSON-ready dictionaries: the batch line, and the fuller answer for one picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ris_node.report.values import finite
from ris_node.rle import encode_rle
from ris_node.types import Bool, Instance, QueryKind, RegionTarget, Status

if TYPE_CHECKING:
    from ris_node.pipeline.grounding import Grounding

FOUND = (Status.PRESENT, Status.AMBIGUOUS)


def batch_line(item_id: str | int | float, grounding: Grounding, kind: QueryKind) -> dict[str, Any]:
    """Return one line of `ris predict --manifest`: masks as run lengths, null where empty."""
    return {
        "id": item_id,
        "present": grounding.status in FOUND,
        "presence": finite(grounding.presence, 4) or 0.0,
        "mask": _rle(grounding.mask),
        "region": _rle(grounding.region_mask) if kind is QueryKind.REGION else None,
        "point": numbers(grounding.point) if grounding.point is not None else None,
        "size": [grounding.width, grounding.height],
    }


def full_answer(grounding: Grounding) -> dict[str, Any]:
    """Return everything known about one answer except the masks, which are written as pictures."""
    return {
        "text": grounding.query.text,
        "status": grounding.status.name,
        "presence": finite(grounding.presence, 4),
        "point": numbers(grounding.point) if grounding.point is not None else None,
        "instances": [_instance(instance) for instance in grounding.instances],
        "target": _target(grounding.target) if grounding.target is not None else None,
        "width": grounding.width,
        "height": grounding.height,
        "milliseconds": {name: finite(value, 4) for name, value in vars(grounding.timing).items()},
        "model": grounding.model_id,
        "message": grounding.message,
    }


def numbers(values: Any, digits: int = 2) -> list[float | None]:
    """Return `finite` of each value."""
    return [finite(value, digits) for value in values]


def _rle(mask: Bool) -> list[int] | None:
    return encode_rle(mask) if mask.any() else None


def _instance(instance: Instance) -> dict[str, Any]:
    return {
        "id": instance.instance_id,
        "label": instance.label,
        "score": finite(instance.score, 4),
        "box": [int(value) for value in instance.box],
        "centroid": numbers(instance.centroid),
        "area_fraction": finite(instance.area_fraction, 6),
        "outline": [numbers(point, 1) for point in instance.outline],
    }


def _target(target: RegionTarget) -> dict[str, Any]:
    """A target in metres; standard deviations are of (x, y) and yaw."""
    return {
        "status": target.status.name,
        "frame": target.frame_id,
        "position_m": numbers(target.position, 3),
        "yaw_rad": finite(target.yaw, 4),
        "extent_m": numbers(target.extent),
        "footprint_m": [numbers(point, 3) for point in target.footprint],
        "deviation": [finite(math.sqrt(max(0.0, target.covariance[i, i])), 4) for i in (0, 1, 5)],
        "valid_fraction": finite(target.valid_fraction, 4),
        "score": finite(target.score, 4),
        "message": target.message,
    }
