# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""One frame of the demo's film: the answer over the image, the verdict, and the region seen from above."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from ris_node.demo.judge import region_pixels
from ris_node.demo.recording import KeptFrame
from ris_node.geometry.ground import ground_to_pixels
from ris_node.pipeline.overlay import PALETTE, REGION, STATUS
from ris_node.rle import decode_rle
from ris_node.types import F64, I32, U8, Bool, Status
from ris_scene.spec import Scene
from ris_scene.truth import RegionTruth

Colour = tuple[int, int, int]
HEIGHT = 720
_FONT = cv2.FONT_HERSHEY_DUPLEX
_DARK: Colour = (18, 20, 26)
_WHITE: Colour = (255, 255, 255)
_GREY: Colour = (190, 196, 206)
_THINGS: dict[str, Colour] = {
    "red": (226, 78, 78),
    "blue": (84, 132, 226),
    "white": (236, 236, 236),
    "black": (24, 24, 26),
    "green": (72, 160, 96),
    "yellow": (240, 200, 70),
}
_TOP, _BOTTOM = 58, 40
_CARD = (190, 300)
_MAP_M = (26.0, 34.0)


def compose(frame: KeptFrame, row: dict[str, Any], region: RegionTruth | None, note: str = "") -> U8:
    """Draw an answer (a line of results.jsonl) over its frame; returns u8[HEIGHT,W,3] RGB with an even width."""
    scale = HEIGHT / frame.image.shape[0]
    width = round(frame.image.shape[1] * scale / 2) * 2
    canvas = np.ascontiguousarray(
        cv2.resize(frame.image, (width, HEIGHT), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
    mask = region_pixels(row)
    if mask is not None:
        _paint(canvas, mask, REGION, 0.38)
    for number, instance in enumerate(row["instances"]):
        colour = PALETTE[number % len(PALETTE)]
        _paint(canvas, decode_rle(np.asarray(instance["rle"]), row["height"], row["width"]), colour, 0.45)
        x, y, _, _ = instance["box"]
        _chip(
            canvas, f"{instance['label'] or 'it'} {instance['score']:.2f}", (round(x * scale), round(y * scale)), colour
        )
    target = row.get("target")
    if target and target["status"] == "OK" and frame.scene is not None:
        _goal(canvas, frame.scene, target, scale)
    _banner(canvas, row, note)
    _foot(canvas, row)
    if frame.scene is not None and (mask is not None or region is not None):
        _card(canvas, frame.scene, target, region)
    return canvas


def _paint(canvas: U8, mask: Bool, colour: Colour, alpha: float) -> None:
    """Fill and outline a mask bool[h,w] on a larger canvas, with smooth edges."""
    size = (canvas.shape[1], canvas.shape[0])
    smooth = cv2.resize(mask.astype(np.uint8) * 255, size, interpolation=cv2.INTER_LINEAR)
    smooth = cv2.GaussianBlur(smooth, (0, 0), 1.2)
    big = (smooth > 127).astype(np.uint8)
    tint = cv2.addWeighted(canvas, 1 - alpha, np.full_like(canvas, colour), alpha, 0)
    cv2.copyTo(tint, big, canvas)
    outlines, _ = cv2.findContours(big, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(canvas, outlines, -1, _DARK, 4, cv2.LINE_AA)
    cv2.drawContours(canvas, outlines, -1, colour, 2, cv2.LINE_AA)


def _text(canvas: U8, text: str, at: tuple[int, int], size: float, colour: Colour) -> int:
    """Write text with its baseline's left end at a point; returns its width in pixels."""
    cv2.putText(canvas, text, at, _FONT, size, colour, 1, cv2.LINE_AA)
    return int(cv2.getTextSize(text, _FONT, size, 1)[0][0])


def _chip(canvas: U8, text: str, at: tuple[int, int], colour: Colour) -> None:
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.5, 1)
    x = int(np.clip(at[0], 2, max(2, canvas.shape[1] - width - 14)))
    y = int(np.clip(at[1] - 8, _TOP + height + 8, canvas.shape[0] - _BOTTOM - 6))
    cv2.rectangle(canvas, (x, y - height - 6), (x + width + 10, y + 5), _DARK, -1)
    cv2.rectangle(canvas, (x, y - height - 6), (x + 4, y + 5), colour, -1)
    _text(canvas, text, (x + 8, y), 0.5, _WHITE)


def _strip(canvas: U8, top: int, bottom: int) -> None:
    part = canvas[top:bottom]
    part[:] = cv2.addWeighted(part, 0.25, np.full_like(part, _DARK), 0.75, 0)


def _banner(canvas: U8, row: dict[str, Any], note: str) -> None:
    """Draw the command in quotes, and the verdict in its colour."""
    _strip(canvas, 0, _TOP)
    status = Status[row["status"]]
    verdict = status.name if status in (Status.NO_QUERY, Status.ERROR) else f"{status.name} {row['presence']:.2f}"
    width = cv2.getTextSize(verdict, _FONT, 0.75, 1)[0][0] + 36
    cv2.rectangle(canvas, (canvas.shape[1] - width, 0), (canvas.shape[1], _TOP - 1), STATUS[status], -1)
    _text(canvas, verdict, (canvas.shape[1] - width + 18, 38), 0.75, _WHITE)
    said = f'"{row["text"]}"' if row["text"] else "(no command yet)"
    room = canvas.shape[1] - width - 30
    size = min(0.85, 0.85 * room / max(cv2.getTextSize(said, _FONT, 0.85, 1)[0][0], 1))
    used = _text(canvas, said, (16, 38), size, _WHITE)
    if note and used + 160 < room:
        _text(canvas, note, (34 + used, 38), 0.5, _GREY)


def _foot(canvas: U8, row: dict[str, Any]) -> None:
    """Draw latency, and how the answer compares with the truth."""
    height = canvas.shape[0]
    _strip(canvas, height - _BOTTOM, height)
    end_to_end = row["timing"].get("end_to_end")
    parts = [f"image to answer {end_to_end:.0f} ms"] if end_to_end is not None else []
    truth = row.get("truth")
    if truth:
        if truth["iou"] is not None:
            parts.append(f"IoU {truth['iou']:.2f}")
        if truth["goal_error_m"] is not None:
            parts.append(f"goal off by {truth['goal_error_m']:.1f} m")
        parts.append("verdict right" if truth["right"] else f"truth: {truth['expected']}")
    if row["message"]:
        parts.append(row["message"][:70])
    _text(canvas, "   |   ".join(parts), (16, height - 13), 0.5, _GREY)


def _goal(canvas: U8, scene: Scene, target: dict[str, Any], scale: float) -> None:
    """Draw the goal on the ground: a ring, and an arrow along its heading, in the plane of the road."""
    x, y, yaw = target["x"], target["y"], target["yaw"]
    angle = np.linspace(0, 2 * np.pi, 40)
    for radius, colour, thick in ((0.75, _DARK, 6), (0.75, _WHITE, 3)):
        ring = np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)
        _ground_line(canvas, scene, ring, scale, colour, thick, True)
    c, s = np.cos(yaw), np.sin(yaw)
    arrow = np.array([[-0.4, 0.0], [1.9, 0.0], [1.2, 0.45], [1.9, 0.0], [1.2, -0.45]]) @ np.array([[c, s], [-s, c]]) + [
        x,
        y,
    ]
    for colour, thick in ((_DARK, 6), (_WHITE, 3)):
        _ground_line(canvas, scene, arrow, scale, colour, thick, False)


def _ground_line(canvas: U8, scene: Scene, points: F64, scale: float, colour: Colour, thick: int, closed: bool) -> None:
    pixels, _ = ground_to_pixels(scene.camera, scene.camera_in_base, points)
    if np.isfinite(pixels).all():
        line = ((pixels + 0.5) * scale * 8).round().astype(np.int32)
        cv2.polylines(canvas, [line], closed, colour, thick, cv2.LINE_AA, 3)


def _card(canvas: U8, scene: Scene, target: dict[str, Any] | None, region: RegionTruth | None) -> None:
    """Draw the view from above: road, things, the answered footprint and goal, and the true patch."""
    width, height = _CARD
    x0, y0 = 14, canvas.shape[0] - _BOTTOM - height - 14
    card = np.full((height, width, 3), (38, 42, 50), np.uint8)
    street = scene.street
    near, far = street.ego_s - 3, street.ego_s + _MAP_M[1] + 4
    _fill(card, street.strip(near, far, street.right_kerb, street.left_kerb, 2.0), (74, 79, 88))
    for d in (street.right_lane_edge, 0.0, street.left_lane_edge):
        _fill(card, street.strip(near, far, d - 0.06, d + 0.06, 2.0), (120, 124, 132))
    for thing in scene.objects:
        if thing.label in ("car", "van", "truck", "bus", "pedestrian", "cyclist"):
            shade = _THINGS.get(thing.colour, (150, 154, 160))
            _fill(card, thing.footprint(), shade)
    if target and target["status"] == "OK":
        _fill(card, np.array(target["footprint"]).reshape(-1, 2), REGION, 0.55)
    if region is not None:
        cv2.polylines(card, [_on_map(region.outline)], True, _WHITE, 1, cv2.LINE_AA, 3)
    _fill(
        card,
        np.array([[0.0, -0.95], [4.0, -0.95], [4.6, -0.5], [4.6, 0.5], [4.0, 0.95], [0.0, 0.95]]) - [1.0, 0.0],
        (255, 196, 0),
    )
    if target and target["status"] == "OK":
        at = (_on_map(np.array([[target["x"], target["y"]]]))[0] / 8).round().astype(int)
        cv2.circle(card, (int(at[0]), int(at[1])), 4, _DARK, -1, cv2.LINE_AA)
        cv2.circle(card, (int(at[0]), int(at[1])), 3, _WHITE, -1, cv2.LINE_AA)
    canvas[y0 : y0 + height, x0 : x0 + width] = cv2.addWeighted(
        card, 0.9, canvas[y0 : y0 + height, x0 : x0 + width], 0.1, 0
    )
    cv2.rectangle(canvas, (x0, y0), (x0 + width, y0 + height), _DARK, 1)
    label = str((target or {}).get("status", "no target")).lower().replace("_", " ")
    label = {"ok": "goal in base_link", "unset": "no target"}.get(label, label)
    _text(canvas, label, (x0 + 8, y0 + 18), 0.42, _WHITE)


def _on_map(xy: F64) -> I32:
    """Convert metres in `base_link` to eighths of card pixels i32[N,2]: forward is up."""
    width, height = _CARD
    per_m = height / (_MAP_M[1] + 2.0)
    u = width / 2 - xy[:, 1] * per_m
    v = height - (xy[:, 0] + 2.0) * per_m
    return np.asarray((np.stack([u, v], axis=1) * 8).round(), dtype=np.int32)


def _fill(card: U8, outline: F64, colour: Colour, alpha: float = 1.0) -> None:
    if len(outline) < 3:
        return
    layer = card.copy()
    cv2.fillPoly(layer, [_on_map(outline)], colour, cv2.LINE_AA, 3)
    card[:] = layer if alpha >= 1 else cv2.addWeighted(card, 1 - alpha, layer, alpha, 0)
