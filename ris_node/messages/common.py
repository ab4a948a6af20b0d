# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Headers, durations and polygons, the parts of most messages."""

from __future__ import annotations

from typing import Any

import numpy as np

from ris_node.messages.types import Make, PolygonMsg
from ris_node.stamps import NS_PER_S
from ris_node.types import F32, F64


def stamp_to_msg(make: Make, stamp_ns: int) -> Any:
    """Return a `builtin_interfaces/Time` of nanoseconds."""
    return make("builtin_interfaces/Time", sec=stamp_ns // NS_PER_S, nanosec=stamp_ns % NS_PER_S)


def duration_to_msg(make: Make, seconds: float) -> Any:
    """Return a `builtin_interfaces/Duration` of seconds, to the nanosecond."""
    total = round(seconds * NS_PER_S)
    return make("builtin_interfaces/Duration", sec=total // NS_PER_S, nanosec=total % NS_PER_S)


def header_to_msg(make: Make, stamp_ns: int, frame_id: str) -> Any:
    """Return a `std_msgs/Header`."""
    return make("std_msgs/Header", stamp=stamp_to_msg(make, stamp_ns), frame_id=frame_id)


def polygon_to_msg(make: Make, points: F32 | F64) -> Any:
    """Return a `geometry_msgs/Polygon` of points [N,2] or [N,3]; a missing z is 0."""
    corners = [
        make("geometry_msgs/Point32", x=p[0], y=p[1], z=p[2] if len(p) > 2 else 0.0)
        for p in np.asarray(points, np.float64).tolist()
    ]
    return make("geometry_msgs/Polygon", points=corners)


def polygon_from_msg(msg: PolygonMsg) -> F64:
    """Return the points f64[N,2] of a `geometry_msgs/Polygon`; z is dropped."""
    return np.array([(p.x, p.y) for p in msg.points], np.float64).reshape(-1, 2)
