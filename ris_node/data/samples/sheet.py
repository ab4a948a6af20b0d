# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A contact sheet of samples: each image with its mask, region and box, and what was said below it."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

from ris_node.data.samples.jsonl import SampleSet
from ris_node.data.samples.sample import Sample
from ris_node.types import U8, Bool

_CELL, _BAND = 320, 58  # pixels: the longest side of a picture, the height of its text
_MASK, _REGION, _BOX = (255, 120, 40), (60, 220, 110), (255, 226, 60)
_PAPER, _INK, _FAINT, _ABSENT = (250, 250, 248), (24, 26, 30), (110, 114, 122), (206, 50, 50)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def spread(samples: SampleSet, count: int, seed: int = 0) -> list[int]:
    """Choose up to `count` indexes: of as many images as there are, then of as many kinds, drawn by the seed."""
    rng = np.random.default_rng(seed)
    rows = [list(rng.permutation(members)) for members in samples.by_image]
    chosen: list[int] = []
    while len(chosen) < count and any(rows):
        for place in rng.permutation(len(rows)):
            if rows[place] and len(chosen) < count:
                chosen.append(int(rows[place].pop()))
    return chosen


def contact_sheet(samples: Sequence[Sample], columns: int = 4) -> U8:
    """Draw the samples in rows, RGB u8[H,W,3]: masks orange, regions green, boxes yellow; absent ones say so.

    Raises:
        DataError: when an image or a mask cannot be read.
    """
    tall = max((_shown_size(sample)[1] for sample in samples), default=1)
    cells = [_cell(sample, number, tall) for number, sample in enumerate(samples, 1)]
    columns = max(1, min(columns, len(cells)))
    height, width = cells[0].shape[:2] if cells else (1, 1)
    sheet = np.full((height * -(-len(cells) // columns), width * columns, 3), _PAPER, np.uint8)
    for place, cell in enumerate(cells):
        row, column = divmod(place, columns)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = cell
    return sheet


def _shown_size(sample: Sample) -> tuple[int, int]:
    height, width = sample.image.shape[:2]
    scale = _CELL / max(height, width)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _cell(sample: Sample, number: int, tall: int) -> U8:
    cell = np.full((tall + _BAND, _CELL + 8, 3), _PAPER, np.uint8)
    image, size = sample.image, _shown_size(sample)
    scale = _CELL / max(image.shape[:2])
    picture = np.array(
        cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
    )
    for part, colour in ((sample.region, _REGION), (sample.mask, _MASK)):
        if part is not None:
            _paint(picture, part, colour)
    if sample.box is not None:
        x, y, w, h = (round(v * scale) for v in sample.box)
        cv2.rectangle(picture, (x, y), (x + w, y + h), _BOX, 1)
    left, top = 4 + (_CELL - size[0]) // 2, tall - size[1]
    cell[top : top + size[1], left : left + size[0]] = picture
    _words(cell[tall:], sample, number)
    return cell


def _paint(picture: U8, mask: Bool, colour: tuple[int, int, int]) -> None:
    """Tint the mask and draw its outline; pixels of a mask too small to survive the resize still get their outline."""
    size = picture.shape[1], picture.shape[0]
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    inside = share > (0.5 if share.max() > 0.5 else 0.0)
    picture[inside] = (0.55 * picture[inside] + 0.45 * np.array(colour)).astype(np.uint8)
    outlines, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(picture, outlines, -1, colour, 1)


def _words(band: U8, sample: Sample, number: int) -> None:
    lines = textwrap.wrap(_plain(sample.expression), 46) or [""]
    if len(lines) > 2:
        lines = [lines[0], f"{lines[1][:43]}..."]
    for row, line in enumerate(lines):
        cv2.putText(band, line, (6, 15 + 15 * row), _FONT, 0.42, _INK, 1, cv2.LINE_AA)
    about = [f"#{number}", sample.type, sample.kind, _plain(sample.class_name)]
    state = "" if sample.has_target() else "ABSENT"
    if sample.present and sample.mask is None and sample.region is None:
        state = "not annotated"
    foot = ", ".join(part for part in about if part)
    cv2.putText(band, foot, (6, 47), _FONT, 0.36, _FAINT, 1, cv2.LINE_AA)
    if state:
        cv2.putText(band, state, (_CELL - 86, 47), _FONT, 0.38, _ABSENT, 1, cv2.LINE_AA)


def _plain(text: str) -> str:
    """Text in the letters that OpenCV can draw: accents dropped, the rest as '?'."""
    bare = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(c if c.isascii() else "?" for c in bare if not unicodedata.combining(c))
