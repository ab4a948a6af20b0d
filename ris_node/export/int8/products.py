# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Matrix products in INT8 for ONNX Runtime's CPU kernels: `MatMulIntegerToFloat`, which takes any rank and a bias.

Products written as Q/DQ become Gemm between two Reshapes when the runtime loads them, and a network of small products
then spends more time on the reshaping than one thinks. Written as the runtime's own operator they stay one node each.
The scores of an attention are such a product too, of two activations, with the mask over the keys as its bias.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import NodeProto, TensorProto, helper

from ris_node.export.int8.rewriter import Rewriter

DOMAIN = "com.microsoft"
FEWEST_ROWS = 8  # a product with fewer rows costs more to quantise than it saves
FEWEST_SCORES = 1 << 13  # of an attention, for the same reason
STEPS = 127  # of a symmetric int8 number
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Product:
    """A product of an activation and a constant matrix, and the node that adds its bias, if there is one."""

    node: NodeProto
    weight: str
    bias: str
    source: str  # what is quantised: the input, or what goes into the ReLU before it
    out: str
    gone: tuple[str, ...]  # names of the nodes that the fused one replaces

    @property
    def rounded(self) -> tuple[str, ...]:
        """Tensors whose ranges have to be known."""
        return (self.node.input[0],)


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The scores of an attention: queries times keys times a number, and a mask over the keys where there is one."""

    node: NodeProto
    queries: str
    keys: str
    scale: float
    mask: str  # "" where there is none
    out: str
    gone: tuple[str, ...]

    @property
    def rounded(self) -> tuple[str, ...]:
        """Tensors whose ranges have to be known."""
        return self.queries, self.keys


def find_products(graph: Rewriter) -> list[Product]:
    """Return the products with constant matrices that are worth quantising."""
    known, sizes, live = graph.known, graph.sizes, graph.live()
    found = []
    for node in graph.model.graph.node:
        if node.op_type != "MatMul" or node.input[1] not in known or node.input[0] not in live:
            continue
        shape = sizes.get(node.input[0], ())
        if known[node.input[1]].ndim not in (2, 3) or int(np.prod(shape[:-1])) < FEWEST_ROWS:
            continue
        out, bias, gone = node.output[0], "", [node.name]
        after = graph.sole(out)
        if after is not None and after.op_type == "Add":
            other = next((name for name in after.input if name != out), out)
            if other in known and known[other].ndim == 1:
                out, bias = after.output[0], other
                gone.append(after.name)
        before = graph.makers.get(node.input[0])
        source = before.input[0] if before is not None and before.op_type == "Relu" else node.input[0]
        found.append(Product(node=node, weight=node.input[1], bias=bias, source=source, out=out, gone=tuple(gone)))
    return found


def find_scores(graph: Rewriter) -> list[Scores]:
    """Return products of two activations that go, masked or not, into a softmax over the last axis."""
    known, sizes = graph.known, graph.sizes
    found = []
    for node in graph.model.graph.node:
        if node.op_type != "MatMul" or node.input[0] in known or node.input[1] in known:
            continue
        out, mask, gone = node.output[0], "", [node.name]
        after = graph.sole(out)
        if after is not None and after.op_type == "Add":
            other = next((name for name in after.input if name != out), out)
            shape = sizes.get(other, ())
            if shape and int(np.prod(shape)) == shape[-1] == sizes.get(out, (0,))[-1]:
                out, mask = after.output[0], other
                gone.append(after.name)
        softmax = graph.used.get(out, [])
        if [n.op_type for n in softmax] != ["Softmax"] or int(np.prod(sizes.get(out, (0,)))) < FEWEST_SCORES:
            continue
        before, scale, queries = graph.makers.get(node.input[0]), 1.0, node.input[0]
        if before is not None and before.op_type == "Mul" and graph.sole(queries) is not None:
            number = next((known[name] for name in before.input if name in known and known[name].size == 1), None)
            if number is not None:
                scale, queries = float(number.ravel()[0]), next(n for n in before.input if n not in known)
                gone.append(before.name)
        found.append(
            Scores(node=node, queries=queries, keys=node.input[1], scale=scale, mask=mask, out=out, gone=tuple(gone))
        )
    return found


class Fuser:
    """Replaces products and scores by their INT8 forms in place."""

    def __init__(self, graph: Rewriter, ranges: Ranges) -> None:
        self._graph, self._ranges = graph, ranges
        self._before: dict[str, list[NodeProto]] = {}  # name of a node -> nodes that take its place
        self._gone: set[str] = set()
        self._rounded: set[str] = set()

    def product(self, item: Product) -> None:
        """Replace a product with a constant matrix."""
        nodes: list[NodeProto] = []
        source, scale, zero = self._rounded_input(item.source, item.node.input[0], nodes)
        weight = self._weight(item.weight)
        inputs = [source, weight, scale, f"{weight}_scale", zero, f"{weight}_zero", item.bias]
        while not inputs[-1]:
            inputs.pop()
        nodes.append(_fused(inputs, item.out, item.node.name))
        self._replace(item.gone, nodes)

    def scores(self, item: Scores) -> None:
        """Replace the scores of an attention."""
        nodes: list[NodeProto] = []
        queries, scale, zero = self._rounded_input(item.queries, item.queries, nodes, item.scale)
        keys, key_scale, key_zero = self._rounded_keys(item.keys, nodes)
        inputs = [queries, keys, scale, key_scale, zero, key_zero]
        if item.mask:
            flat = f"{item.out}_mask"
            self._graph.constant(f"{flat}_shape", np.array([-1], np.int64))
            nodes.append(helper.make_node("Reshape", [item.mask, f"{flat}_shape"], [flat], flat))
            inputs.append(flat)
        nodes.append(_fused(inputs, item.out, item.node.name))
        self._replace(item.gone, nodes)

    def finish(self) -> None:
        """Write the new nodes into the graph, and drop what nobody reads any longer."""
        kept, model = [], self._graph.model
        for node in model.graph.node:
            kept += self._before.get(node.name, [])
            if node.name not in self._gone:
                kept.append(node)
        del model.graph.node[:]
        model.graph.node.extend(kept)
        self._graph.drop_unread()
        if all(entry.domain != DOMAIN for entry in model.opset_import):
            model.opset_import.append(helper.make_opsetid(DOMAIN, 1))

    def _replace(self, gone: Sequence[str], nodes: list[NodeProto]) -> None:
        for name in nodes[-1].output:  # no library infers the shape of the runtime's own operator
            value = helper.make_tensor_value_info(name, TensorProto.FLOAT, self._graph.sizes[name])
            self._graph.model.graph.value_info.append(value)
        last = next(n.name for n in reversed(self._graph.model.graph.node) if n.name in gone)
        self._before[last] = nodes
        self._gone |= set(gone)

    def _rounded_input(
        self, source: str, name: str, nodes: list[NodeProto], factor: float = 1.0
    ) -> tuple[str, str, str]:
        """Names of the rounded tensor, of its scale times `factor`, and of its zero; rounded once for all readers."""
        out = f"{name}_u8"
        step, zero = grid(*self._ranges[name])
        if out not in self._rounded:
            self._rounded.add(out)
            self._graph.constant(f"{out}_scale", np.asarray(step, np.float32))
            self._graph.constant(f"{out}_zero_point", np.array(zero, np.uint8))
            nodes.append(helper.make_node("QuantizeLinear", [source, f"{out}_scale", f"{out}_zero_point"], [out], out))
        if factor == 1.0:
            return out, f"{out}_scale", f"{out}_zero_point"
        self._graph.constant(f"{out}_scaled", np.asarray(step * factor, np.float32))
        return out, f"{out}_scaled", f"{out}_zero_point"

    def _rounded_keys(self, name: str, nodes: list[NodeProto]) -> tuple[str, str, str]:
        """The keys as int8, which the kernels want on this side, rounded before they are laid out.

        Behind the layout ONNX Runtime would move the rounding forward by itself, and make it unsigned.
        """
        out, low, high = f"{name}_s8", *self._ranges[name]
        self._graph.constant(f"{out}_scale", np.asarray(max(-low, high, 1e-9) / STEPS, np.float32))
        self._graph.constant(f"{out}_zero_point", np.array(0, np.int8))
        layout: list[NodeProto] = []
        while (maker := self._graph.makers.get(name)) is not None and maker.op_type in ("Reshape", "Transpose"):
            layout.append(maker)
            name = maker.input[0]
        first = f"{out}_flat" if layout else out
        rounding = [name, f"{out}_scale", f"{out}_zero_point"]
        nodes.append(helper.make_node("QuantizeLinear", rounding, [first], first))
        for index, maker in enumerate(reversed(layout)):
            step = helper.make_node(maker.op_type, [first, *maker.input[1:]], [""], f"{out}_{maker.name}")
            step.attribute.extend(maker.attribute)
            first = step.output[0] = out if index == len(layout) - 1 else f"{out}_{index}"
            nodes.append(step)
        return out, f"{out}_scale", f"{out}_zero_point"

    def _weight(self, name: str) -> str:
        """The int8 form of constant matrices [K,N] or [heads,K,N], one scale a column."""
        out = f"{name}_int8"
        if out not in self._graph.known:
            value = self._graph.known[name]
            step = (np.maximum(np.abs(value).max(-2, keepdims=value.ndim > 2), 1e-12) / STEPS).astype(np.float32)
            self._graph.constant(out, np.clip(np.round(value / step), -STEPS, STEPS).astype(np.int8))
            self._graph.constant(f"{out}_scale", step)
            self._graph.constant(f"{out}_zero", np.zeros(step.shape, np.int8))
        return out


def grid(low: float, high: float) -> tuple[float, int]:
    """Return the step and the zero of a range in 256 steps, with 0 on one of them."""
    step = max(high - low, 1e-9) / 255
    return step, int(np.clip(round(-low / step), 0, 255))


def _fused(inputs: list[str], out: str, name: str) -> NodeProto:
    return helper.make_node("MatMulIntegerToFloat", inputs, [out], name, domain=DOMAIN)
