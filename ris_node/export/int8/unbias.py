# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Rounded weights shift a convolution's mean output by (rounded - exact) times its mean input: take that off its bias.

After the bias correction of Nagel et al. 2019, with the means measured on real inputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ris_node.export.int8.ranges import Feeds, observe
from ris_node.export.onnx_edit import Array, attribute, constants, set_constant

STEPS = 127.0  # of a symmetric int8 weight, per output channel


def correct_biases(model: Any, feeds: Feeds) -> int:
    """Correct every convolution with a bias of its own, in place.

    Args:
        model: a float32 model whose weights will be rounded to int8 per output channel.
        feeds: real inputs.

    Returns:
        How many were corrected.
    """
    values = constants(model)
    read = [name for node in model.graph.node for name in node.input]
    convs = [
        node
        for node in model.graph.node
        if node.op_type == "Conv" and len(node.input) > 2 and node.input[1] in values and read.count(node.input[2]) == 1
    ]
    means = channel_means(model, sorted({node.input[0] for node in convs}), feeds)
    for node in convs:
        weight, bias = values[node.input[1]], values[node.input[2]]
        shift = (rounded(weight) - weight).sum((2, 3))  # [out, in of the group]
        groups = int(attribute(node, "group", 1))
        mean = means[node.input[0]].reshape(groups, -1).repeat(len(weight) // groups, 0)  # what each output reads
        set_constant(model, node.input[2], (bias - (shift * mean).sum(1)).astype(np.float32))
    return len(convs)


def rounded(weight: Array) -> Array:
    """Weights [out, ...] as int8 with one scale an output channel holds them, in float32."""
    axes = tuple(range(1, weight.ndim))
    scale = np.maximum(np.abs(weight).max(axes, keepdims=True), 1e-12) / STEPS
    return np.asarray(np.round(weight / scale) * scale, np.float32)


def channel_means(model: Any, names: list[str], feeds: Feeds) -> dict[str, Array]:
    """Mean of each channel of maps [1,C,H,W] over all feeds: name -> f64[C]."""
    sums: dict[str, Array] = {}

    def see(name: str, value: Array) -> None:
        sums[name] = sums.get(name, 0.0) + value.mean((0, 2, 3), dtype=np.float64)

    observe(model, names, feeds, see)
    return {name: total / len(feeds) for name, total in sums.items()}
