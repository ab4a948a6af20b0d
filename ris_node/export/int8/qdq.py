# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A Q/DQ graph for the CPU tidied up: no roundings that nobody asked for, bytes that stay bytes."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, helper

from ris_node.export.int8.image import image_scale
from ris_node.export.int8.rewriter import Rewriter

INTEGER = ("Conv", "GlobalAveragePool", "QuantizeLinear", "MatMulIntegerToFloat")  # they read bytes anyway


def tidy(model: ModelProto) -> dict[str, int]:
    """Apply every rule in place; return how often each one did."""
    graph, done = Rewriter(model), {}
    for rule in (floats_where_floats_are, numbers_into_scales, bytes_of_the_image):
        done[rule.__name__] = rule(graph)
        graph.refresh()
    return done


def floats_where_floats_are(graph: Rewriter) -> int:
    """Leave a float result that is rounded for a convolution as it is for its readers in float."""
    count = 0
    rounded = _in_bytes(graph)
    for node in graph.model.graph.node:
        before = graph.makers.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        if before is None or before.op_type != "QuantizeLinear" or before.input[0] in rounded:
            continue
        for reader in graph.used.get(node.output[0], []):
            if reader.op_type in INTEGER or (reader.op_type == "Add" and set(reader.output) & rounded):
                continue
            for index, name in enumerate(reader.input):
                if name == node.output[0]:
                    reader.input[index] = before.input[0]
                    count += 1
    return count


def _in_bytes(graph: Rewriter) -> set[str]:
    """Float tensors that the runtime never makes, because it computes the node and its rounding in int8."""
    found: set[str] = set()
    for node in graph.model.graph.node:
        sources = [graph.makers.get(name) for name in node.input if name not in graph.known]
        known = all(s is not None and (s.op_type == "DequantizeLinear" or s.output[0] in found) for s in sources)
        if known and node.op_type in ("Conv", "Relu", "Clip", "GlobalAveragePool", "Add"):
            found.update(node.output)
    return found


def numbers_into_scales(graph: Rewriter) -> int:
    """Fold a positive factor of bytes into their scale."""
    count = 0
    for node in list(graph.model.graph.node):
        if node.op_type != "Mul":
            continue
        for name, other in (tuple(node.input), tuple(node.input)[::-1]):
            before, number = graph.makers.get(name), graph.known.get(other)
            if before is None or before.op_type != "DequantizeLinear" or number is None or number.size != 1:
                continue
            if before.input[1] not in graph.known or float(number.ravel()[0]) <= 0:
                continue
            scale = np.float32(graph.known[before.input[1]] * float(number.ravel()[0]))
            scaled = graph.constant(f"{node.output[0]}_bytes_scale", np.atleast_1d(scale))
            inputs = [before.input[0], scaled, *before.input[2:]]
            graph.swap([node], [helper.make_node("DequantizeLinear", inputs, list(node.output), node.name)])
            count += 1
            break
    return count


def bytes_of_the_image(graph: Rewriter) -> int:
    """Take an image's bytes as they are where it is normalised and rounded back (see `exact_ranges`)."""
    count = 0
    for node in list(graph.model.graph.node):
        if node.op_type != "QuantizeLinear" or image_scale(graph, node.input[0]) is None:
            continue
        layout, name = [], node.input[0]
        while (maker := graph.makers.get(name)) is not None:
            layout += [maker] if maker.op_type in ("Transpose", "Reshape") else []
            name = maker.input[0]
        nodes = []
        for index, maker in enumerate(reversed(layout)):
            out = node.output[0] if index == len(layout) - 1 else f"{node.name}_bytes{index}"
            step = helper.make_node(maker.op_type, [name, *maker.input[1:]], [out], f"{node.name}_bytes{index}")
            step.attribute.extend(maker.attribute)
            nodes.append(step)
            name = out
        if nodes:
            graph.swap([node], nodes)
            count += 1
    return count
