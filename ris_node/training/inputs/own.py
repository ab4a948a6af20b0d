# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Own pictures to train on: JSON lines give each picture's texts and truths, which are taken as they are."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from ris_node.data.annotated import Annotated
from ris_node.data.masks.spec import mask_files
from ris_node.data.pictures import stamp
from ris_node.data.samples.jsonl import SampleSet, open_jsonl
from ris_node.data.samples.sample import Sample
from ris_node.data.text.expressions import Expression
from ris_node.errors import DataError
from ris_node.types import Bool

_VERSION = 1
_SIDES = re.compile(r"\b(left|right)", re.IGNORECASE)
_LEAST_AREA = 0.6  # of a picture that a crop keeps


@dataclass(frozen=True, kw_only=True)
class Own:
    """A file of JSON lines to train on: one's own, or the index of a published set. Its paths are below `root`.

    `count` is how many pictures it has, `content` changes with the file and with the pictures and masks it names,
    `mirror` says whether pictures whose texts say neither left nor right may be mirrored.
    """

    source: str
    path: str
    root: Path
    count: int
    content: str
    mirror: bool


def open_own(source: str, path: Path, mirror: bool) -> Own:
    """Read a file of JSON lines through and say on stderr which lines cannot be used; the others are.

    Raises:
        DataError: the file is missing, or no line of it can be used.
    """
    return own_of(open_jsonl(path, source=source), mirror)


def own_of(samples: SampleSet, mirror: bool) -> Own:
    """Return what is trained on of samples, and say on stderr which lines of their file cannot be used."""
    path = samples.path
    if samples.problems:
        print(f"{path}: {len(samples.problems)} lines are left out\n{samples.problem_text()}", file=sys.stderr)
    digest = hashlib.sha256(json.dumps(_VERSION).encode() + path.read_bytes())
    files: set[Path] = set()
    for sample in samples:
        files |= {samples.root / name for spec in (sample.mask_spec, sample.region_spec) for name in mask_files(spec)}
        files |= {sample.picture.path} if sample.picture.path else set()
    for file in sorted(files):
        digest.update(f"{file.name} {stamp(file)}\n".encode())
    return Own(
        source=samples.source, path=str(path), root=samples.root, count=len(samples.by_image),
        content=digest.hexdigest(), mirror=mirror,
    )  # fmt: skip


def given(own: Own, index: int) -> tuple[Annotated, list[Expression]]:
    """Return picture number `index` of the file, without classes or objects, and its texts.

    Raises:
        DataError: the picture or a mask cannot be read; the text names the sample.
    """
    samples = _opened(own.path, own.root, own.source, own.content)
    group = [samples[i] for i in samples.by_image[index]]
    image = next((s for s in group if s.mask_spec is not None or s.region_spec is not None), group[0]).image
    void = np.zeros(image.shape[:2], np.uint8)
    picture = Annotated(image, void, void.astype(np.uint16), (), source=own.source, name=group[0].image_name)
    return picture, [_expression(sample, image.shape[:2]) for sample in group]


@lru_cache(maxsize=4)
def _opened(path: str, root: Path, source: str, _content: str) -> SampleSet:
    return open_jsonl(path, root, source, files=False)


def _expression(sample: Sample, shape: tuple[int, ...]) -> Expression:
    positive = sample.has_target()
    kind = sample.kind or ("absent" if not positive else "region" if sample.type == "region" else "given")
    mask, region = (sample.mask, sample.region) if positive else (None, None)
    for part in (mask, region):
        if part is not None and part.shape != shape:  # one as the photo is stored, another as it is seen
            raise DataError(
                f"{sample.described()}: its mask is {part.shape[1]} x {part.shape[0]} pixels, those before it of the "
                f"same image {shape[1]} x {shape[0]}: draw all of an image's masks one way round"
            )
    return Expression(sample.expression, kind, mask, region, positive=positive, type=sample.type)


def cropped(
    picture: Annotated, expressions: Sequence[Expression], rng: np.random.Generator, whole: bool, mirror: bool
) -> tuple[Annotated, list[Expression]]:
    """Return a view of a picture in which every text stays true.

    All that is annotated stays inside of a crop of at least 60 % of the picture (`whole`: of all of it). With `mirror`,
    it is mirrored half of the time if no text says left or right.
    """
    if mirror and rng.random() < 0.5 and not any(_SIDES.search(e.text) for e in expressions):
        picture = picture.flipped()
        expressions = [_with(e, np.s_[:, ::-1]) for e in expressions]
    if whole or rng.random() < 0.25:
        return picture, list(expressions)
    x0, y0, x1, y1 = _window(picture, expressions, rng)
    view = picture.cropped(x0, y0, x1, y1)
    return view, [_with(e, np.s_[y0:y1, x0:x1]) for e in expressions]


def _window(
    picture: Annotated, expressions: Sequence[Expression], rng: np.random.Generator
) -> tuple[int, int, int, int]:
    """Return a random window (x0, y0, x1, y1) around all masks and regions."""
    shown = np.zeros((picture.height, picture.width), np.bool_)
    for part in (part for e in expressions for part in (e.mask, e.region) if part is not None):
        shown |= part
    edges: list[tuple[int, int]] = []
    for axis, size in ((0, picture.width), (1, picture.height)):
        filled = np.flatnonzero(shown.any(axis))
        first, last = (int(filled[0]), int(filled[-1]) + 1) if len(filled) else (size, 0)
        length = round(size * rng.uniform(np.sqrt(_LEAST_AREA), 1.0))
        start = int(rng.integers(0, size - length + 1))
        start, end = min(start, first), max(start + length, last)
        edges.append((start, end))
    return edges[0][0], edges[1][0], edges[0][1], edges[1][1]


def _with(expression: Expression, window: tuple[slice, slice]) -> Expression:
    def cut(part: Bool | None) -> Bool | None:
        return None if part is None else np.ascontiguousarray(part[window])

    return replace(expression, mask=cut(expression.mask), region=cut(expression.region))
