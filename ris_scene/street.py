# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The street as a curve with offsets: distance along it (s), offset from its centre line (d, left positive)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ris_node.types import F64
from ris_scene.domains import Layout

PARALLEL_DEPTH, PARALLEL_PITCH = 2.3, 6.3
BAY_DEPTH, BAY_PITCH = 5.0, 2.75
KERB, KERB_HEIGHT = 0.15, 0.12


def parking_depth(kind: str) -> float:
    """Return the width in metres that a kind of parking takes from the carriageway's edge to the kerb."""
    return {"none": 0.0, "parallel": PARALLEL_DEPTH, "bays": BAY_DEPTH}[kind]


@dataclass(frozen=True)
class Street:
    """A street seen from a vehicle at (s, d) = (`ego_s`, `ego_d`) that heads along it.

    Maps (s, d) to `base_link` (x, y) in metres and back. The curve is an arc of constant curvature.
    """

    layout: Layout
    ego_s: float
    ego_d: float

    @property
    def right_lane_edge(self) -> float:
        """Offset d of the right edge of the driving lanes."""
        return -self.layout.lanes_forward * self.layout.lane

    @property
    def left_lane_edge(self) -> float:
        """Offset d of the left edge of the driving lanes."""
        return self.layout.lanes_back * self.layout.lane

    @property
    def right_kerb(self) -> float:
        """Offset d of the right kerb's road side, beyond any parking."""
        return self.right_lane_edge - parking_depth(self.layout.parking_right)

    @property
    def left_kerb(self) -> float:
        """Offset d of the left kerb's road side, beyond any parking."""
        return self.left_lane_edge + parking_depth(self.layout.parking_left)

    def to_base(self, s: F64, d: F64) -> F64:
        """Map (s, d) f64[N] each to points f64[N,2] in `base_link`."""
        s, d = np.asarray(s, dtype=np.float64) - self.ego_s, np.asarray(d, dtype=np.float64)
        k = self.layout.curvature
        if abs(k) < 1e-9:
            return np.stack([s, d - self.ego_d], axis=-1)
        angle = k * s
        x, y = np.sin(angle) / k, (1 - np.cos(angle)) / k
        return np.stack([x - d * np.sin(angle), y + d * np.cos(angle) - self.ego_d], axis=-1)

    def from_base(self, xy: F64) -> F64:
        """Map points f64[N,2] of `base_link` to (s, d) f64[N,2]."""
        xy = np.asarray(xy, dtype=np.float64)
        k = self.layout.curvature
        x, y = xy[..., 0], xy[..., 1] + self.ego_d
        if abs(k) < 1e-9:
            return np.stack([x + self.ego_s, y], axis=-1)
        turn = np.sign(k)
        angle = np.arctan2(turn * x, turn * (1 / k - y))
        return np.stack([angle / k + self.ego_s, 1 / k - turn * np.hypot(x, 1 / k - y)], axis=-1)

    def yaw(self, s: float) -> float:
        """Heading of the street at `s` in `base_link`, radians."""
        return self.layout.curvature * (s - self.ego_s)

    def strip(self, s0: float, s1: float, d0: float, d1: float, step: float = 4.0) -> F64:
        """Return the outline f64[N,2] in `base_link` of the patch s0..s1, d0..d1."""
        parts = 1 if abs(self.layout.curvature) < 1e-9 else max(1, int(np.ceil((s1 - s0) / step)))
        s = np.linspace(s0, s1, parts + 1)
        return np.concatenate([self.to_base(s, np.full_like(s, d0)), self.to_base(s[::-1], np.full_like(s, d1))])
