# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""INT8 networks from float32 ones: one form for x86 CPUs, one for TensorRT; each is of no use to the other.

CPU: unsigned activations, biases in int32, products and the scores of attentions as ONNX Runtime's own operator.
TensorRT: signed, symmetric, biases left alone, only the inputs of convolutions and products (the only form that its
parser takes, and slower than float32 on a CPU). Softmax, what it weighs, norms and sums stay float in both.
"""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto

from ris_node.errors import ExportError
from ris_node.export.int8.image import exact_ranges, same_behind_layout
from ris_node.export.int8.products import Fuser, Product, Scores, find_products, find_scores
from ris_node.export.int8.qdq import tidy
from ris_node.export.int8.ranges import Feeds, best_ranges, channel_maxima
from ris_node.export.int8.rewriter import Rewriter
from ris_node.export.int8.rewrites import lean
from ris_node.export.int8.weights import correct_biases, equalise, pairs
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

TARGETS = ("cpu", "tensorrt")
FEWEST_QDQ_ROWS = 100  # as Q/DQ a product with fewer rows costs more than it saves
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
    make = _for_cpu if target == "cpu" else _for_tensorrt
    made, heavy, kept = make(model, feeds, keep)
    del made.graph.value_info[:]
    store_half(made)
    write_contract(made, contract, f"int8-{target}")
    save(made, out)
    return Quantised(target, len(heavy), tuple(kept), changed, out.stat().st_size)


def _for_cpu(model: ModelProto, feeds: Feeds, keep: Sequence[str]) -> tuple[ModelProto, list[str], list[str]]:
    """Convolutions as Q/DQ, which the runtime turns into its int8 kernels; products as those kernels themselves."""
    model = folded(model)
    del model.graph.value_info[:]
    lean(model)
    convolutions, kept = _chosen(model, keep, ("Conv",))
    graph = Rewriter(model)
    products: list[Product | Scores] = [*find_products(graph), *find_scores(graph)]
    products.sort(key=_place(model))
    held = [item for item in products if any(fnmatch(item.node.name, pattern) for pattern in keep)]
    kept += [item.node.name for item in held]
    products = [item for item in products if item not in held]
    correct_biases(model, feeds[:MAXIMA_FEEDS])
    nodes = [*convolutions, *(node.name for node in model.graph.node if node.op_type in BETWEEN)]
    asked = [*_tensors(model, nodes), *(name for item in products for name in item.rounded)]
    ranges = best_ranges(model, list(dict.fromkeys(asked)), feeds, symmetric=False)
    exact_ranges(Rewriter(model), ranges)
    same_behind_layout(model, ranges)
    fuser = Fuser(Rewriter(model), ranges)
    for item in products:
        fuser.product(item) if isinstance(item, Product) else fuser.scores(item)
    fuser.finish()
    left = {node.name for node in model.graph.node}
    with contextlib.redirect_stdout(io.StringIO()):
        model = _insert(model, [name for name in nodes if name in left], ranges, "cpu")
    tidy(model)
    Rewriter(model).drop_unread()
    return model, [*convolutions, *(item.node.name for item in products)], kept


def _for_tensorrt(model: ModelProto, feeds: Feeds, keep: Sequence[str]) -> tuple[ModelProto, list[str], list[str]]:
    """Q/DQ before every convolution and product."""
    heavy, kept = _chosen(model, keep, ("Conv", "MatMul", "Gemm"))
    correct_biases(model, feeds[:MAXIMA_FEEDS])
    ranges = best_ranges(model, _tensors(model, heavy), feeds, symmetric=True)
    with contextlib.redirect_stdout(io.StringIO()):
        return _insert(model, heavy, ranges, "tensorrt"), heavy, kept


def _place(model: ModelProto) -> Callable[[Product | Scores], int]:
    places = {node.name: index for index, node in enumerate(model.graph.node)}
    return lambda item: places[item.node.name]


def _chosen(model: ModelProto, keep: Sequence[str], kinds: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the convolutions and constant products that are worth it, and of those kept float by request."""
    graph = Rewriter(model)
    known, sizes, live = graph.known, graph.sizes, graph.live()
    heavy: list[str] = []
    kept: list[str] = []
    for node in model.graph.node:
        if node.op_type not in kinds or live.isdisjoint(node.input):
            continue
        product = node.op_type in ("MatMul", "Gemm") and node.input[1] in known
        rows = int(np.prod(sizes.get(node.input[0], (0,))[:-1])) if product else 0
        if node.op_type == "Conv" or rows >= FEWEST_QDQ_ROWS:
            (kept if any(fnmatch(node.name, pattern) for pattern in keep) else heavy).append(node.name)
    return heavy, kept


def _tensors(model: ModelProto, nodes: Sequence[str]) -> list[str]:
    """Float tensors that the chosen nodes read or write."""
    chosen, known = set(nodes), constants(model)
    found: dict[str, None] = {}
    for node in model.graph.node:
        if node.name in chosen:
            found |= dict.fromkeys(name for name in (*node.input, *node.output) if name and name not in known)
    return [name for name in found if name not in {i.name for i in model.graph.input}]


def _insert(model: ModelProto, nodes: list[str], ranges: dict[str, tuple[float, float]], target: str) -> ModelProto:
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
    tool = QDQQuantizer(model, True, False, QuantType.QInt8, kind, tensors_range=data, nodes_to_quantize=nodes,
                        nodes_to_exclude=[], op_types_to_quantize=kinds, extra_options=extra)  # fmt: skip
    tool.quantize_model()
    tool.model.topological_sort()
    made: ModelProto = tool.model.model
    return made


def folded(model: ModelProto) -> ModelProto:
    """Return the graph after ONNX Runtime's basic rewriting: constants folded, needless nodes dropped.

    Constants get fresh names, for a runtime that rewrites the graph again would reuse the first ones'.
    """
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        after = Path(folder, "after.onnx")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(after)
        onnxruntime.InferenceSession(
            model.SerializeToString(), options, ["CPUExecutionProvider"], disabled_optimizers=["MatMulAddFusion"]
        )
        model = onnx.load(str(after))
    fresh = {tensor.name: f"c{number}.{tensor.name}" for number, tensor in enumerate(model.graph.initializer)}
    for tensor in model.graph.initializer:
        tensor.name = fresh[tensor.name]
    for node in model.graph.node:
        for index, name in enumerate(node.input):
            node.input[index] = fresh.get(name, name)
    _keep_domains(model, ("", "com.microsoft"))
    return model


def _keep_domains(model: ModelProto, wanted: Sequence[str]) -> None:
    """Drop the domains that the runtime lists without using them."""
    kept = [entry for entry in model.opset_import if entry.domain in wanted]
    del model.opset_import[:]
    model.opset_import.extend(kept)


def _global_pools(model: ModelProto) -> None:
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
