# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Prepare weights for INT8: equalise channel ranges across layers, and correct biases for rounded weights.

Both after Nagel et al. 2019. Equalisation moves a positive factor per channel from the second convolution's weights
into the first's, through a ReLU, without changing what the network computes (with the square root of SmoothQuant).
Rounded weights shift a convolution's mean output by (rounded - exact) times its mean input, which is measured on real
inputs and taken off the bias.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto

from ris_node.export.int8.ranges import Feeds, observe
from ris_node.export.onnx_edit import Array, attribute, constants, readers, set_constant

STEPS = 127.0  # of a symmetric int8 weight, per output channel
SHARE = 0.5  # of a channel's spread that moves into the weights of the second convolution
LARGEST = 16.0  # a factor beyond this (or below its inverse) is no longer about ranges


@dataclass(frozen=True)
class Pair:
    """Two convolutions and the tensor between them, which nobody else reads."""

    first: NodeProto
    second: NodeProto
    between: str


def pairs(model: ModelProto) -> Iterator[Pair]:
    """Yield every convolution that feeds just one other, directly or through a ReLU."""
    used, outputs = readers(model), {o.name for o in model.graph.output}
    for node in model.graph.node:
        if node.op_type != "Conv" or len(node.input) < 3:
            continue
        tensor, after = node.output[0], used.get(node.output[0], [])
        if len(after) == 1 and after[0].op_type == "Relu" and tensor not in outputs:
            tensor = after[0].output[0]
            after = used.get(tensor, [])
        if len(after) == 1 and after[0].op_type == "Conv" and tensor not in outputs and after[0].input[0] == tensor:
            yield Pair(node, after[0], tensor)


def equalise(model: ModelProto, largest: Mapping[str, Array]) -> int:
    """Equalise every pair in place.

    Args:
        model: an ONNX model with float32 constants.
        largest: tensor name -> largest absolute value of each channel, f32[C], over real inputs.

    Returns:
        How many pairs were changed.
    """
    values, changed = constants(model), 0
    shared = [name for node in model.graph.node for name in node.input if name in values]
    for pair in pairs(model):
        names = (pair.first.input[1], pair.first.input[2], pair.second.input[1])
        if pair.between not in largest or any(shared.count(name) > 1 for name in names):
            continue
        first, bias, second = (values[name] for name in names)
        whole = int(attribute(pair.second, "group", 1)) == 1
        if not whole and second.shape[1] != 1:
            continue  # groups of several channels: none here
        factor = _factors(largest[pair.between], np.abs(second).max((0, 2, 3) if whole else (1, 2, 3)))
        across = factor.reshape(1, -1, 1, 1) if whole else factor.reshape(-1, 1, 1, 1)
        for name, value in zip(
            names, (first / factor.reshape(-1, 1, 1, 1), bias / factor, second * across), strict=True
        ):
            values[name] = value.astype(np.float32)
            set_constant(model, name, values[name])
        changed += 1
    return changed


def _factors(activation: Array, weight: Array) -> Array:
    """Factors f32[C] that bring activation ranges together, as far as the weights behind can take it."""
    alive = (activation > 0) & (weight > 0)
    factor = np.ones_like(activation)
    factor[alive] = activation[alive] ** SHARE / weight[alive] ** (1 - SHARE)
    middle = np.exp(np.log(factor[alive]).mean()) if alive.any() else 1.0
    factor = np.where(alive, factor / middle, 1.0)
    return np.asarray(np.clip(factor, 1 / LARGEST, LARGEST), np.float32)


def correct_biases(model: ModelProto, feeds: Feeds) -> int:
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
    """Return weights [out, ...] as int8 with one scale an output channel holds them, in float32."""
    axes = tuple(range(1, weight.ndim))
    scale = np.maximum(np.abs(weight).max(axes, keepdims=True), 1e-12) / STEPS
    return np.asarray(np.round(weight / scale) * scale, np.float32)


def channel_means(model: ModelProto, names: list[str], feeds: Feeds) -> dict[str, Array]:
    """Return the mean of each channel of maps [1,C,H,W] over all feeds: name -> f64[C]."""
    sums: dict[str, Array] = {}

    def see(name: str, value: Array) -> None:
        sums[name] = sums.get(name, 0.0) + value.mean((0, 2, 3), dtype=np.float64)

    observe(model, names, feeds, see)
    return {name: total / len(feeds) for name, total in sums.items()}
