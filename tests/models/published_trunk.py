# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A trunk in the format of the published Cityscapes DeepLab, with random weights and an eighth of its channels.

Operations, their order, attributes and the names of values are those of the published ONNX file: folded batch
normalisation, inverted bottlenecks (plain ones up to stride 8, separable ones after), dilation instead of strides 32,
and a pooled branch that is spread by an Expand whose size comes from Shape, Slice and Concat.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

CLASSES = 19


class _Writer:
    """Collects nodes and weights; values are numbered as the published file numbers them."""

    def __init__(self, seed: int) -> None:
        self.rng, self.nodes, self.weights, self.channels = np.random.default_rng(seed), [], [], {"image": 3}

    def conv(self, at: int, reads: str, out: int, kernel=1, stride=1, dilation=1, alone=False, relu=True) -> str:
        inputs = self.channels[reads]
        out, groups = (inputs, inputs) if alone else (out, 1)
        weight = self.rng.normal(size=(out, inputs // groups, kernel, kernel)) / np.sqrt(inputs // groups * kernel**2)
        bias = self.rng.normal(size=out) * 0.1
        names = [f"w{at}", f"b{at}"]
        for name, value in zip(names, (weight, bias), strict=True):
            self.weights.append(numpy_helper.from_array(value.astype(np.float32), name))
        pad = dilation * (kernel // 2)
        self.add("Conv", [reads, *names], f"conv{at}", out, dilations=[dilation] * 2, group=groups, pads=[pad] * 4,
                 strides=[stride] * 2)  # fmt: skip
        return self.add("Relu", [f"conv{at}"], f"act{at}", out) if relu else f"conv{at}"

    def add(self, op: str, reads: list[str], made: str, channels: int, **numbers: object) -> str:
        self.nodes.append(helper.make_node(op, reads, [made], **numbers))
        self.channels[made] = channels
        return made

    def block(self, at: int, reads: str, out: int, kernel=3, stride=1, dilation=1, separable=False) -> tuple[int, str]:
        """An inverted bottleneck from convolution `at` on, with its sum where sizes fit; the next number, its value."""
        inputs, skip = self.channels[reads], stride == 1 and self.channels[reads] == out
        x = self.conv(at, reads, 4 * inputs, *((1,) if separable else (kernel, stride)))
        if separable:
            at += 1
            x = self.conv(at, x, 0, kernel, stride, dilation, alone=True)
        at += 1
        x = self.conv(at, x, out, relu=False)
        if skip:
            at += 1
            x = self.add("Add", [x, reads], f"add{at}", out)
        return at + 1, x

    def classifier(self, x: str) -> None:
        x = self.conv(72, x, 40)
        self.add("GlobalAveragePool", [x], "gap73", 40)
        self.conv(74, x, 16)
        self.conv(75, "gap73", 16)
        for name, value in (("s0_78", [2]), ("s1_78", [4]), ("one78", [1, 16])):
            self.weights.append(numpy_helper.from_array(np.array(value, np.int64), name))
        self.add("Shape", ["act74"], "shp78", 0)
        self.add("Slice", ["shp78", "s0_78", "s1_78"], "hw78", 0)
        self.add("Concat", ["one78", "hw78"], "eshp78", 0, axis=0)
        self.add("Expand", ["act75", "eshp78"], "zero78", 16)
        self.add("Concat", ["zero78", "act74"], "cat78", 32, axis=1)
        self.add("Identity", [self.conv(80, self.conv(79, "cat78", 16), CLASSES, relu=False)], "logits", CLASSES)


def write_published_trunk(path: Path, seed: int = 0) -> Path:
    """Write the network to `path`: RGB f32[n,3,h,w] in [-1, 1] in, logits of Cityscapes' classes at stride 16 out."""
    net = _Writer(seed)
    x = net.conv(1, net.conv(0, "image", 4, 3, 2), 4, relu=False)
    at = 2
    for out, kernel, stride, dilation, separable in (
        *[(4, 3, 2, 1, False), *[(4, 3, 1, 1, False)] * 3],  # stride 4: conv2 to add12
        *[(5, 3, 2, 1, False), *[(5, 3, 1, 1, False)] * 3],  # stride 8: conv13 to add23
        *[(9, 3, 2, 1, True), *[(9, 3, 1, 1, True)] * 3],  # stride 16: conv24 to add38
        *[(8, 3, 1, 1, True), *[(8, 3, 1, 1, True)] * 3],  # conv39 to add53
        *[(15, 5, 1, 1, True), *[(15, 5, 1, 2, True)] * 3],  # conv54 to add68
        (18, 3, 1, 2, True),  # conv69 to conv71
    ):
        at, x = net.block(at, x, out, kernel, stride, dilation, separable)
    assert (at, x) == (72, "conv71")
    net.classifier(x)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)
    graph = helper.make_graph(net.nodes, "trunk", [image], [logits], net.weights)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path
