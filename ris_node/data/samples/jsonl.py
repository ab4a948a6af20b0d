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
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from tqdm import tqdm

from ris_node.atomic import replacing
from ris_node.data.samples.sample import Sample, sample_of
from ris_node.errors import DataError
from ris_node.types import I64


@dataclass(frozen=True)
class Problem:
    """A line, or an item of a published file, that was left out: where it is and what is wrong with it."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, eq=False)
class SampleSet(Sequence[Sample]):
    """Samples of one set in the file's order; each is read from its line when asked for.

    `places` i64[N,3] say of each line where it begins in `path`, its number (from 1), and its image as an index:
    samples with equal ones share their image. `problems` are what was left out. It holds no open file, so worker
    processes can share it.
    """

    path: Path
    root: Path
    source: str
    places: I64
    problems: tuple[Problem, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        with self.path.open("rb") as file:
            return self._sample(file, self.places[range(len(self))[index]])

    def __iter__(self) -> Iterator[Sample]:
        with self.path.open("rb") as file:
            for place in self.places:
                yield self._sample(file, place)

    @cached_property
    def by_image(self) -> tuple[tuple[int, ...], ...]:
        """The indexes of the samples of each image, images in the order of their first sample."""
        images = self.places[:, 2]
        order = np.argsort(images, kind="stable")
        cuts = np.flatnonzero(np.diff(images[order])) + 1
        return tuple(tuple(part.tolist()) for part in np.split(order, cuts)) if order.size else ()

    def subset(self, indexes: Iterable[int]) -> SampleSet:
        """Return the samples at these indexes, in this order."""
        return replace(self, places=self.places[np.fromiter(indexes, np.int64)])

    def problem_text(self, most: int = 10) -> str:
        """Return the problems as lines of text, at most `most` of them and how many more; "" without any."""
        lines = [str(problem) for problem in self.problems[:most]]
        more = len(self.problems) - len(lines)
        return "\n".join([*lines, f"... and {more} more"] if more else lines)

    def _sample(self, file: BinaryIO, place: I64) -> Sample:
        number = int(place[1])
        file.seek(int(place[0]))
        try:
            return sample_of(parse_line(file.readline()), self.root, self.source, number)
        except DataError as error:  # it could be read when it was indexed
            raise DataError(f"{self.path}, line {number} has changed since it was opened: {error}") from error


def parse_line(line: bytes) -> dict[str, Any]:
    """Parse a line of a file as an object.

    Raises:
        DataError: saying why it is none.
    """
    try:
        value = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(f"byte {error.start} is not UTF-8; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DataError(f"no JSON: {error.msg} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise DataError("no JSON: nested too deeply") from error
    if not isinstance(value, dict):
        raise DataError(f"a line is an object {{...}}, not {type(value).__name__}")
    return value


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
    places: list[tuple[int, int, int]] = []
    known: dict[str, int] = {}
    problems: list[Problem] = []
    for number, offset, line in _lines(path):
        try:
            sample = sample_of(parse_line(line), folder, source, number, files)
        except DataError as error:
            problems.append(Problem(f"{path.name}, line {number}", str(error)))
            continue
        places.append((offset, number, known.setdefault(sample.image_name, len(known))))
    if not places:
        first = f"; the first problem: {problems[0]}" if problems else ": it is empty"
        raise DataError(f"no line of {path} can be used{first}")
    return SampleSet(path, folder, source, np.array(places, np.int64), tuple(problems))


def write_jsonl(path: Path, lines: Iterable[Mapping[str, Any]]) -> int:
    """Write objects as JSON lines, whole or not at all; returns how many."""
    count = 0
    with replacing(path) as beside, beside.open("w", encoding="utf-8", newline="\n") as file:
        for line in lines:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n")
            count += 1
    return count


def line_of(sample: Sample) -> dict[str, Any]:
    """Return a sample as a line that `open_jsonl` reads to the same sample, without what is empty or usual."""
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
