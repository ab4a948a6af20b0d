# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The float graph rewritten, before it is rounded for a CPU, into what ONNX Runtime computes sooner; the same numbers.

None of it knows a network: each rule looks for a pattern, and leaves alone what does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, helper

from ris_node.export.int8.image import convolutions_over_strips, pools_over_strips
from ris_node.export.int8.rewriter import LANES, Rewriter
from ris_node.export.onnx_edit import attribute


def gates_after_taps(graph: Rewriter) -> int:
    """Rewrite a gated 3x3 convolution to one map, `conv(x * g)`, as `shifted sums of (1x1 conv(x)) * g`.

    The gate has one channel, so it may come after the sum over channels: nine products a pixel are gated instead of all
    the channels, all gates of one map share one convolution, and each needs but a transposed one of nine ones.
    """
    groups: dict[str, list[tuple[NodeProto, NodeProto, str]]] = {}
    for node in graph.model.graph.node:
        found = _gated(graph, node)
        if found is not None:
            groups.setdefault(found[0], []).append((node, found[1], found[2]))
    for name, members in groups.items():
        _split_taps(graph, name, members)
        graph.refresh()
    return sum(len(members) for members in groups.values())


def _gated(graph: Rewriter, node: NodeProto) -> tuple[str, NodeProto, str] | None:
    """For such a convolution: the map, the node that gates it, and the gate."""
    weight = graph.known.get(node.input[1]) if node.op_type == "Conv" and len(node.input) > 2 else None
    if weight is None or weight.shape[0] != 1 or weight.shape[2:] != (3, 3):
        return None
    plain = all(attribute(node, name, [1, 1]) in ([1, 1], (1, 1)) for name in ("strides", "dilations"))
    gated = graph.makers.get(node.input[0])
    if not plain or list(attribute(node, "pads", [])) != [1] * 4 or gated is None or gated.op_type != "Mul":
        return None
    if graph.sole(gated.output[0]) is None:
        return None
    whole = graph.sizes.get(node.input[0], ())
    for name, gate in (tuple(gated.input), tuple(gated.input)[::-1]):
        if graph.sizes.get(name) == whole and graph.sizes.get(gate, ())[:2] == (1, 1) and len(whole) == 4:
            return name, gated, gate
    return None


def _split_taps(graph: Rewriter, name: str, members: Sequence[tuple[NodeProto, NodeProto, str]]) -> None:
    stem, channels = f"{name}_taps", graph.known[members[0][0].input[1]].shape[1]
    weight = np.zeros((LANES * len(members), channels, 1, 1), np.float32)
    ones = np.zeros((LANES, 1, 3, 3), np.float32)
    for tap in range(9):
        ones[tap, 0, 2 - tap // 3, 2 - tap % 3] = 1.0
    for index, (node, _, _) in enumerate(members):
        weight[index * LANES : index * LANES + 9, :, 0, 0] = graph.known[node.input[1]][0].reshape(channels, 9).T
    graph.constant(f"{stem}_weight", weight)
    graph.constant(f"{stem}_bias", np.zeros(len(weight), np.float32))
    graph.constant(f"{stem}_ones", ones)
    graph.constant(f"{stem}_sizes", np.full(len(members), LANES, np.int64))
    parts = [f"{stem}_{index}" for index in range(len(members))]
    shared = [
        helper.make_node("Conv", [name, f"{stem}_weight", f"{stem}_bias"], [stem], stem, kernel_shape=[1, 1]),
        helper.make_node("Split", [stem, f"{stem}_sizes"], parts, f"{stem}_split", axis=1),
    ]
    for part, (node, gated, gate) in zip(parts, members, strict=True):
        nodes = [
            *shared,
            helper.make_node("Mul", [part, gate], [f"{part}_gated"], gated.name),
            helper.make_node(
                "ConvTranspose",
                [f"{part}_gated", f"{stem}_ones", node.input[2]],
                list(node.output),
                node.name,
                kernel_shape=[3, 3],
                pads=[1, 1, 1, 1],
            ),
        ]
        shared = []
        graph.swap([gated, node], nodes)


def products_by_rows(graph: Rewriter) -> int:
    """Rewrite a row times a map, `[1,1,C] @ [1,C,HW]`, as the map's pixels times the row: no copy of the map."""
    found = []
    for node in graph.model.graph.node:
        flat = graph.makers.get(node.input[1]) if node.op_type == "MatMul" else None
        if flat is None or flat.op_type != "Reshape":
            continue
        row, source, out = (graph.sizes.get(n, ()) for n in (node.input[0], flat.input[0], node.output[0]))
        if len(source) == 4 and source[0] == 1 and row == (1, 1, source[1]) and out == (1, 1, source[2] * source[3]):
            found.append((node, flat.input[0], source))
    for node, name, (_, channels, height, width) in found:
        stem = node.name
        to_rows = graph.constant(f"{name}_to_rows", np.array([1, height * width, channels], np.int64))
        to_column = graph.constant(f"{name}_to_column", np.array([1, channels, 1], np.int64))
        back = graph.constant(f"{name}_back", np.array([1, 1, height * width], np.int64))
        nodes = [
            helper.make_node("Transpose", [name], [f"{stem}_last"], f"{stem}_last", perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"{stem}_last", to_rows], [f"{stem}_rows"], f"{stem}_rows"),
            helper.make_node("Reshape", [node.input[0], to_column], [f"{stem}_column"], f"{stem}_column"),
            helper.make_node("MatMul", [f"{stem}_rows", f"{stem}_column"], [f"{stem}_product"], stem),
            helper.make_node("Reshape", [f"{stem}_product", back], list(node.output), f"{stem}_back"),
        ]
        graph.swap([node], nodes)
    return len(found)


def sums_before_norms(graph: Rewriter) -> int:
    """Rewrite additions before a norm as `Sum`: ONNX Runtime's fusion of the two is slower than they are."""
    count = 0
    for node in graph.model.graph.node:
        before = graph.makers.get(node.input[0]) if node.op_type == "LayerNormalization" else None
        if before is not None and before.op_type == "Add" and graph.known.keys().isdisjoint(before.input):
            before.op_type = "Sum"
            count += 1
    return count


def softmax_by_rows(graph: Rewriter) -> int:
    """Rewrite a softmax over a map's channels as one over rows, as the runtime's convolutions leave them."""
    found = [
        node
        for node in graph.model.graph.node
        if node.op_type == "Softmax" and attribute(node, "axis", -1) == 1 and len(graph.sizes[node.input[0]]) == 4
    ]
    for node in found:
        stem, (_, channels, height, width) = node.name, graph.sizes[node.input[0]]
        rows = graph.constant(f"{stem}_to_rows", np.array([height * width, channels], np.int64))
        back = graph.constant(f"{stem}_to_map", np.array([1, height, width, channels], np.int64))
        nodes = [
            helper.make_node("Transpose", [node.input[0]], [f"{stem}_last"], f"{stem}_last", perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"{stem}_last", rows], [f"{stem}_rows"], f"{stem}_rows"),
            helper.make_node("Softmax", [f"{stem}_rows"], [f"{stem}_soft"], stem, axis=-1),
            helper.make_node("Reshape", [f"{stem}_soft", back], [f"{stem}_back"], f"{stem}_back"),
            helper.make_node("Transpose", [f"{stem}_back"], list(node.output), f"{stem}_map", perm=[0, 3, 1, 2]),
        ]
        graph.swap([node], nodes)
    return len(found)


def tokens_of_rows(graph: Rewriter) -> int:
    """Lay maps out as tokens and back by way of channels last: then nothing is moved."""
    count = 0
    for node in list(graph.model.graph.node):
        if node.op_type != "Transpose" or list(attribute(node, "perm", [])) != [0, 2, 1]:
            continue
        before, after = graph.makers.get(node.input[0]), graph.sole(node.output[0])
        source = graph.sizes.get(before.input[0], ()) if before is not None and before.op_type == "Reshape" else ()
        target = graph.sizes.get(after.output[0], ()) if after is not None and after.op_type == "Reshape" else ()
        stem, (one, first, second) = node.name, graph.sizes[node.input[0]]
        if before is not None and len(source) == 4 and source[:2] == (one, first):
            to = graph.constant(f"{stem}_to_tokens", np.array([one, second, first], np.int64))
            nodes = [
                helper.make_node("Transpose", [before.input[0]], [f"{stem}_last"], f"{stem}_last", perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{stem}_last", to], list(node.output), stem),
            ]
            graph.swap([node], nodes)
        elif after is not None and len(target) == 4 and target[:2] == (one, second):
            to = graph.constant(f"{stem}_to_map", np.array([one, *target[2:], second], np.int64))
            nodes = [
                helper.make_node("Reshape", [node.input[0], to], [f"{stem}_last"], f"{stem}_last"),
                helper.make_node("Transpose", [f"{stem}_last"], list(after.output), stem, perm=[0, 3, 1, 2]),
            ]
            graph.swap([node, after], nodes)
        else:
            continue
        graph.refresh()
        count += 1
    return count


RESHAPES = ("Reshape", "Squeeze", "Unsqueeze", "Flatten")


def reshapes_at_once(graph: Rewriter) -> int:
    """Join several changes of a shape in a row to one."""
    count = 0
    for node in list(graph.model.graph.node):
        shape = graph.sizes.get(node.output[0], ()) if node.op_type in RESHAPES else ()
        before = graph.makers.get(node.input[0]) if shape and min(shape) > 0 else None
        if before is None or before.op_type not in RESHAPES:
            continue
        while before is not None and before.op_type in RESHAPES:
            source = before.input[0]
            before = graph.makers.get(source)
        name = graph.constant(f"{node.output[0]}_shape", np.array(shape, np.int64))
        made = helper.make_node("Reshape", [source, name], list(node.output), node.name)
        graph.swap([node], [made])
        graph.makers[node.output[0]] = made
        count += 1
    return count


def values_by_heads(graph: Rewriter) -> int:
    """Compute the values of an attention head by head, which then need no other layout.

    Their bias goes into the product behind the attention, since the weights of a softmax add up to one.
    """
    count = 0
    for node in list(graph.model.graph.node):
        found = _values(graph, node)
        if found is None:
            continue
        product, biased, heads, last = found
        weight, bias = graph.known[product.input[1]], graph.known[_constant_of(graph, biased)]
        split = weight.reshape(len(weight), heads, -1).transpose(1, 0, 2)
        name = graph.constant(f"{product.input[1]}_heads", split)
        total = graph.used[last.output[0]][0]
        after, more = graph.known[last.input[1]], _constant_of(graph, total)
        moved = graph.constant(f"{more}_{node.name}", (graph.known[more] + bias @ after).astype(np.float32))
        out = node.input[1]
        made = helper.make_node("MatMul", [product.input[0], name], [out], product.name)
        for index, tensor in enumerate(total.input):
            total.input[index] = moved if tensor == more else tensor
        gone = [product, biased, *(graph.makers[n] for n in _chain(graph, biased.output[0], out))]
        graph.swap(gone, [made])
        graph.refresh()
        count += 1
    return count


def _values(graph: Rewriter, node: NodeProto) -> tuple[NodeProto, NodeProto, int, NodeProto] | None:
    """For the product of an attention with its values: their product, its bias, the heads, and the product behind."""
    soft = graph.makers.get(node.input[0]) if node.op_type == "MatMul" else None
    if soft is None or soft.op_type != "Softmax" or graph.sole(node.input[1]) is None:
        return None
    turned = graph.makers.get(node.input[1])
    parted = graph.makers.get(turned.input[0]) if turned is not None and turned.op_type == "Transpose" else None
    biased = graph.makers.get(parted.input[0]) if parted is not None and parted.op_type == "Reshape" else None
    if turned is None or parted is None or biased is None or list(attribute(turned, "perm", [])) != [0, 2, 1, 3]:
        return None
    alone = all(graph.sole(n.output[0]) is not None for n in (turned, parted, biased))
    product = next((graph.makers.get(n) for n in biased.input if n not in graph.known), None)
    last = _behind(graph, node.output[0])
    if not alone or biased.op_type != "Add" or product is None or product.op_type != "MatMul" or last is None:
        return None
    weight = graph.known.get(product.input[1])
    if weight is None or weight.ndim != 2 or not _constant_of(graph, biased) or graph.sole(product.output[0]) is None:
        return None
    return product, biased, graph.sizes[node.input[1]][1], last


def _behind(graph: Rewriter, name: str) -> NodeProto | None:
    """The product, with a bias, of what an attention gives, its heads side by side."""
    turned = graph.sole(name)
    joined = graph.sole(turned.output[0]) if turned is not None and turned.op_type == "Transpose" else None
    last = graph.sole(joined.output[0]) if joined is not None and joined.op_type == "Reshape" else None
    if last is None or last.op_type != "MatMul" or last.input[1] not in graph.known:
        return None
    total = graph.sole(last.output[0])
    return last if total is not None and total.op_type == "Add" and _constant_of(graph, total) else None


def _constant_of(graph: Rewriter, node: NodeProto) -> str:
    """The constant row that a node adds; empty where it adds none."""
    return next((name for name in node.input if name in graph.known and graph.known[name].ndim == 1), "")


def _chain(graph: Rewriter, first: str, last: str) -> list[str]:
    """Tensors from behind `first` up to `last`, each made of the one before."""
    found = [last]
    while graph.makers[found[-1]].input[0] != first:
        found.append(graph.makers[found[-1]].input[0])
    return found[::-1]


RULES = (
    convolutions_over_strips,
    pools_over_strips,
    gates_after_taps,
    products_by_rows,
    softmax_by_rows,
    tokens_of_rows,
    values_by_heads,
    sums_before_norms,
    reshapes_at_once,
)


def lean(model: ModelProto) -> dict[str, int]:
    """Rewrite a float graph into what the CPU computes sooner in int8, in place; return how often each rule applied."""
    graph, done = Rewriter(model), {}
    for rule in RULES:
        done[rule.__name__] = rule(graph)
        graph.refresh()
    graph.drop_unread()
    return done
