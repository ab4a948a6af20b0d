# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""How a network begins, for a CPU in int8: an image of bytes is normalised, convolved with a stride, and pooled.

Three channels suit no int8 kernel. Strips of four pixels have twelve, and an image of bytes is one of strips without
being touched; so the first convolution and the pools of the image become convolutions over strips.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from ris_node.export.int8.rewriter import LANES, Rewriter
from ris_node.export.onnx_edit import Array, attribute, set_constant

STRIP = 4  # pixels next to each other
Ends = dict[str, tuple[float, float]]


def image_scale(graph: Rewriter, name: str) -> tuple[float, float] | None:
    """Return (a, b) of a tensor that is `a * byte + b` of an image's bytes, however laid out; else None."""
    maker = graph.makers.get(name)
    if maker is None or maker.op_type not in ("Cast", "Transpose", "Reshape", "Mul", "Add", "Sub"):
        return None
    if maker.op_type == "Cast":
        images = {v.name for v in graph.model.graph.input if v.type.tensor_type.elem_type == TensorProto.UINT8}
        return (1.0, 0.0) if maker.input[0] in images else None
    found = image_scale(graph, maker.input[0])
    if found is None or maker.op_type in ("Transpose", "Reshape"):
        return found
    number = graph.known.get(maker.input[1])
    if number is None or number.size != 1:
        return None
    value = float(number.ravel()[0])
    if maker.op_type == "Mul":
        return found[0] * value, found[1] * value
    return found[0], found[1] + (value if maker.op_type == "Add" else -value)


def exact_ranges(graph: Rewriter, ranges: Ends) -> None:
    """Give tensors of an image's bytes the range whose steps are the bytes; biases take up the shift of the zero.

    Where a byte of 127.5 is 0 the step next to it has to be: half a step, which a bias knows.
    """
    for name in ranges:
        found = image_scale(graph, name)
        if found is None or found[0] <= 0:
            continue
        zero = int(np.clip(round(-found[1] / found[0]), 0, 255))
        ranges[name] = -zero * found[0], (255 - zero) * found[0]
        shift = -zero * found[0] - found[1]
        for node in graph.used.get(name, []):
            if node.op_type == "Conv" and len(node.input) > 2:
                weight, bias = graph.known[node.input[1]], graph.known[node.input[2]]
                set_constant(graph.model, node.input[2], (bias - shift * weight.sum((1, 2, 3))).astype(np.float32))


def same_behind_layout(model: ModelProto, ranges: Ends) -> None:
    """Give a tensor that is another one laid out otherwise that one's range: the runtime then rounds once."""
    for node in model.graph.node:
        if node.op_type in ("Transpose", "Reshape") and node.input[0] in ranges:
            ranges[node.output[0]] = ranges[node.input[0]]


def convolutions_over_strips(graph: Rewriter) -> int:
    """Rewrite 3x3 convolutions of stride 2 over the image as 3x2 over strips, two columns at a time."""
    count = 0
    for node in list(graph.model.graph.node):
        weight = graph.known.get(node.input[1]) if node.op_type == "Conv" and len(node.input) > 2 else None
        if weight is None or weight.shape[1:] != (3, 3, 3) or image_scale(graph, node.input[0]) is None:
            continue
        pads = list(attribute(node, "pads", []))
        size = graph.sizes[node.input[0]]
        if list(attribute(node, "strides", [])) != [2, 2] or pads != [1] * 4 or size[3] % STRIP or size[2] % 2:
            continue
        strips, out = _strips(graph, node.input[0]), node.output[0]
        after = graph.sole(out)
        relu = after if after is not None and after.op_type == "Relu" else None
        inputs = [
            strips,
            graph.constant(f"{node.input[1]}_strips", _over_strips(weight)),
            graph.constant(f"{node.input[2]}_strips", np.tile(graph.known[node.input[2]], 2)),
        ]
        wide, name = f"{out}_wide", relu.output[0] if relu is not None else out
        made = [
            helper.make_node("Conv", inputs, [wide], node.name, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 1, 1, 0])
        ]
        if relu is not None:
            made.append(helper.make_node("Relu", [wide], [f"{wide}_relu"], relu.name))
        shape = np.array([1, size[2] // 2, size[3] // 2, len(weight)], np.int64)
        made += _laid_out(graph, made[-1].output[0], shape, name)
        graph.swap([node] if relu is None else [node, relu], made)
        graph.refresh()
        count += 1
    return count


def _over_strips(weight: Array) -> Array:
    """Weights [O,3,3,3] of stride 2 as [2*O, 12, 3, 2]: results of the even columns, then of the odd ones."""
    over = np.zeros((2, len(weight), STRIP, 3, 3, 2), np.float32)  # column, out, pixel of the strip, c, y, strip
    for column in range(2):
        for x in range(3):
            at = STRIP + 2 * column + x - 1  # counted from the strip before
            over[column, :, at % STRIP, :, :, at // STRIP] = weight[:, :, :, x]
    return over.reshape(2 * len(weight), 3 * STRIP, 3, 2)


def pools_over_strips(graph: Rewriter) -> int:
    """Rewrite means over squares of the image that join other maps as convolutions over strips.

    They give as many maps as the kernels compute at a time; the product behind gets rows of zeros for those.
    """
    joins = [node for node in graph.model.graph.node if node.op_type == "Concat" and attribute(node, "axis") == 1]
    found = [(*_pool(graph, name), node, index) for node in joins for index, name in enumerate(node.input)]
    count = 0
    for side, source, node, index in sorted(found, key=lambda item: item[0]):
        if not side or side % STRIP or graph.sizes[source][1] != 3 or not _widen(graph, node, index):
            continue
        name = node.input[index]
        pooled = _pooling(graph, source, side, name)
        node.input[index] = pooled[-1].output[0]
        places = {other.name: place for place, other in enumerate(graph.model.graph.node)}
        first = min(places[graph.makers[name].name], places[node.name])
        graph.model.graph.node.insert(first, pooled[-1])
        graph.refresh()
        count += 1
    return count


def _strips(graph: Rewriter, name: str) -> str:
    """The image as strips, [1,12,H,W/4], made at most once."""
    out = f"{name}_strips"
    if out not in graph.makers:
        _, channels, height, width = graph.sizes[name]
        shape = np.array([1, height, width // STRIP, STRIP * channels], np.int64)
        maker = graph.makers[name]
        graph.swap([maker], [maker, *_laid_out(graph, name, shape, out)])
        graph.refresh()
    return out


def _laid_out(graph: Rewriter, name: str, shape: Array, out: str) -> list[NodeProto]:
    """A map given another shape as it lies in memory with the channels last."""
    stem = f"{out}_layout"
    to = graph.constant(f"{stem}_shape", shape)
    return [
        helper.make_node("Transpose", [name], [f"{stem}0"], f"{stem}0", perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", [f"{stem}0", to], [f"{stem}1"], f"{stem}1"),
        helper.make_node("Transpose", [f"{stem}1"], [out], f"{stem}2", perm=[0, 3, 1, 2]),
    ]


def _pool(graph: Rewriter, name: str) -> tuple[int, str]:
    """The side of the squares over which a tensor is the mean of the image, and the image; 0 for any other."""
    side, maker = 1, graph.makers.get(name)
    while maker is not None and maker.op_type == "AveragePool":
        kernel = list(attribute(maker, "kernel_shape", []))
        plain = kernel == list(attribute(maker, "strides", [])) and not any(attribute(maker, "pads", [0]))
        if not plain or kernel[0] != kernel[1]:
            return 0, ""
        side, name = side * int(kernel[0]), maker.input[0]
        maker = graph.makers.get(name)
    return (side, name) if side > 1 and image_scale(graph, name) is not None else (0, "")


def _pooling(graph: Rewriter, source: str, side: int, name: str) -> list[NodeProto]:
    """A convolution that pools the strips, or what was pooled before by a smaller square."""
    stem, inner = f"{name}_over_strips", f"{graph.makers[name].input[0]}_over_strips"
    if inner in graph.makers:
        kernel = [int(k) for k in attribute(graph.makers[name], "kernel_shape")]
        weight = np.full((LANES, 1, *kernel), 1.0 / np.prod(kernel), np.float32)
        first, group = inner, LANES
    else:
        first, kernel, group = _strips(graph, source), [side, side // STRIP], 1
        weight = np.zeros((LANES, STRIP, 3, *kernel), np.float32)
        for channel in range(3):
            weight[channel, :, channel] = 1.0 / side**2
        weight = weight.reshape(LANES, 3 * STRIP, *kernel)
    inputs = [
        first,
        graph.constant(f"{stem}_weight", weight),
        graph.constant(f"{stem}_bias", np.zeros(LANES, np.float32)),
    ]
    return [helper.make_node("Conv", inputs, [stem], stem, kernel_shape=kernel, strides=kernel, group=group)]


def _widen(graph: Rewriter, join: NodeProto, index: int) -> bool:
    """Let the product behind a join take `LANES` maps where it took three; False where there is no such product."""
    sizes = [graph.sizes.get(name, ()) for name in join.input]
    if any(len(size) != 4 for size in sizes):
        return False
    start, total = sum(size[1] for size in sizes[:index]), sum(size[1] for size in sizes)
    after, reshape = graph.sole(join.output[0]), None
    if after is not None and after.op_type == "Reshape":
        reshape, turned = after, graph.sole(after.output[0])
        after = graph.sole(turned.output[0]) if turned is not None and turned.op_type == "Transpose" else None
    weight = graph.known.get(after.input[1]) if after is not None and after.op_type in ("Conv", "MatMul") else None
    if after is None or weight is None:
        return False
    axis = 1 if after.op_type == "Conv" else 0
    if weight.shape[axis] != total or (reshape is not None) != (after.op_type == "MatMul"):
        return False
    after.input[1] = graph.constant(f"{after.input[1]}_wide{index}", _with_zeros(weight, axis, start + 3))
    if reshape is not None:
        shape = graph.known[reshape.input[1]].copy()
        if list(shape[:2]) != [1, total]:
            return False
        shape[1] += LANES - 3
        reshape.input[1] = graph.constant(f"{reshape.output[0]}_wide{index}", shape)
    return True


def _with_zeros(weight: Array, axis: int, at: int) -> Array:
    shape = list(weight.shape)
    shape[axis] = LANES - 3
    parts = np.split(weight, [at], axis)
    return np.concatenate([parts[0], np.zeros(shape, weight.dtype), parts[1]], axis)
