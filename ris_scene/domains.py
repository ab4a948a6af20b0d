# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The three domains of scenes: seeds, palettes and layouts that no two of them share."""

from __future__ import annotations

from dataclasses import dataclass

from ris_node.errors import ConfigError
from ris_scene import palette
from ris_scene.palette import Palette, table


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The cross-section and shape of a street, in metres; d is the offset from the centre line, positive left.

    `parking_*` is "none", "parallel" or "bays" (at right angles to the kerb); `curvature` in 1/m is positive
    to the left; `crossing_every` is the distance between zebra crossings (0: none); `setback` is the distance of
    the houses from the pavement and `house` the mean width of a front.
    """

    name: str
    lanes_forward: int
    lanes_back: int
    lane: float
    parking_right: str
    parking_left: str
    pavement: float
    verge: float
    curvature: float
    crossing_every: float
    setback: float
    house: float
    storeys: tuple[int, int]
    trees: float


@dataclass(frozen=True)
class Domain:
    """Set of scenes: every seed in [first_seed, last_seed] is one."""

    name: str
    first_seed: int
    last_seed: int
    palette: Palette
    layouts: tuple[Layout, ...]

    def layout(self, name: str) -> Layout:
        """Find a layout by its name.

        Raises:
            ConfigError: when this domain has no such layout.
        """
        for layout in self.layouts:
            if layout.name == name:
                return layout
        known = ", ".join(layout.name for layout in self.layouts)
        raise ConfigError(f"no layout {name!r} in the scene domain {self.name!r}; choose one of: {known}")


_LAYOUT = """name lanes_forward lanes_back lane parking_right parking_left pavement verge
    curvature crossing_every setback house storeys trees"""
_TRAIN = Domain(
    "train",
    0,
    99_999,
    palette.TRAIN,
    table(
        Layout,
        _LAYOUT,
        ("terrace", 1, 1, 3.1, "parallel", "parallel", 2.2, 0.0, 0.0, 70.0, 0.6, 7.0, (2, 3), 0.3),
        ("high street", 1, 1, 3.3, "bays", "parallel", 3.2, 0.0, 0.0, 55.0, 0.2, 9.0, (3, 5), 0.35),
        ("boulevard", 2, 2, 3.2, "parallel", "none", 3.6, 1.6, 0.0, 90.0, 2.0, 14.0, (4, 6), 0.8),
        ("bend", 1, 1, 3.4, "none", "parallel", 2.4, 0.0, 0.0035, 80.0, 3.0, 10.0, (2, 3), 0.6),
        ("one way", 2, 0, 2.9, "parallel", "bays", 2.6, 0.0, 0.0, 65.0, 0.3, 8.5, (3, 4), 0.25),
        ("suburb", 1, 1, 3.0, "none", "none", 2.0, 2.2, -0.003, 0.0, 6.5, 11.0, (1, 2), 1.0),
        ("market", 1, 1, 3.5, "parallel", "bays", 4.0, 0.0, -0.002, 45.0, 0.1, 8.0, (2, 4), 0.5),
        ("arterial", 3, 2, 3.45, "none", "none", 3.0, 2.8, 0.0015, 0.0, 4.0, 18.0, (3, 7), 0.7),
    ),
)
_VAL = Domain(
    "val",
    100_000,
    109_999,
    palette.VAL,
    table(
        Layout,
        _LAYOUT,
        ("avenue", 1, 1, 3.25, "parallel", "bays", 2.9, 1.2, 0.0, 75.0, 1.2, 10.5, (3, 4), 0.7),
        ("crescent", 1, 1, 3.15, "parallel", "none", 2.3, 0.0, 0.0045, 60.0, 2.4, 9.5, (2, 4), 0.5),
        ("dual", 2, 1, 3.05, "none", "parallel", 3.1, 0.0, -0.0012, 85.0, 0.8, 12.0, (3, 5), 0.4),
    ),
)
_DEMO = Domain(
    "demo",
    200_000,
    200_999,
    palette.DEMO,
    table(
        Layout,
        _LAYOUT,
        ("main street", 1, 1, 3.35, "bays", "parallel", 3.4, 0.0, 0.001, 62.0, 0.4, 10.0, (2, 4), 0.55),
        ("park side", 1, 1, 3.22, "parallel", "parallel", 2.8, 1.4, -0.0016, 72.0, 1.6, 11.5, (3, 5), 0.9),
    ),
)

DOMAINS: dict[str, Domain] = {domain.name: domain for domain in (_TRAIN, _VAL, _DEMO)}


def domain_named(name: str) -> Domain:
    """Look a domain up.

    Raises:
        ConfigError: when there is none of that name.
    """
    if name not in DOMAINS:
        raise ConfigError(f"no scene domain {name!r}; choose one of: {', '.join(DOMAINS)}")
    return DOMAINS[name]
