# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of drawn pictures with expressions, as somebody's own data."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220), "green": (40, 200, 60)}


def make_folder(folder: Path, pictures: int) -> Path:
    """Pictures of two coloured boxes, one line a text; masks as PNG, run lengths and polygons in turn."""
    lines = []
    for number in range(pictures):
        rng = np.random.default_rng(number)
        image = np.full((120, 180, 3), 120, np.uint8)
        names = rng.permutation(list(COLOURS)).tolist()
        for name, x in zip(names[:2], (10, 100), strict=True):
            y, mask = int(rng.integers(0, 60)), np.zeros((120, 180), np.uint8)
            image[y : y + 55, x : x + 60], mask[y : y + 55, x : x + 60] = COLOURS[name], 255
            form: object = [[x, y, x + 60, y, x + 60, y + 55, x, y + 55]]
            if number % 3 == 0:
                form = f"mask-{number}-{name}.png"
                cv2.imwrite(str(folder / form), mask)
            elif number % 3 == 1:
                edges = np.flatnonzero(np.diff(np.concatenate([[0], (mask > 0).ravel(), [0]])))
                form = np.diff(np.concatenate([[0], edges, [mask.size]])).tolist()
                form = form if form[-1] else form[:-1]
            lines.append({"image": f"{number}.png", "expression": f"the {name} box", "mask": form})
        lines.append({"image": f"{number}.png", "expression": f"the {names[2]} box", "mask": None})
        cv2.imwrite(str(folder / f"{number}.png"), image[..., ::-1])
    path = folder / "expressions.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
