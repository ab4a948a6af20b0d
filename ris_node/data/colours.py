# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Colour words judged from pixels: the share of an object in each named colour, and a verdict in three values."""

from __future__ import annotations

import cv2
import numpy as np

from ris_node.types import F32, U8, Bool

COLOUR_NAMES = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "white", "grey", "black", "brown")
COLOUR_WORDS: dict[str, tuple[str, ...]] = {
    "red": ("red",),
    "grey": ("grey", "gray", "silver"),
    "white": ("white",),
    "black": ("black",),
    "blue": ("blue",),
    "green": ("green",),
    "yellow": ("yellow",),
    "orange": ("orange",),
    "brown": ("brown",),
    "purple": ("purple", "violet"),
    "pink": ("pink",),
}
# Share of an object's pixels from which a colour is said, and up to which it is denied. Chromatic paint covers little
# of a car between glass, tyres and shadow; grey and black are everywhere, so they need most of it.
_SAY = {"white": 0.45, "grey": 0.62, "black": 0.66}
_DENY = {"white": 0.12, "grey": 0.25, "black": 0.35}
_SAY_CHROMATIC, _DENY_CHROMATIC = 0.33, 0.04
# Neighbours that people mix up: neither is denied while the other is strong.
MIXED_COLOURS = {
    "red": ("orange", "pink", "brown", "purple"), "orange": ("red", "yellow", "brown"), "yellow": ("orange", "green"),
    "green": ("yellow", "blue"), "blue": ("green", "purple", "grey"), "purple": ("pink", "blue", "red"),
    "pink": ("red", "purple"), "white": ("grey",),
    "grey": ("white", "black", "blue"), "black": ("grey", "brown", "blue"),
    "brown": ("red", "orange", "black"),
}  # fmt: skip


def colour_index(hsv: U8) -> U8:
    """Return the index into COLOUR_NAMES of each pixel of an OpenCV HSV image u8[...,3] (hue 0..179); 255: unclear."""
    h, s, v = hsv[..., 0].astype(np.int16), hsv[..., 1], hsv[..., 2]
    out = np.full(h.shape, 255, np.uint8)
    vivid = (s >= 90) & (v >= 50)
    hues = (("red", 0, 7), ("orange", 7, 18), ("yellow", 18, 33), ("green", 33, 85), ("blue", 85, 130),
            ("purple", 130, 148), ("pink", 148, 172), ("red", 172, 180))  # fmt: skip
    for name, low, high in hues:
        out[vivid & (h >= low) & (h < high)] = COLOUR_NAMES.index(name)
    out[vivid & (h < 18) & (v < 110)] = COLOUR_NAMES.index("brown")
    out[vivid & ((h < 7) | (h >= 172)) & (s >= 130)] = COLOUR_NAMES.index("red")
    dull = s < 60
    out[dull & (v >= 185)] = COLOUR_NAMES.index("white")
    out[dull & (v >= 75) & (v < 185)] = COLOUR_NAMES.index("grey")
    out[v < 50] = COLOUR_NAMES.index("black")
    return out


def colour_shares(image: U8, mask: Bool) -> F32:
    """Return the share f32[len(COLOUR_NAMES)] of a mask bool[h,w] in each colour, over an RGB crop u8[h,w,3]."""
    hsv = np.asarray(cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HSV), np.uint8)
    index = colour_index(hsv[mask].reshape(1, -1, 3))
    counts = np.bincount(index.ravel(), minlength=256)[: len(COLOUR_NAMES)]
    return (counts / max(int(mask.sum()), 1)).astype(np.float32)


def colour_verdict(shares: F32, name: str) -> int:
    """Judge whether the colour of these shares is `name`: 1 it is, -1 it clearly is not, 0 people would differ."""
    index = COLOUR_NAMES.index(name)
    share = float(shares[index])
    say, deny = _SAY.get(name, _SAY_CHROMATIC), _DENY.get(name, _DENY_CHROMATIC)
    chromatic = float(shares[[i for i, n in enumerate(COLOUR_NAMES) if n not in _SAY]].max())
    rival = max(float(shares[COLOUR_NAMES.index(n)]) for n in MIXED_COLOURS[name])
    if name in _SAY:
        if share >= say and chromatic < 0.15:
            return 1
    elif share >= say and rival < 0.6 * share:
        return 1
    return -1 if share <= deny and rival < 0.5 + 0.3 * (name in _SAY) else 0
