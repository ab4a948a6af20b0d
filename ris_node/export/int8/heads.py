# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The values of attentions, head by head from the start (a rule like those of `quantize_lean`)."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import helper

from ris_node.export.int8.lean import Rewriter
from ris_node.export.onnx_edit import attribute


def values_by_heads(graph: Rewriter) -> int:
    """Values of an attention come out of their product head by head, for it then needs no other layout.

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


def _values(graph: Rewriter, node: Any) -> tuple[Any, Any, int, Any] | None:
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


def _behind(graph: Rewriter, name: str) -> Any | None:
    """The product, with a bias, of what an attention gives, its heads side by side."""
    turned = graph.sole(name)
    joined = graph.sole(turned.output[0]) if turned is not None and turned.op_type == "Transpose" else None
    last = graph.sole(joined.output[0]) if joined is not None and joined.op_type == "Reshape" else None
    if last is None or last.op_type != "MatMul" or last.input[1] not in graph.known:
        return None
    total = graph.sole(last.output[0])
    return last if total is not None and total.op_type == "Add" and _constant_of(graph, total) else None


def _constant_of(graph: Rewriter, node: Any) -> str:
    """The constant row that a node adds; empty where it adds none."""
    return next((name for name in node.input if name in graph.known and graph.known[name].ndim == 1), "")


def _chain(graph: Rewriter, first: str, last: str) -> list[str]:
    """Tensors from behind `first` up to `last`, each made of the one before."""
    found = [last]
    while graph.makers[found[-1]].input[0] != first:
        found.append(graph.makers[found[-1]].input[0])
    return found[::-1]
