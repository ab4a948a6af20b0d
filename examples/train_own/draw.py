# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the dozen pictures of this example, with their masks and expressions: `python draw.py` writes them here.

Crates, barrels and cones stand in a yard. Outlines of the first nine pictures go into COCO's JSON, as annotation tools
write it; those of the last three, and the ground to stop on, into PNG masks. You do not need this script for pictures
of your own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

COUNT, WITH_PNG = 12, 3
WIDTH, HEIGHT, HORIZON = 320, 240, 80
COLOURS = {"red": (205, 45, 40), "blue": (40, 80, 200), "green": (50, 150, 65), "yellow": (235, 200, 40)}
KINDS = {"crate": (1.1, 1.0), "barrel": (0.8, 1.15), "cone": (0.7, 1.0)}  # width and height, in the size at a distance


class Picture:
    """A picture with what stands in it: kind, colour, foot (x, y) and outline of each thing, far ones first."""

    def __init__(self, number: int) -> None:
        self.rng = np.random.default_rng(100 + number)
        self.image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        self.image[:HORIZON] = self.rng.integers(150, 205, 3)
        floor = np.linspace(105, 150, HEIGHT - HORIZON)[:, None, None] + self.rng.integers(-12, 12)
        self.image[HORIZON:] = np.clip(floor, 0, 255)
        for x in range(-320, 640, 80):  # joints of the floor meet far away
            cv2.line(self.image, (160 + (x - 160) // 6, HORIZON), (x, HEIGHT), (96, 96, 96), 1, cv2.LINE_AA)
        self.things = [self._thing(x) for x in self.rng.permutation([55, 160, 265]).tolist()]
        self.things.sort(key=lambda thing: thing["foot"][1])
        for thing in self.things:
            self._draw(thing)
        noise = self.rng.normal(0, 3.0, self.image.shape)
        self.image = np.clip(self.image + noise, 0, 255).astype(np.uint8)

    def _thing(self, x: int) -> dict[str, Any]:
        known = getattr(self, "_taken", set())
        free = [(k, c) for k in KINDS for c in COLOURS if (k, c) not in known]
        kind, colour = free[int(self.rng.integers(len(free)))]
        self._taken = known | {(kind, colour)}
        foot = int(self.rng.integers(140, 225))
        size = 0.42 * (foot - HORIZON) + 8
        half, tall = KINDS[kind][0] * size / 2, KINDS[kind][1] * size
        top = (0.12 if kind == "cone" else 1.0) * half
        x += int(self.rng.integers(-12, 13))
        outline = [(x - half, foot), (x - top, foot - tall), (x + top, foot - tall), (x + half, foot)]
        return {"kind": kind, "colour": colour, "foot": (x, foot), "half": half,
                "outline": [(round(px), round(py)) for px, py in outline]}  # fmt: skip

    def _draw(self, thing: dict[str, Any]) -> None:
        colour = np.array(COLOURS[thing["colour"]]) + self.rng.integers(-15, 16)
        dark, points = (0.6 * colour).tolist(), np.array(thing["outline"], np.int32)
        cv2.fillPoly(self.image, [points], np.clip(colour, 0, 255).tolist())
        (x0, y1), (_, y0), x1 = points[0], points[1], points[3][0]
        if thing["kind"] == "crate":
            cv2.rectangle(self.image, (int(x0), int(y0)), (int(x1), int(y1)), dark, 2)
            cv2.line(self.image, (int(x0), int(y0)), (int(x1), int(y1)), dark, 2, cv2.LINE_AA)
        else:
            white = (235, 235, 235) if thing["kind"] == "cone" else dark
            for share in (0.35, 0.7):
                y, wide = round(y1 + share * (y0 - y1)), 1.0 if thing["kind"] == "barrel" else 1.0 - 0.88 * share
                half = round(thing["half"] * wide) - 1
                cv2.line(self.image, (thing["foot"][0] - half, y), (thing["foot"][0] + half, y), white, 3)

    def visible(self, thing: dict[str, Any]) -> np.ndarray:
        """The pixels of a thing that nothing nearer hides."""
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        cv2.fillPoly(mask, [np.array(thing["outline"], np.int32)], 255)
        for other in self.things[self.things.index(thing) + 1 :]:
            cv2.fillPoly(mask, [np.array(other["outline"], np.int32)], 0)
        return mask

    def ground_before(self, thing: dict[str, Any]) -> np.ndarray:
        """The floor to stop on in front of a thing."""
        mask, (x, y), half = np.zeros((HEIGHT, WIDTH), np.uint8), thing["foot"], thing["half"]
        far, near = min(y + 4, HEIGHT - 12), min(y + 40, HEIGHT - 1)
        corners = [(x - half, far), (x + half, far), (x + 1.5 * half, near), (x - 1.5 * half, near)]
        cv2.fillPoly(mask, [np.array(corners).round().astype(np.int32)], 255)
        for other in self.things:
            mask[self.visible(other) > 0] = 0
        return mask


def expressions(picture: Picture) -> list[tuple[str, dict[str, Any] | None]]:
    """What is said of a picture: every thing by its colour, ends of rows, and what is not there."""
    things = picture.things
    said: list[tuple[str, dict[str, Any] | None]] = [(f"the {t['colour']} {t['kind']}", t) for t in things]
    row = sorted(things, key=lambda t: t["foot"][0])
    said += [("the leftmost object", row[0]), ("the object on the right", row[-1])]
    here = {(t["kind"], t["colour"]) for t in things}
    missing = [(k, c) for k in {t["kind"] for t in things} for c in COLOURS if (k, c) not in here]
    wrong = sorted(missing)[int(picture.rng.integers(len(missing)))]
    gone = sorted(set(KINDS) - {t["kind"] for t in things}) or ["forklift"]
    return [*said, (f"the {wrong[1]} {wrong[0]}", None), (f"the {gone[0]}", None)]


def write(here: Path) -> None:
    """Write pictures, annotations.json, masks and expressions.jsonl into a folder."""
    for name in ("pictures", "masks"):
        (here / name).mkdir(exist_ok=True)
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for number in range(COUNT):
        picture, name = Picture(number), f"pictures/yard{number:02d}.jpg"
        cv2.imwrite(str(here / name), picture.image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        images.append({"id": number, "file_name": name, "width": WIDTH, "height": HEIGHT})
        forms: dict[int, Any] = {}
        for index, thing in enumerate(picture.things):
            if number < COUNT - WITH_PNG:
                parts, _ = cv2.findContours(picture.visible(thing), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
                polygons = [part.ravel().tolist() for part in parts if len(part) > 2]
                annotations.append({"id": len(annotations) + 1, "image_id": number, "category_id":
                                    1 + list(KINDS).index(thing["kind"]), "segmentation": polygons})  # fmt: skip
                forms[id(thing)] = {"coco": "annotations.json", "id": len(annotations)}
            else:
                forms[id(thing)] = f"masks/yard{number:02d}_{index}.png"
                cv2.imwrite(str(here / forms[id(thing)]), picture.visible(thing))
        for text, thing in expressions(picture):
            lines.append({"image": name, "expression": text, "mask": None if thing is None else forms[id(thing)]})
        first = picture.things[0]
        region = f"masks/yard{number:02d}_stop.png"
        cv2.imwrite(str(here / region), picture.ground_before(first))
        text = f"stop in front of the {first['colour']} {first['kind']}"
        lines.append({"image": name, "expression": text, "mask": forms[id(first)], "region": region})
    categories = [{"id": number, "name": kind} for number, kind in enumerate(KINDS, 1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (here / "annotations.json").write_text(json.dumps(content) + "\n", encoding="utf-8")
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (here / "expressions.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(__file__).parent)
