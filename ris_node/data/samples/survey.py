# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Counts of a set of samples; and the same set as a file of JSON lines elsewhere."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ris_node.data.masks.spec import MaskSpec
from ris_node.data.samples.jsonl import SampleSet, line_of
from ris_node.data.samples.sample import Sample
from ris_node.errors import DataError


def survey(samples: SampleSet, most: int | None = 500) -> dict[str, Any]:
    """Return counts of a set as plain JSON: everything that its lines say, and pixels of up to `most` (None: all).

    "unreadable" names the samples whose image or mask could not be read; "empty" those that are present with a mask
    without a pixel; areas are shares of the image.
    """
    kinds: Counter[str] = Counter()
    types: Counter[str] = Counter()
    groups: dict[str, set[bool]] = {}
    marked = Counter[str]()
    for sample in tqdm(samples, desc="counting", disable=None, leave=False):
        kinds[sample.kind or "-"] += 1
        types[sample.type] += 1
        groups.setdefault(sample.group, set()).add(sample.present)
        marked["present" if sample.present else "absent"] += 1
        marked["masks"] += sample.mask_spec is not None
        marked["regions"] += sample.region_spec is not None
        marked["not_annotated"] += sample.present and sample.mask_spec is None and sample.region_spec is None
    counted = ("present", "absent", "masks", "regions", "not_annotated")
    return {
        "samples": len(samples),
        "images": len(samples.by_image),
        **{key: int(marked[key]) for key in counted},
        "types": dict(types.most_common()),
        "kinds": dict(kinds.most_common()),
        "groups": len(groups),
        "groups_with_both": sum(len(states) == 2 for states in groups.values()),
        "left_out": [str(problem) for problem in samples.problems],
        **_pixels(samples, most),
    }


def converted(samples: SampleSet, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the samples as lines of a file in `folder`: paths are written relative to it."""
    to = os.path.relpath(samples.root.resolve(), folder.resolve())
    for sample in tqdm(samples, desc="writing", disable=None, leave=False):
        line = line_of(sample)
        if sample.picture.path is not None:
            line["image"] = _moved(line["image"], to)
        yield line | {key: _rebased(line[key], to) for key in ("mask", "region")}


def _pixels(samples: SampleSet, most: int | None) -> dict[str, Any]:
    order = np.argsort(samples.places[:, 2], kind="stable")  # samples of one image together: it is decoded once
    if most is not None and order.size > most:
        order = order[np.linspace(0, order.size - 1, most).astype(np.int64)]
    areas: dict[str, list[float]] = {"mask": [], "region": []}
    empty: list[str] = []
    unreadable: list[str] = []
    sizes: Counter[str] = Counter()
    for index in tqdm(order.tolist(), desc="reading pixels", disable=None, leave=False):
        sample = samples[index]
        try:
            sizes[f"{sample.image.shape[1]}x{sample.image.shape[0]}"] += 1
            _area(sample, areas)
            if sample.present and not sample.has_target():
                empty.append(sample.described())
        except DataError as error:
            unreadable.append(str(error))
    return {
        "read": int(order.size),
        "image_sizes": dict(sizes.most_common(5)),
        "mask_area": _quantiles(areas["mask"]),
        "region_area": _quantiles(areas["region"]),
        "empty": empty,
        "unreadable": unreadable,
    }


def _area(sample: Sample, areas: dict[str, list[float]]) -> None:
    for key, part in (("mask", sample.mask), ("region", sample.region)):
        if part is not None:
            areas[key].append(float(part.mean()))


def _quantiles(values: list[float]) -> dict[str, float] | None:
    if not values:
        return None
    found = np.quantile(values, (0.05, 0.5, 0.95))
    return {name: round(float(value), 5) for name, value in zip(("p5", "median", "p95"), found, strict=True)}


def _moved(path: str, to: str) -> str:
    return path if Path(path).is_absolute() else Path(os.path.normpath(Path(to) / path)).as_posix()


def _rebased(spec: MaskSpec | None, to: str) -> MaskSpec | None:
    if isinstance(spec, str):
        return _moved(spec, to)
    for key in ("png", "coco"):
        if isinstance(spec, dict) and key in spec:
            return {**spec, key: _moved(spec[key], to)}
    if isinstance(spec, dict) and "any" in spec:
        return {"any": [_rebased(part, to) for part in spec["any"]]}
    return spec
