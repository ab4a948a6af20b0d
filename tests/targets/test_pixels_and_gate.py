# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from ris_node.targets.hold import TargetGate
from ris_node.targets.pixels import interior_point, likeliest_point
from ris_node.types import RegionTarget, TargetStatus


def test_interior_point_is_the_middle_of_the_likeliest_component() -> None:
    belief = np.zeros((100, 200), np.float32)
    belief[10:40, 10:50] = 0.6
    belief[60:91, 100:141] = 0.9
    assert interior_point(belief) == (120.0, 75.0)
    assert interior_point(belief > 0.8) == (120.0, 75.0)
    assert interior_point(np.zeros((5, 5), bool)) is None
    ring = np.zeros((61, 61), bool)
    ring[5:56, 5:56] = True
    ring[15:46, 15:46] = False
    x, y = interior_point(ring) or (0.0, 0.0)
    assert ring[int(y), int(x)]


def test_the_likeliest_point_has_the_most_probability_around_it() -> None:
    belief = np.full((64, 80), 0.3, np.float32)  # a wide region that nobody is sure of ...
    belief[20:40, 50:70] = 0.8  # ... with a place that is nearly sure
    belief[5, 5] = 1.0  # and a spot of noise
    x, y = likeliest_point(belief, 0.2) or (0.0, 0.0)
    assert 55 <= x <= 64 and 26 <= y <= 33
    belief[25:35, 54:66] = 0.1  # the goal lies on the region, also where that has a hole
    x, y = likeliest_point(belief, 0.2) or (0.0, 0.0)
    assert belief[int(y), int(x)] > 0.2
    assert likeliest_point(belief, 1.0) is None


@pytest.mark.parametrize("at", [(40.0, 30.0), (40.3, 30.4), (39.7, 29.6)])
def test_the_likeliest_point_lies_between_pixels(at: tuple[float, float]) -> None:
    y, x = np.mgrid[:64, :80]
    belief = np.exp(-0.5 * (((x - at[0]) / 6) ** 2 + ((y - at[1]) / 1.5) ** 2)).astype(np.float32)
    assert likeliest_point(belief, 0.3) == pytest.approx(at, abs=0.05)
    assert likeliest_point(np.ones((1, 1), np.float32), 0.3) == (0.0, 0.0)


def ok(x: float) -> RegionTarget:
    return RegionTarget(status=TargetStatus.OK, frame_id="base_link", position=np.array([x, 0.0, 0.0]))


def test_gate_confirms_after_enough_steady_frames_and_goes_stale_once() -> None:
    gate = TargetGate(frames=3)
    assert [gate.update("a", ok(x))[1] for x in (5.0, 5.1, 5.3, 5.2)] == [False, False, True, True]
    lost, confirmed = gate.update("a", None)
    assert lost is not None
    assert (lost.status, confirmed) == (TargetStatus.STALE, False)
    assert gate.update("a", None) == (None, False)
    assert not gate.update("a", ok(5.0))[1]
    assert [gate.update("a", ok(x))[1] for x in (5.0, 9.0, 9.0, 9.0)] == [False, False, False, True]
    assert not gate.update("b", ok(9.0))[1]  # another query starts again
    refused = RegionTarget(status=TargetStatus.TOO_SMALL)
    assert gate.update("b", refused) == (refused, False)
    gate.reset()
    assert gate.count == 0
