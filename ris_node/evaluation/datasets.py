# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Evaluation items from the published data sets that `ris data list` names, or from JSON lines of one's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ris_node.data.evalset import EvalItem
from ris_node.data.formats.index import open_data
from ris_node.data.registry import format_named
from ris_node.data.samples.sample import Sample
from ris_node.errors import DataError
from ris_node.rle import encode_rle


def read_items(name: str, root: Path, split: str = "") -> list[EvalItem]:
    """Return the items of one split of a data set (the first with a "val" in its name, where none is given).

    Raises:
        DataError: the set is unknown or incomplete, or nothing of it has both an image file and a truth.
    """
    if name != "jsonl" and not split:
        splits = format_named(name).splits
        split = next((s for s in splits if "val" in s), splits[0])
    folder = root.parent if name == "jsonl" else root
    items = to_items(open_data(name, root, split), folder, f"{name}/{split}" if split else root.stem)
    if not items:
        raise DataError(f"nothing of {name} in {root} has an image file and a mask, region or absence to compare with")
    return items


def to_items(samples: Iterable[Sample], folder: Path, source: str) -> list[EvalItem]:
    """Return items of samples, without those that have no image file or only a box as their target."""
    items = []
    for number, sample in enumerate(samples):
        wanted = sample.region if sample.type == "region" else sample.mask
        if sample.picture.path is None or (sample.present and wanted is None):
            continue
        present = sample.has_target()
        mask, region = (m if present and m is not None and m.any() else None for m in (sample.mask, sample.region))
        height, width = sample.image.shape[:2]
        items.append(
            EvalItem(
                id=f"{source}/{sample.id or number}",
                image=_below(sample.picture.path, folder),
                text=sample.expression,
                type=sample.type,
                kind=sample.kind or ("any" if present else "absent"),
                set=source,
                present=present,
                width=width,
                height=height,
                mask=None if mask is None else tuple(encode_rle(mask)),
                region=None if region is None else tuple(encode_rle(region)),
                class_name=sample.class_name,
                group=sample.group,
            )
        )
    return sorted(items, key=lambda i: i.image)  # a picture's items together, in the set's order otherwise


def _below(path: Path, folder: Path) -> str:
    absolute = path.absolute()
    return str(absolute.relative_to(folder.absolute())) if absolute.is_relative_to(folder.absolute()) else str(absolute)
