# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An answer drawn over its image: fill and outline, a chip on each referent, the goal, and the verdict on top."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import cv2
import numpy as np

from ris_node.pipeline.grounding import Grounding
from ris_node.pipeline.instances import Pieces
from ris_node.types import U8, QueryKind, Status

Colour = tuple[int, int, int]

PALETTE: tuple[Colour, ...] = (  # RGB, well apart on asphalt and foliage
    (255, 82, 82),
    (64, 196, 255),
    (255, 196, 0),
    (186, 104, 255),
    (255, 128, 192),
    (0, 214, 180),
    (255, 145, 60),
    (150, 170, 255),
)
REGION: Colour = (84, 230, 118)
STATUS: dict[Status, Colour] = {
    Status.PRESENT: (46, 160, 90),
    Status.ABSENT: (110, 116, 128),
    Status.UNCERTAIN: (214, 150, 20),
    Status.AMBIGUOUS: (150, 90, 214),
    Status.NO_QUERY: (80, 84, 94),
    Status.ERROR: (200, 50, 50),
}
_WHITE: Colour = (255, 255, 255)
_DARK: Colour = (18, 20, 26)
_FONT = cv2.FONT_HERSHEY_DUPLEX
_FONT_HEIGHT = 22.0  # pixels of a capital at scale 1
_LEAST_SIDE = 64  # smaller images carry no text


def draw_overlay(image: U8, grounding: Grounding, alpha: float = 0.45) -> U8:
    """Draw an answer over a copy of its image u8[H,W,3] (RGB).

    Args:
        image: the image that was answered, at its own size.
        grounding: the answer.
        alpha: opacity of the fills, 0..1.
    """
    canvas = np.array(image, np.uint8, copy=True, order="C")
    size = max(0.5, min(canvas.shape[:2]) / 480.0)
    planes = grounding.planes
    if planes is not None:
        _fill(canvas, planes.region_pieces, [REGION], alpha * 0.8)
        _fill(canvas, planes.pieces, PALETTE, alpha)
        _lines(canvas, (i.outline for i in planes.region_pieces.instances), [REGION], size)
        _lines(canvas, (i.outline for i in grounding.instances), PALETTE, size)
    if min(canvas.shape[:2]) >= _LEAST_SIDE:
        for instance in grounding.instances:
            text = f"{instance.label or 'it'} {instance.score:.2f}"
            _chip(canvas, text, instance.box[:2], PALETTE[(instance.instance_id - 1) % len(PALETTE)], size)
    if grounding.point is not None:
        _marker(canvas, grounding.point, grounding.query.kind, size)
    if min(canvas.shape[:2]) >= _LEAST_SIDE:
        _banner(canvas, grounding, size)
    return canvas


def _fill(canvas: U8, pieces: Pieces, colours: Iterable[Colour], alpha: float) -> None:
    if not pieces.instances or alpha <= 0.0:
        return
    rows, columns = pieces.ids.shape
    part = canvas[pieces.y : pieces.y + rows, pieces.x : pieces.x + columns]
    shades = np.array(list(colours), np.uint8)
    table = shades[(np.arange(256) - 1) % len(shades)]
    paint = np.take(table, pieces.ids, axis=0)
    mixed = cv2.addWeighted(part, 1.0 - alpha, paint, alpha, 0.0)
    cv2.copyTo(mixed, (pieces.ids > 0).astype(np.uint8), part)


def _lines(canvas: U8, outlines: Iterable[np.ndarray], colours: Iterable[Colour], size: float) -> None:
    table = list(colours)
    wide, thin = max(2, round(3.4 * size)), max(1, round(1.6 * size))
    for number, outline in enumerate(outlines):
        line = [np.rint(outline).astype(np.int32).reshape(-1, 1, 2)]
        cv2.polylines(canvas, line, True, _DARK, wide, cv2.LINE_AA)
        cv2.polylines(canvas, line, True, table[number % len(table)], thin, cv2.LINE_AA)


def _chip(canvas: U8, text: str, corner: tuple[int, int], colour: Colour, size: float) -> None:
    """A small label in the corner of a box, kept inside of the image and below the banner."""
    height, width = canvas.shape[:2]
    scale, pad = 0.42 * size, round(4 * size)
    (text_width, text_height), _ = cv2.getTextSize(_plain(text), _FONT, scale, 1)
    box_width, box_height = text_width + 2 * pad, text_height + 2 * pad
    left = int(np.clip(corner[0], 0, max(0, width - box_width)))
    top = int(np.clip(corner[1] - box_height, _banner_height(size), max(0, height - box_height)))
    cv2.rectangle(canvas, (left, top), (left + box_width, top + box_height), colour, -1, cv2.LINE_AA)
    place = left + pad, top + pad + text_height
    cv2.putText(canvas, _plain(text), place, _FONT, scale, _ink(colour), 1, cv2.LINE_AA)


def _marker(canvas: U8, point: tuple[float, float], kind: QueryKind, size: float) -> None:
    """A target at the goal: ring, dot, and a dark rim so that it shows on anything."""
    x, y = round(point[0]), round(point[1])
    radius = max(3, round((11 if kind == QueryKind.REGION else 7) * size))
    for colour, thick in ((_DARK, max(3, round(5 * size))), (_WHITE, max(1, round(2.4 * size)))):
        cv2.circle(canvas, (x, y), radius, colour, thick, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), max(2, round(4 * size)), _DARK, -1, cv2.LINE_AA)
    cv2.circle(canvas, (x, y), max(1, round(2.6 * size)), _WHITE, -1, cv2.LINE_AA)


def _banner_height(size: float) -> int:
    return round(34 * size)


def _banner(canvas: U8, grounding: Grounding, size: float) -> None:
    """A dark strip with the command, the status in its colour, and what it says."""
    width, height = canvas.shape[1], min(canvas.shape[0], _banner_height(size))
    strip = canvas[:height]
    strip[:] = cv2.addWeighted(strip, 0.28, np.full_like(strip, _DARK), 0.72, 0.0)
    scale, pad = 0.5 * size, round(8 * size)
    status = grounding.status.name
    if grounding.status not in (Status.NO_QUERY, Status.ERROR):
        status += f" {grounding.presence:.2f}"
    (status_width, text_height), _ = cv2.getTextSize(status, _FONT, scale, 1)
    chip = status_width + 2 * pad
    cv2.rectangle(canvas, (width - chip, 0), (width, height - 1), STATUS[grounding.status], -1)
    base = (height + text_height) // 2
    cv2.putText(canvas, status, (width - chip + pad, base), _FONT, scale, _WHITE, 1, cv2.LINE_AA)
    room = width - chip - 2 * pad
    command = _fit(_plain(grounding.query.text), scale, room)
    cv2.putText(canvas, command, (pad, base), _FONT, scale, _WHITE, 1, cv2.LINE_AA)
    used = cv2.getTextSize(command, _FONT, scale, 1)[0][0] + 2 * pad
    note = _fit(_plain(grounding.message), 0.8 * scale, room - used)
    if note and grounding.message:
        cv2.putText(canvas, note, (pad + used, base), _FONT, 0.8 * scale, (190, 196, 206), 1, cv2.LINE_AA)


def _fit(text: str, scale: float, room: int) -> str:
    """As much of a text as fits into `room` pixels, with dots where it was cut."""
    if cv2.getTextSize(text, _FONT, scale, 1)[0][0] <= room:
        return text
    while text and cv2.getTextSize(text + "...", _FONT, scale, 1)[0][0] > room:
        text = text[:-1]
    return text + "..." if len(text) > 3 else ""


def _plain(text: str) -> str:
    """ASCII, which is all that OpenCV's fonts have; letters lose their accents, others become dots."""
    folded = unicodedata.normalize("NFKD", text[:300])
    return "".join(c if " " <= c <= "~" else "." for c in folded if not unicodedata.combining(c))


def _ink(colour: Colour) -> Colour:
    red, green, blue = colour
    return _DARK if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else _WHITE
