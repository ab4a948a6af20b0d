# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The honest status: thresholds in force, bands, several referents, and smoothing that never mixes queries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ris_node.bundle import Thresholds
from ris_node.config import OutputConfig
from ris_node.pipeline.segmenter import RawAnswer, Smoother, logit, sigmoid
from ris_node.pipeline.verdict import Limits, by_presence
from ris_node.types import Frame, QueryKind, Status

BUNDLE = Thresholds(mask=0.4, presence=0.6, uncertain_band=0.2, region=0.3, min_area_fraction=0.01)


def test_the_bundle_decides_where_the_configuration_does_not():
    assert Limits.of(OutputConfig(), BUNDLE) == Limits(0.4, 0.6, 0.2, 0.3, 0.01, 0.6)
    own = OutputConfig(mask_threshold=0.0, presence_threshold=0.9, uncertain_band=0.0, min_area_fraction=0.0)
    assert Limits.of(own, BUNDLE) == Limits(0.0, 0.9, 0.0, 0.3, 0.0, 0.9)


@pytest.mark.parametrize(
    "presence, status",
    [
        (1.0, Status.PRESENT),
        (0.6, Status.PRESENT),
        (0.59, Status.UNCERTAIN),
        (0.41, Status.UNCERTAIN),
        (0.39, Status.ABSENT),
        (0.0, Status.ABSENT),
    ],
)
def test_presence_and_its_band(presence, status):
    assert by_presence(presence, Limits.of(OutputConfig(), BUNDLE)) == status


def test_commands_have_their_own_threshold():
    limits = Limits.of(OutputConfig(), replace(BUNDLE, presence_command=0.3))
    assert by_presence(0.35, limits) == Status.ABSENT
    assert by_presence(0.35, limits, QueryKind.REGION) == Status.PRESENT
    own = Limits.of(OutputConfig(presence_threshold=0.9), replace(BUNDLE, presence_command=0.3))
    assert by_presence(0.5, own, QueryKind.REGION) == Status.ABSENT


def test_logits_and_probabilities_are_inverse_at_any_size():
    values = np.array([0.001, 0.3, 0.5, 0.999], np.float32)
    assert np.allclose(sigmoid(np.array([logit(float(v)) for v in values], np.float32)), values, atol=1e-6)
    assert (logit(0.0), logit(1.0)) == (float("-inf"), float("inf"))
    assert np.array_equal(sigmoid(np.array([-1e9, 1e9], np.float32)), [0, 1])


def raw(value):
    return RawAnswer(np.full((2, 2), value, np.float32), np.full((2, 2), -value, np.float32), value)


def frame(stamp_ns, width=8):
    return Frame(np.zeros((6, width, 3), np.uint8), stamp_ns=stamp_ns)


def test_smoothing_is_an_average_of_one_query():
    smoother = Smoother()
    assert smoother.smooth(raw(4.0), "a", frame(1), 0.5).presence_logit == 4.0
    second = smoother.smooth(raw(0.0), "a", frame(2), 0.5)
    assert (second.presence_logit, second.mask_logits[0, 0], second.region_logits[0, 0]) == (2.0, 2.0, -2.0)
    assert smoother.smooth(raw(0.0), "a", frame(2), 0.5).presence_logit == 1.0  # a stamp that stands still goes on


@pytest.mark.parametrize(
    "query, at, weight", [("b", frame(9), 0.5), ("a", frame(1), 0.5), ("a", frame(9, 10), 0.5), ("a", frame(9), 0.0)]
)
def test_smoothing_starts_afresh(query, at, weight):
    smoother = Smoother()
    smoother.smooth(raw(4.0), "a", frame(5), 0.5)
    assert smoother.smooth(raw(0.0), query, at, weight).presence_logit == 0.0
    smoother.reset()
    assert smoother.smooth(raw(1.0), query, at, 0.5).presence_logit == 1.0
