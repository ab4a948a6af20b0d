# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A convolutional ONNX graph as a trainable torch module, with its inner values as taps.

Pretrained trunks come to us as ONNX files with batch normalisation folded away. `import_graph` reads one and
returns its structure (`TrunkSpec`, plain JSON) and its weights; `ConvGraph` runs the structure in torch. The
structure is kept in checkpoints, so that a trained trunk can be rebuilt without the file it started from.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ris_node.errors import BundleError

if TYPE_CHECKING:
    import onnx


@dataclass(frozen=True)
class NodeSpec:
    """One operation: its kind, the values it reads, the value it makes and its numbers (strides, bounds, axis)."""

    op: str
    inputs: tuple[str, ...]
    output: str
    numbers: dict[str, Any]


@dataclass(frozen=True)
class TrunkSpec:
    """The operations of a graph in running order, and the name of its one image input."""

    image: str
    nodes: tuple[NodeSpec, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the structure as plain JSON values."""
        return {"image": self.image, "nodes": [[n.op, list(n.inputs), n.output, n.numbers] for n in self.nodes]}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> TrunkSpec:
        """Rebuild the structure that `to_json` wrote."""
        nodes = tuple(NodeSpec(op, tuple(reads), made, numbers) for op, reads, made, numbers in values["nodes"])
        return cls(values["image"], nodes)

    def until(self, taps: tuple[str, ...]) -> TrunkSpec:
        """Return the smallest graph that still makes every value in `taps`.

        Raises:
            BundleError: a tap is not a value of this graph.
        """
        missing = sorted(set(taps) - {node.output for node in self.nodes})
        if missing:
            raise BundleError(f"the trunk has no values {missing}; taps must name outputs of its nodes")
        wanted, kept = set(taps), []
        for node in reversed(self.nodes):
            if node.output in wanted:
                kept.append(node)
                wanted.update(node.inputs)
        return TrunkSpec(self.image, tuple(reversed(kept)))


class ConvGraph(nn.Module):  # type: ignore[misc]
    """Runs a `TrunkSpec`; `forward` returns the tapped values by name.

    Convolutions are children named after the value they make, so that weights can be frozen or loaded by name.
    """

    def __init__(self, spec: TrunkSpec, taps: tuple[str, ...]) -> None:
        super().__init__()
        self.spec = spec.until(taps)
        self.taps = taps
        self.convs = nn.ModuleDict()
        for node in self.spec.nodes:
            if node.op == "Conv":
                self.convs[node.output] = _conv(node.numbers)
        self._last_use = _last_use(self.spec, taps)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        """Run the graph on `image` f32[B,3,H,W] in the range the graph was trained on."""
        values: dict[str, torch.Tensor] = {self.spec.image: image}
        for index, node in enumerate(self.spec.nodes):
            reads = [values[name] for name in node.inputs]
            conv = node.op == "Conv"
            values[node.output] = self.convs[node.output](*reads) if conv else _APPLY[node.op](node.numbers, reads)
            for name in self._last_use.get(index, ()):
                del values[name]
        return {name: values[name] for name in self.taps}

    def freeze_before(self, tap: str) -> None:
        """Stop the gradient for every convolution that `tap` depends on."""
        for node in self.spec.until((tap,)).nodes:
            if node.op == "Conv":
                self.convs[node.output].requires_grad_(False)


def import_graph(path: Path) -> tuple[TrunkSpec, dict[str, torch.Tensor]]:
    """Read a convolutional ONNX file with one image input.

    Returns:
        The structure and the weights, the latter by the parameter names of `ConvGraph`.

    Raises:
        BundleError: the graph holds an operation that `ConvGraph` does not know.
    """
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}
    nodes: list[NodeSpec] = []
    weights: dict[str, torch.Tensor] = {}
    for node in graph.node:
        if node.op_type in {"Shape", "Slice"} or (node.op_type == "Concat" and _is_shape(node, makers, constants)):
            continue  # the shape arithmetic of an Expand, which torch does by itself
        spec = _node_spec(node, makers, constants)
        nodes.append(spec)
        if spec.op == "Conv":
            weights[f"convs.{spec.output}.weight"] = torch.from_numpy(np.array(constants[node.input[1]]))
            if spec.numbers["bias"]:
                weights[f"convs.{spec.output}.bias"] = torch.from_numpy(np.array(constants[node.input[2]]))
    return TrunkSpec(graph.input[0].name, tuple(nodes)), weights


def _node_spec(node: onnx.NodeProto, makers: dict[str, onnx.NodeProto], constants: dict[str, np.ndarray]) -> NodeSpec:
    from onnx import helper

    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    op, output = node.op_type, node.output[0]
    if op == "Conv":
        return NodeSpec(op, (node.input[0],), output, _conv_numbers(node, given, constants))
    if op == "Expand":  # broadcast to the size of the value whose Shape feeds it
        return NodeSpec(op, (node.input[0], _shape_source(node.input[1], makers)), output, {})
    if op not in _APPLY:
        raise BundleError(f"node {output!r}: operation {op} cannot be imported; known: Conv, {', '.join(_APPLY)}")
    numbers: dict[str, Any] = {}
    if op == "Clip":
        numbers = {"low": float(constants[node.input[1]]), "high": float(constants[node.input[2]])}
    if op == "Concat":
        numbers = {"axis": int(given["axis"])}
    reads = node.input[:1] if op == "Clip" else node.input
    return NodeSpec(op, tuple(reads), output, numbers)


def _conv_numbers(node: onnx.NodeProto, given: dict[str, Any], constants: dict[str, np.ndarray]) -> dict[str, Any]:
    weight = constants[node.input[1]]
    pads = list(given.get("pads", [0, 0, 0, 0]))
    if given.get("auto_pad", b"NOTSET") not in (b"NOTSET", "NOTSET") or pads[:2] != pads[2:]:
        raise BundleError(f"node {node.output[0]!r}: only symmetric explicit padding can be imported, got {pads}")
    groups = int(given.get("group", 1))
    return {
        "in": int(weight.shape[1]) * groups,
        "out": int(weight.shape[0]),
        "kernel": [int(k) for k in weight.shape[2:]],
        "stride": [int(s) for s in given.get("strides", [1, 1])],
        "padding": [int(p) for p in pads[:2]],
        "dilation": [int(d) for d in given.get("dilations", [1, 1])],
        "groups": groups,
        "bias": len(node.input) > 2,
    }


def _conv(n: dict[str, Any]) -> nn.Conv2d:
    return nn.Conv2d(
        n["in"],
        n["out"],
        n["kernel"],
        stride=n["stride"],
        padding=n["padding"],
        dilation=n["dilation"],
        groups=n["groups"],
        bias=n["bias"],
    )


_APPLY: dict[str, Callable[[dict[str, Any], list[torch.Tensor]], torch.Tensor]] = {
    "Relu": lambda _, x: torch.relu(x[0]),
    "Clip": lambda n, x: x[0].clamp(n["low"], n["high"]),
    "Add": lambda _, x: x[0] + x[1],
    "Concat": lambda n, x: torch.cat(x, n["axis"]),
    "GlobalAveragePool": lambda _, x: x[0].mean((2, 3), keepdim=True),
    "Expand": lambda _, x: x[0].expand(-1, -1, x[1].shape[2], x[1].shape[3]),
    "Identity": lambda _, x: x[0],
}


def _last_use(spec: TrunkSpec, taps: tuple[str, ...]) -> dict[int, list[str]]:
    last: dict[str, int] = {}
    for index, node in enumerate(spec.nodes):
        for name in node.inputs:
            last[name] = index
    out: dict[int, list[str]] = {}
    for name, index in last.items():
        if name not in taps:
            out.setdefault(index, []).append(name)
    return out


def _is_shape(node: onnx.NodeProto, makers: dict[str, onnx.NodeProto], constants: dict[str, np.ndarray]) -> bool:
    return all(name in constants or makers[name].op_type in {"Shape", "Slice"} for name in node.input)


def _shape_source(name: str, makers: dict[str, onnx.NodeProto]) -> str:
    node = makers[name]
    while node.op_type != "Shape":
        node = next(makers[read] for read in node.input if read in makers)
    return str(node.input[0])
