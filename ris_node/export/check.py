# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with an ONNX file before a robot finds out, and what TensorRT says of it.

Read from the graph: operators against the lists of the parsers of TensorRT 10 and 11, norms in one piece, no writes in
place, static shapes, weights inside, and the precision of every heavy layer against what the file says it is. Then the
compile gate: TensorRT-RTX parses and builds the file here, without a GPU; it has to refuse the CPU's INT8.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from onnx import ModelProto

from ris_node.errors import BackendError
from ris_node.export.onnx_edit import constants, load, read_contract, readers, unpack_half

OPSET = 18
HEAVY = ("Conv", "ConvTranspose", "MatMul", "Gemm")
INTEGER = ("MatMulIntegerToFloat",)  # ONNX Runtime's own product in int8, for its CPU kernels only
IN_PLACE = {"ScatterND", "ScatterElements", "Scatter", "NonZero"}
WRONG = {
    "GridSample": "several TensorRT releases sample it wrongly",
    "Loop": "it has no static schedule",
    "If": "it has no static schedule",
    "Scan": "it has no static schedule",
}
LEAST = {"fp32": 1.0, "fp16": 0.9, "fp16-safe": 0.6, "int8-cpu": 0.5, "int8-tensorrt": 0.5}
KIND = {"fp32": "fp32", "fp16": "fp16", "fp16-safe": "fp16", "int8-cpu": "int8", "int8-tensorrt": "int8"}
NAMES = {"vision.int8-cpu.onnx": "int8-cpu", "vision.int8-trt.onnx": "int8-tensorrt", "vision.fp16.onnx": "fp16"}
ONLY_CPU = ("int8-cpu", "text")
ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What `ris check` found: `problems` are to be mended; `layers` is the precision of each heavy layer by name."""

    path: str
    precision: str
    operators: dict[str, int]
    layer_norms: int
    shares: dict[str, float]
    layers: dict[str, str]
    problems: tuple[str, ...]
    compiled: str  # what the compile gate said; empty: not asked

    @property
    def good(self) -> bool:
        """Nothing has to be mended."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the result as JSON-ready values."""
        return asdict(self) | {"good": self.good}


def check_file(path: Path, gate: bool = False) -> Checked:
    """Check one ONNX file; with `gate` TensorRT-RTX compiles it too.

    Raises:
        ExportError: it is missing or no ONNX file.
    """
    model = load(path)
    precision = _label(model, path)
    whole = load(path)
    unpack_half(whole)
    layers = _layers(whole)
    shares = {kind: count / len(layers) for kind, count in Counter(layers.values()).items()}
    operators = Counter(node.op_type for node in model.graph.node)
    problems = [*_structure(model), *_operators(model, precision), *_norms(whole), *_precision(precision, shares)]
    problems += _numbers(whole) if precision.startswith("fp16") else []
    compiled = ""
    if gate and precision != "text":
        refused = compile_file(path, precision)
        compiled, complaint = _verdict(precision, refused)
        problems += complaint
    return Checked(
        path=str(path),
        precision=precision,
        operators=dict(operators),
        layer_norms=operators["LayerNormalization"],
        shares=shares,
        layers=layers,
        problems=tuple(dict.fromkeys(problems)),
        compiled=compiled,
    )


def compile_file(path: Path, precision: str) -> str:
    """Parse and build a file with TensorRT-RTX; return its refusal, empty where it built.

    Raises:
        BackendError: TensorRT-RTX is not installed.
    """
    from ris_node.runtime.tensorrt.build import build_engine
    from ris_node.runtime.tensorrt.spec import BuildSpec
    from ris_node.runtime.tensorrt.toolkit import load_module

    module = load_module("tensorrt_rtx")
    wanted = "int8" if precision.startswith("int8") else precision
    with tempfile.TemporaryDirectory() as folder:
        try:
            build_engine(path, BuildSpec(wanted), Path(folder, "model.engine"), module)
        except BackendError as error:
            return str(error)
    return ""


@cache
def supported(major: int) -> frozenset[str]:
    """Return the operators that the ONNX parser of a TensorRT major supports."""
    lines = (ASSETS / f"onnx_tensorrt_{major}.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(word for line in lines if not line.startswith("#") for word in line.split())


def _label(model: ModelProto, path: Path) -> str:
    """What the file says it is, by its contract, then its name, then its graph."""
    said = read_contract(model)[1]
    if said:
        return said
    if path.name in NAMES:
        return NAMES[path.name]
    if {i.name for i in model.graph.input} >= {"tokens", "token_mask"}:
        return "text"
    points = [node for node in model.graph.node if node.op_type == "QuantizeLinear"]
    if points:
        values = constants(model)
        unsigned = any(
            values[n.input[2]].dtype == np.uint8 for n in points if len(n.input) > 2 and n.input[2] in values
        )
        return "int8-cpu" if unsigned else "int8-tensorrt"
    return "fp16" if "fp16" in Counter(_layers(model).values()) else "fp32"


def _layers(model: ModelProto) -> dict[str, str]:
    """The precision of each heavy layer: int8 by its kind or behind a DequantizeLinear, else what its numbers are."""
    import onnx

    types = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    types |= {value.name: value.type.tensor_type.elem_type for value in model.graph.input}
    inferred = onnx.shape_inference.infer_shapes(model)
    types |= {value.name: value.type.tensor_type.elem_type for value in inferred.graph.value_info}
    makers = {name: node for node in model.graph.node for name in node.output}
    words: dict[int, str] = {
        onnx.TensorProto.FLOAT: "fp32",
        onnx.TensorProto.FLOAT16: "fp16",
        onnx.TensorProto.BFLOAT16: "bf16",
    }
    found = {}
    for node in model.graph.node:
        if node.op_type in INTEGER:
            found[node.name or node.output[0]] = "int8"
        elif node.op_type in HEAVY:
            sources = [makers[name].op_type for name in node.input[:2] if name in makers]
            int8 = sources.count("DequantizeLinear") == 2
            kinds = {types.get(name, 0) for name in node.input[:2]}
            kind = words.get(int(max(kinds - {0}, default=1)), "other")
            found[node.name or node.output[0]] = "int8" if int8 else kind
    return found


def _structure(model: ModelProto) -> list[str]:
    import onnx

    opsets = {entry.domain: entry.version for entry in model.opset_import}
    found = [] if opsets.get("") == OPSET else [f"opset {opsets.get('')}, not {OPSET}: export it again"]
    for tensor in (*model.graph.input, *model.graph.output):
        sizes = [d.dim_value for d in tensor.type.tensor_type.shape.dim]
        if any(size < 1 for size in sizes):
            found.append(f"{tensor.name} has no static shape: export it with fixed sizes")
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer):
        found.append("weights lie outside of the file: store them inside")
    return found


def _operators(model: ModelProto, precision: str) -> list[str]:
    found = []
    for node in model.graph.node:
        name = f"{node.name or node.output[0]} ({node.op_type})"
        if node.op_type in IN_PLACE:
            found.append(f"{name} writes in place: use where and concat in the model")
        elif node.op_type in WRONG:
            found.append(f"{name}: {WRONG[node.op_type]}; rewrite the model without it")
        elif node.op_type in INTEGER and precision == "int8-cpu":
            continue
        elif node.domain not in ("", "ai.onnx"):
            found.append(f"{name} is of the domain {node.domain}, which no TensorRT parser knows")
        elif precision not in ONLY_CPU:
            missing = [str(major) for major in (10, 11) if node.op_type not in supported(major)]
            if missing:
                found.append(f"{name} is not among the operators of TensorRT {' and '.join(missing)}")
    return found


def _norms(model: ModelProto) -> list[str]:
    """Norms in pieces: the root of a mean of squares, which overflows in half precision."""
    makers, used = {out: node for node in model.graph.node for out in node.output}, readers(model)
    found = []
    for node in model.graph.node:
        if node.op_type != "Sqrt":
            continue
        before = makers.get(node.input[0])
        if before is not None and before.op_type == "Add":
            before = next((makers[i] for i in before.input if i in makers), None)
        divides = any(n.op_type in ("Div", "Reciprocal") for n in used.get(node.output[0], []))
        if before is not None and before.op_type == "ReduceMean" and divides:
            found.append(f"{node.name or node.output[0]} is a norm in pieces: use layer_norm in the model")
    return found


def _precision(label: str, shares: dict[str, float]) -> list[str]:
    if label not in LEAST:
        return []
    share = shares.get(KIND[label], 0.0)
    if share >= LEAST[label]:
        return []
    return [
        f"says it is {label}, but {share:.0%} of its heavy layers are ({shares}): a silent {max(shares, default='')}"
    ]


def _numbers(model: ModelProto) -> list[str]:
    return [
        f"{name} holds a value that is not finite in half precision: mask with -1e4, not with infinity"
        for name, value in constants(model).items()
        if value.dtype in (np.float16, np.float32) and value.size and not np.isfinite(value.astype(np.float16)).all()
    ]


def _verdict(precision: str, refused: str) -> tuple[str, list[str]]:
    if precision in ONLY_CPU:
        if refused:
            return f"refused, as it has to be: {refused[:160]}", []
        return "built", ["TensorRT built the CPU's INT8 file, which it has to refuse: is it what its name says?"]
    return ("built", []) if not refused else ("refused", [refused])
