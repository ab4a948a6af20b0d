# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A run against the truth, with the metrics of `ris evaluate`; intervals draw stretches of the drive, not frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ris_node.data.evalset import EvalItem
from ris_node.errors import DataError
from ris_node.evaluation.answers import Prediction, Scored, score
from ris_node.evaluation.bootstrap import Resampler
from ris_node.evaluation.columns import make_columns
from ris_node.evaluation.table import Row, make_table
from ris_node.review.truth import Truth, TruthFrame
from ris_node.types import Status

STRETCH = 20  # frames that stand and fall together; neighbours in a drive are nearly the same picture
FEWEST_STRETCHES = 5  # with fewer there is no interval to speak of


def score_rows(rows: Sequence[Mapping[str, Any]], truth: Truth) -> list[Scored]:
    """Score the rows of a run that have a truth.

    Raises:
        DataError: no row has a truth, or a truth's size is not the frame's.
    """
    found = []
    for row in rows:
        frame = truth.at(row["stamp_ns"], row["command"]) if row["query_id"] else None
        if frame is not None:
            found.append(score(_item(row, frame), _answer(row)))
    if not found:
        raise DataError("the truth speaks of none of the frames: compare its stamps with the column stamp_ns")
    return found


def tabulate(scored: Sequence[Scored], draws: int = 1000) -> list[Row]:
    """Return the table of `ris evaluate` over scored rows, with 95 % intervals."""
    stretches = make_columns(scored).pictures
    return make_table(scored, Resampler.draw(stretches, draws if stretches >= FEWEST_STRETCHES else 0))


def item_id(row: Mapping[str, Any]) -> str:
    """Return the name of a frame and command in every run over the same bag."""
    return f"{row['bag']}/{row['source_index']}/{row['command']}"


def _item(row: Mapping[str, Any], frame: TruthFrame) -> EvalItem:
    if (frame.height, frame.width) != (row["height"], row["width"]) and row["status"] != Status.ERROR.name:
        raise DataError(
            f"the truth at {frame.stamp_ns} is {frame.width} x {frame.height}, the frame {row['width']} x"
            f" {row['height']}: give masks of the recorded size"
        )
    seen = [sum(runs[1::2]) > 0 for runs in (frame.mask, frame.region) if runs is not None]
    present = frame.present if frame.present is not None else any(seen)
    kind = row["kind"] or "object"
    return EvalItem(
        id=item_id(row),
        image=f"{row['bag']}/{row['source_index'] // STRETCH}",
        text=row["command"],
        type=kind,
        kind=f"{kind} queries",
        set=row["bag"],
        present=present,
        width=frame.width,
        height=frame.height,
        mask=frame.mask if present else None,
        region=frame.region if present and kind == "region" else None,
        group=item_id(row),
    )


def _answer(row: Mapping[str, Any]) -> Prediction:
    point = row["point"]
    return Prediction(
        id=item_id(row),
        status=Status[row["status"]],
        presence=row["presence"],
        mask=tuple(row["mask_rle"]) or None,
        region=tuple(row["region_rle"]) or None,
        point=(point[0], point[1]) if point else None,
    )
