# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Run lengths: round trips, the documented form, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from ris_node.errors import DataError
from ris_node.rle import decode_rle, encode_rle


def test_form():
    assert encode_rle(np.array([[0, 0, 1], [1, 0, 0]], bool)) == [2, 2, 2]
    assert encode_rle(np.array([[1, 0]], bool)) == [0, 1, 1]
    assert encode_rle(np.zeros((2, 3), bool)) == [6]
    assert encode_rle(np.ones((2, 3), bool)) == [0, 6]
    assert encode_rle(np.zeros((0, 3), bool)) == []


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 1), (13, 17)])
@pytest.mark.parametrize("density", [0.0, 0.1, 0.5, 1.0])
def test_round_trip(shape, density):
    mask = np.random.default_rng(1).random(shape) < density
    runs = encode_rle(mask)
    assert all(isinstance(n, int) for n in runs)
    np.testing.assert_array_equal(decode_rle(runs, *shape), mask)


@pytest.mark.parametrize("runs", [[5], [3, 4], [-1, 7], [2.5, 3.5], [[1, 5]]])
def test_refused(runs):
    with pytest.raises(DataError):
        decode_rle(runs, 2, 3)


def test_refuses_a_stack_of_masks():
    with pytest.raises(DataError, match="two dimensions"):
        encode_rle(np.zeros((2, 2, 2), bool))
