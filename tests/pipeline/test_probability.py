# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Probability planes agree with the logits they come from."""

from __future__ import annotations

import numpy as np

from ris_node.pipeline.grounding import probability, probability_bytes
from ris_node.pipeline.letterbox import Letterbox
from ris_node.pipeline.segmenter import sigmoid


def test_a_table_is_as_good_as_the_function():
    box = Letterbox.fit(641, 479, 320, 256)
    logits = np.random.default_rng(0).normal(0, 8, (64, 80)).astype(np.float32)
    exact = sigmoid(box.restore(logits))
    assert np.abs(probability_bytes(box, logits) / 255.0 - exact).max() < 0.015
    assert np.abs(probability(box.restore(logits)) - exact).max() < 0.015
    assert probability(np.full((6, 8), 1e4, np.float32)).min() > 0.999
    assert probability(np.full((6, 8), -1e4, np.float32)).max() < 0.001
