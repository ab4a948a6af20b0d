# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Grid of answers as one picture: held-out pictures with their expressions, the truth and the answer."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

from ris_node.training.check import Record
from ris_node.training.inputs.items import TrainingItem
from ris_node.types import U8, Bool

_MASK, _REGION, _TRUTH = (255, 82, 82), (84, 230, 118), (255, 255, 255)
_INK, _PAPER, _GOOD, _BAD = (235, 238, 242), (24, 26, 32), (96, 220, 130), (255, 120, 110)
_FONT, _SIZE, _LINE = cv2.FONT_HERSHEY_DUPLEX, 0.42, 17
_TITLE_LINES = 2


def pick(records: Sequence[Record], count: int) -> list[Record]:
    """Choose `count` records, kinds in turn and pictures spread; the same records give the same choice."""
    by_kind: dict[str, list[Record]] = {}
    for record in records:
        by_kind.setdefault(record.kind, []).append(record)
    chosen: list[Record] = []
    for turn in range(count):
        for number, kind in enumerate(sorted(by_kind)):
            items = by_kind[kind]
            if turn < len(items) and len(chosen) < count:
                chosen.append(items[(turn + number) * _stride(len(items)) % len(items)])
    return chosen


def draw_grid(records: Sequence[Record], pictures: Sequence[TrainingItem], at: float = 0.5, columns: int = 4) -> U8:
    """Draw records of `check.answers` side by side, RGB u8[h,w,3].

    Filled red is the answer's mask, filled green its region, white lines the truth; a mask or region is drawn where it
    is likelier than `at`. The second line gives the presence, green where it is right.
    """
    tiles = [_tile(record, pictures[record.picture].image, at) for record in records]
    columns = max(1, min(columns, len(tiles)))
    while len(tiles) % columns:
        tiles.append(np.full_like(tiles[0], _PAPER))
    rows = [np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)]
    return np.concatenate(rows, 0)


def _tile(record: Record, image: U8, at: float) -> U8:
    canvas = image.copy()
    size = canvas.shape[1], canvas.shape[0]
    probability, truth = (record.region, record.true_region) if record.is_command else (record.mask, record.true_mask)
    answer = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR) >= at
    canvas[answer] = (0.5 * canvas[answer] + 0.5 * np.array(_REGION if record.is_command else _MASK)).astype(np.uint8)
    if truth is not None:
        _outline(canvas, truth)
    head = np.full(((_TITLE_LINES + 1) * _LINE + 6, size[0], 3), _PAPER, np.uint8)
    for number, line in enumerate(_wrapped(record.text, size[0] - 8)):
        _write(head, line, number, _INK)
    right = (record.presence >= at) == record.present
    wanted = "there" if record.present else "not there"
    _write(head, f"{record.kind}: {wanted}, said {record.presence:.2f}", _TITLE_LINES, _GOOD if right else _BAD)
    tile = cv2.copyMakeBorder(np.concatenate([head, canvas]), 2, 2, 2, 2, cv2.BORDER_CONSTANT, value=_PAPER)
    return np.asarray(tile, np.uint8)


def _outline(canvas: U8, truth: Bool) -> None:
    full = cv2.resize(truth.astype(np.uint8), (canvas.shape[1], canvas.shape[0]), interpolation=cv2.INTER_NEAREST)
    contours = cv2.findContours(full, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[-2]
    cv2.drawContours(canvas, contours, -1, (0, 0, 0), 3)
    cv2.drawContours(canvas, contours, -1, _TRUTH, 1)


def _wrapped(text: str, width: int) -> list[str]:
    """The text on at most `_TITLE_LINES` lines of `width` pixels; letters without a glyph lose their accents."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or "(no Latin letters)"
    lines = [""]
    for word in plain.split():
        longer = f"{lines[-1]} {word}".strip()
        if cv2.getTextSize(longer, _FONT, _SIZE, 1)[0][0] <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < _TITLE_LINES:
            lines.append(word)
        else:
            return [*lines[:-1], f"{lines[-1]} ..."]
    return lines


def _write(canvas: U8, text: str, line: int, colour: tuple[int, int, int]) -> None:
    cv2.putText(canvas, text, (4, (line + 1) * _LINE), _FONT, _SIZE, colour, 1, cv2.LINE_AA)


def _stride(count: int) -> int:
    """A step through `count` items that visits all and starts far apart."""
    return next(step for step in range(max(1, round(count * 0.618)), 2 * count + 2) if np.gcd(step, count) == 1)
