# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph with an index of its constants, shapes, makers and readers, rewritten in place.

Not onnxscript's rewriter: `ris quantize` needs the package onnx alone, several rules change a group of nodes at once or
depend on calibrated ranges, and a rule takes as many lines there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import ModelProto, NodeProto, numpy_helper

from ris_node.export.onnx_edit import Array, constants, readers, shapes

LANES = 16  # output channels that the int8 kernels compute at a time


class Rewriter:
    """A graph whose nodes are taken out and put in, in place."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.refresh()

    def refresh(self) -> None:
        """Read the graph again after changes."""
        self.known, self.sizes, self.used = constants(self.model), shapes(self.model), readers(self.model)
        self.makers = {name: node for node in self.model.graph.node for name in node.output}

    def constant(self, name: str, value: Array) -> str:
        """Add a constant, once; return its name."""
        if name not in self.known:
            self.known[name] = value
            self.model.graph.initializer.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def swap(self, gone: Sequence[NodeProto], nodes: Sequence[NodeProto]) -> None:
        """Put nodes where the last of `gone` was."""
        names = [node.name for node in gone]
        kept: list[NodeProto] = []
        last = max(index for index, node in enumerate(self.model.graph.node) if node.name in names)
        for index, node in enumerate(self.model.graph.node):
            if index == last:
                kept += nodes
            if node.name not in names:
                kept.append(node)
        del self.model.graph.node[:]
        self.model.graph.node.extend(kept)

    def sole(self, name: str) -> NodeProto | None:
        """Return the one node that reads a tensor, if there is just one."""
        after = self.used.get(name, [])
        return after[0] if len(after) == 1 else None

    def live(self) -> set[str]:
        """Return tensors that depend on the inputs; the rest is folded when the graph is loaded."""
        live = {value.name for value in self.model.graph.input}
        for node in self.model.graph.node:
            if not live.isdisjoint(node.input):
                live.update(node.output)
        return live

    def drop_unread(self) -> None:
        """Drop nodes and constants that nobody reads."""
        graph = self.model.graph
        wanted, kept = {output.name for output in graph.output}, []
        for node in reversed(graph.node):
            if not wanted.isdisjoint(node.output):
                wanted.update(node.input)
                kept.append(node)
        tensors = [tensor for tensor in graph.initializer if tensor.name in wanted]
        for field, content in ((graph.node, kept[::-1]), (graph.initializer, tensors)):
            del field[:]
            field.extend(content)
