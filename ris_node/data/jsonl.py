# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""JSON lines: the form in which one's own pictures and expressions become samples, and every other set is indexed.

One object a line::

    {"image": "a.jpg", "expression": "the red car", "mask": "a_car.png"}
    {"image": "a.jpg", "expression": "stop behind it", "mask": [700, 20, 9, 31], "region": {"size": [480, 640], ...}}
    {"image": "a.jpg", "expression": "the elephant", "mask": null}

image
    path of an image file, below the file's folder (or `root`).
expression (or text)
    what was said, in UTF-8.
mask, region
    the object meant and where to go, or null: `ris_node.data.masks.spec` has the forms. Both null or absent: nothing
    of the kind is in the picture, a negative, unless `"present": true` says that it is there but not annotated.
type
    "object" (default, or "region" where a region is given) or "region".
group, kind, class, box, size, camera, id, source
    see `Sample`. Other keys are left alone.

Lines of `ris predict --manifest` and of the evaluation set can be read as they are. Blank lines are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ris_node.atomic import replacing
from ris_node.data.sample import Sample, sample_of
from ris_node.data.sampleset import Problem, SampleSet, parse_line
from ris_node.errors import DataError


def open_jsonl(path: Path | str, root: Path | str | None = None, source: str = "", files: bool = True) -> SampleSet:
    """Open a file of JSON lines; lines that cannot be used are in `problems`, by number, and the rest is usable.

    Args:
        path: the file.
        root: folder that the paths in it are relative to; None: the file's own.
        source: name of the set; "": the file's name.
        files: check that the images and masks it names are there (once each).

    Raises:
        DataError: when the file is missing or no line can be used.
    """
    path = Path(path)
    folder = path.parent if root is None else Path(root)
    source = source or path.name
    offsets: list[int] = []
    numbers: list[int] = []
    images: list[int] = []
    known: dict[str, int] = {}
    problems: list[Problem] = []
    for number, offset, line in _lines(path):
        try:
            sample = sample_of(parse_line(line), folder, source, number, files)
        except DataError as error:
            problems.append(Problem(f"{path.name}, line {number}", str(error)))
            continue
        offsets.append(offset)
        numbers.append(number)
        images.append(known.setdefault(sample.image_name, len(known)))
    if not offsets:
        first = f"; the first problem: {problems[0]}" if problems else ": it is empty"
        raise DataError(f"no line of {path} can be used{first}")
    places, lines, shown = (np.array(values, np.int64) for values in (offsets, numbers, images))
    return SampleSet(path, folder, source, places, lines, shown, tuple(problems))


def write_jsonl(path: Path, lines: Iterable[Mapping[str, Any]]) -> int:
    """Write objects as JSON lines, whole or not at all; returns how many."""
    count = 0
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n")
            count += 1
    return count


def line_of(sample: Sample) -> dict[str, Any]:
    """A sample as a line that `open_jsonl` reads to the same sample; what is empty or usual is left out."""
    scene = sample.picture.scene
    keys = ("domain", "seed", "time_s", "width", "height")
    image = sample.picture.name if scene is None else {"scene": dict(zip(keys, scene, strict=True))}
    line: dict[str, Any] = {"id": sample.id, "image": image, "expression": sample.expression, "type": sample.type}
    line |= {"mask": sample.mask_spec, "region": sample.region_spec, "group": sample.group, "source": sample.source}
    if sample.present != (sample.mask_spec is not None or sample.region_spec is not None):
        line["present"] = sample.present
    optional: dict[str, Any] = {"kind": sample.kind, "class": sample.class_name, "box": sample.box and list(sample.box)}
    optional["size"] = sample.size and list(sample.size)
    optional |= {"extra": dict(sample.extra), "camera": sample.camera_spec}
    return line | {key: value for key, value in optional.items() if value}


def _lines(path: Path) -> Iterable[tuple[int, int, bytes]]:
    """Number, place and bytes of every line that is not blank, with a progress bar where somebody watches."""
    try:
        file = path.open("rb")
        size = path.stat().st_size
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    bar = tqdm(total=size, unit="B", unit_scale=True, desc=f"reading {path.name}", disable=None, leave=False)
    with file, bar:
        offset = 0
        for number, line in enumerate(file, 1):
            bar.update(len(line))
            if line.strip() and line.strip() != b"\xef\xbb\xbf":
                yield number, offset, line
            offset += len(line)
