# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""INT8 networks from float32 ones: one form for x86 CPUs, one for TensorRT; each is of no use to the other.

CPU: unsigned activations, biases in int32, products folded to Gemm (ONNX Runtime's fast kernels). TensorRT: signed,
symmetric, biases left alone, only the inputs of convolutions and products (the only form that its parser takes, and
slower than float32 on a CPU). Attention, norms and softmax stay float in both.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from ris_node.errors import ExportError
from ris_node.export.equalise import equalise, pairs
from ris_node.export.onnx_edit import (
    attribute,
    constants,
    load,
    read_contract,
    save,
    shapes,
    store_half,
    unpack_half,
    write_contract,
)
from ris_node.export.ranges import Feeds, best_ranges, channel_maxima
from ris_node.export.unbias import correct_biases

TARGETS = ("cpu", "tensorrt")
FEWEST_ROWS = 100  # a product with fewer rows costs more to quantise than it saves
BETWEEN = frozenset({"Relu", "Clip", "GlobalAveragePool"})  # sums and enlargements in int8 were measured to be slower
MAXIMA_FEEDS = 24  # are enough for maxima and means of channels


@dataclass(frozen=True)
class Quantised:
    """What a quantisation did."""

    target: str
    layers: int  # convolutions and products that compute in int8
    kept: tuple[str, ...]  # those that were asked to stay float
    equalised: int
    bytes: int


def quantise(source: Path, out: Path, feeds: Feeds, target: str, keep: Sequence[str] = ()) -> Quantised:
    """Quantise a float32 network.

    Args:
        source: a float32 ONNX file.
        out: where the INT8 network goes.
        feeds: real inputs to calibrate on, a hundred or so.
        target: "cpu" or "tensorrt".
        keep: names of nodes, or patterns such as `node_conv2d_6*`, that stay float.

    Raises:
        ExportError: the source is not float32, or there is nothing to calibrate on.
    """
    if target not in TARGETS:
        raise ExportError(f"there is no target {target!r}: choose one of {', '.join(TARGETS)}")
    if not feeds:
        raise ExportError("there are no inputs to calibrate on: give some")
    model = load(source)
    if any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise ExportError(f"{source} is quantised already: give the float32 file")
    contract, _ = read_contract(model)
    unpack_half(model)
    between = [pair.between for pair in pairs(model)]
    changed = equalise(model, channel_maxima(model, between, feeds[:MAXIMA_FEEDS]))
    _global_pools(model)
    model = _folded(model) if target == "cpu" else model
    heavy, kept = _chosen(model, keep)
    correct_biases(model, feeds[:MAXIMA_FEEDS])
    simple = BETWEEN if target == "cpu" else frozenset()
    nodes = [*heavy, *(node.name for node in model.graph.node if node.op_type in simple)]
    ranges = best_ranges(model, _tensors(model, nodes), feeds, symmetric=target == "tensorrt")
    with contextlib.redirect_stdout(io.StringIO()):
        made = _insert(model, nodes, ranges, target)
    del made.graph.value_info[:]
    store_half(made)
    write_contract(made, contract, f"int8-{target}")
    save(made, out)
    return Quantised(target, len(heavy), tuple(kept), changed, out.stat().st_size)


def _chosen(model: Any, keep: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the convolutions and constant products that are worth it, and of those kept float by request."""
    known, sizes = constants(model), shapes(model)
    heavy: list[str] = []
    kept: list[str] = []
    live = {value.name for value in model.graph.input}  # what depends on the inputs; the rest is folded at load
    for node in model.graph.node:
        if live.isdisjoint(node.input):
            continue
        live.update(node.output)
        product = node.op_type in ("MatMul", "Gemm") and node.input[1] in known
        rows = int(np.prod(sizes.get(node.input[0], (0,))[:-1])) if product else 0
        if node.op_type == "Conv" or rows >= FEWEST_ROWS:
            (kept if any(fnmatch(node.name, pattern) for pattern in keep) else heavy).append(node.name)
    return heavy, kept


def _tensors(model: Any, nodes: Sequence[str]) -> list[str]:
    """Float tensors that the chosen nodes read or write."""
    chosen, known = set(nodes), constants(model)
    found: dict[str, None] = {}
    for node in model.graph.node:
        if node.name in chosen:
            found |= dict.fromkeys(name for name in (*node.input, *node.output) if name and name not in known)
    return [name for name in found if name not in {i.name for i in model.graph.input}]


def _insert(model: Any, nodes: list[str], ranges: dict[str, tuple[float, float]], target: str) -> Any:
    from onnxruntime.quantization import CalibrationMethod, QuantType
    from onnxruntime.quantization.calibrate import TensorsData
    from onnxruntime.quantization.qdq_quantizer import QDQQuantizer

    chosen = set(nodes)
    kinds = sorted({node.op_type for node in model.graph.node if node.name in chosen})
    data = TensorsData(
        CalibrationMethod.MinMax, {n: (np.float32(low), np.float32(high)) for n, (low, high) in ranges.items()}
    )
    floats = ["MatMul", "Gemm"]  # whose results stay float: they go into norms and sums
    if target == "tensorrt":
        extra = {"ActivationSymmetric": True, "QuantizeBias": False, "OpTypesToExcludeOutputQuantization": kinds}
    else:
        extra = {"OpTypesToExcludeOutputQuantization": floats}
    kind = QuantType.QInt8 if target == "tensorrt" else QuantType.QUInt8
    extra |= {"WeightSymmetric": True, "MatMulConstBOnly": True}
    logging.getLogger().setLevel(max(logging.getLogger().level, logging.WARNING))
    tool = QDQQuantizer(model, True, False, QuantType.QInt8, kind, data, nodes, [], kinds, extra)
    tool.quantize_model()
    return tool.model.model


def _folded(model: Any) -> Any:
    """The graph after ONNX Runtime's basic rewriting: products with a bias become Gemm, constants are folded.

    Constants get fresh names, for a runtime that rewrites the graph again would reuse the first ones'.
    """
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        onnx.save(model, str(before))
        quant_pre_process(str(before), str(after), skip_symbolic_shape=True)
        model = onnx.load(str(after))
    fresh = {tensor.name: f"c{number}.{tensor.name}" for number, tensor in enumerate(model.graph.initializer)}
    for tensor in model.graph.initializer:
        tensor.name = fresh[tensor.name]
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = fresh.get(name, name)
    return model


def _global_pools(model: Any) -> None:
    """Means over both axes of a map become GlobalAveragePool, which has an int8 kernel."""
    known = constants(model)
    sizes = shapes(model)
    for node in model.graph.node:
        if node.op_type != "ReduceMean" or len(sizes.get(node.input[0], ())) != 4 or not attribute(node, "keepdims", 1):
            continue
        axes = known.get(node.input[1]) if len(node.input) > 1 else None
        if axes is not None and sorted(int(a) % 4 for a in axes) == [2, 3]:
            node.op_type = "GlobalAveragePool"
            del node.input[1:]
            del node.attribute[:]
