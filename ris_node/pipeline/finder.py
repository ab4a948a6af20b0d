# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""From a model's logits to a verdict, pieces and a target."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ris_node.bundle.manifest import Thresholds
from ris_node.config import OutputConfig, RegionConfig
from ris_node.language.parse import ParsedCommand
from ris_node.pipeline.grounding import Grounding, Planes, probability
from ris_node.pipeline.instances import Pieces, find_pieces
from ris_node.pipeline.letterbox import STRIDE, Letterbox
from ris_node.pipeline.segmenter import RawAnswer, logit, sigmoid
from ris_node.pipeline.verdict import Limits, by_presence, judge
from ris_node.targets.pixels import interior_point, likeliest_point
from ris_node.targets.region import TargetRequest, region_target
from ris_node.types import F32, Frame, QueryKind, RegionTarget, Status, TargetStatus

TARGET_SIDE = 640  # pixels; larger images are looked at in this size when a region is put on the ground
INSIDE_SIDE = 192  # pixels; a larger piece's most interior pixel is sought in steps


class Finder:
    """Applies the thresholds and policies in force to one answer of a model."""

    def __init__(self, output: OutputConfig, region: RegionConfig, thresholds: Thresholds) -> None:
        """Fix what is in force."""
        self._output = output
        self._region = region
        self._limits = Limits.of(output, thresholds)

    def find(self, blank: Grounding, frame: Frame, command: ParsedCommand, raw: RawAnswer, box: Letterbox) -> Grounding:
        """Judge the output of a model for `frame`, find its pieces and its target, and fill in `blank` with them."""
        presence = 1.0 / (1.0 + math.exp(-min(max(raw.presence_logit, -60.0), 60.0)))
        status = by_presence(presence, self._limits, command.kind)
        if status == Status.ABSENT:
            return replace(blank, status=status, presence=presence, message="it is not in the picture")
        pieces = self._pieces(raw.mask_logits, self._limits.mask, box, command.label)
        wants_region = command.kind == QueryKind.REGION
        region = self._pieces(raw.region_logits, self._limits.region, box, "region") if wants_region else Pieces()
        verdict = judge(command, status, pieces, region, frame.width)
        found = replace(blank, status=verdict.status, presence=presence, message=verdict.message)
        if verdict.status == Status.ABSENT:
            return found
        planes = Planes(box, raw.mask_logits, pieces, raw.region_logits if wants_region else None, region)
        message, target, point = verdict.message, None, None
        if verdict.status == Status.PRESENT and wants_region and region.instances:
            target, point = self._target(frame, command, planes)
            if target is not None and target.status != TargetStatus.OK:
                message = target.message
        elif verdict.status == Status.PRESENT and not wants_region:
            point = _inside(pieces)
        return replace(found, instances=pieces.instances, message=message, target=target, point=point, planes=planes)

    def _pieces(self, logits: np.ndarray, threshold: float, box: Letterbox, label: str) -> Pieces:
        return find_pieces(
            box,
            logits,
            logit(threshold),
            min_area_fraction=self._limits.min_area_fraction,
            max_instances=self._output.max_instances,
            label=label,
        )

    def _target(
        self, frame: Frame, command: ParsedCommand, planes: Planes
    ) -> tuple[RegionTarget | None, tuple[float, float] | None]:
        """Return the target on the ground where the camera is known, and its pixel."""
        assert planes.region_logits is not None
        if frame.camera is None:
            return None, _likeliest(planes.box, planes.region_logits, self._limits.region, planes.region_pieces)
        scale = min(1.0, TARGET_SIDE / max(frame.width, frame.height))
        size = max(1, round(frame.width * scale)), max(1, round(frame.height * scale))
        logits = planes.box.restore(planes.region_logits, size)
        region = logits > logit(self._limits.region)
        obstacle = planes.box.restore(planes.mask_logits, size) > logit(self._limits.mask)
        obstacle &= not command.stuff
        request = TargetRequest(region, probability(logits), obstacle, frame, command.manoeuvre)
        target = region_target(request, self._region)
        return target, target.goal_pixel if target.status == TargetStatus.OK else None


def _likeliest(box: Letterbox, logits: F32, level: float, pieces: Pieces) -> tuple[float, float] | None:
    """Return the pixel (x, y) of a region around which the most probability lies; one on its mask in any case.

    `logits` f32[H/4,W/4] are cut at the probability `level` into `pieces`.
    """
    rows, columns = box.cells
    found = likeliest_point(sigmoid(np.ascontiguousarray(logits[rows, columns])), level)
    if found is None:
        return _inside(pieces)
    in_input = (np.array([found]) + 0.5) * STRIDE - 0.5 + (box.left, box.top)
    x, y = (float(v) for v in box.to_source(in_input)[0])
    row, column = round(y) - pieces.y, round(x) - pieces.x
    inside = 0 <= row < pieces.ids.shape[0] and 0 <= column < pieces.ids.shape[1] and pieces.ids[row, column] > 0
    return (x, y) if inside else _inside(pieces)


def _inside(pieces: Pieces) -> tuple[float, float] | None:
    """Return the most interior pixel (x, y) of the largest piece; a large piece is sampled in steps."""
    if not pieces.instances:
        return None
    left, top, width, height = pieces.instances[0].box
    step = 1 + max(width, height) // INSIDE_SIDE
    window = pieces.ids[top - pieces.y : top - pieces.y + height, left - pieces.x : left - pieces.x + width] == 1
    found = interior_point(window[::step, ::step]) or interior_point(window)
    if found is None:
        return None
    scale = step if window[::step, ::step].any() else 1
    return found[0] * scale + left, found[1] * scale + top
