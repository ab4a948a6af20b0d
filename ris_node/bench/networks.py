# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Comparison of networks in turn on one runtime: ours in each precision, and the published ones.

Beside them what the machine could do at best: operations a second in float32 and INT8, and bytes a second from memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ris_node.bench.series import Series
from ris_node.bundle.bundle import VISION_FILES, Bundle
from ris_node.report.values import finite

MOST_S = 4.0  # of one network a round: a slow one gets fewer passes
TITLES = {
    "clipseg": "CLIPSeg rd64 (random weights)",
    "swin-lavt": "Swin-T, LAVT-like (random weights)",
    "grounding-dino-tiny": "Grounding DINO tiny (random weights)",
}
REFERENCE = "clipseg"


@dataclass
class Network:
    """Network with its inputs; `macs` are multiplications of convolutions and products in one pass."""

    name: str
    title: str
    path: Path
    input_size: str
    _: KW_ONLY
    series: Series = field(default_factory=Series)
    macs: float = 0.0
    failed: str = ""
    session: Any = None
    feeds: dict[str, np.ndarray] = field(default_factory=dict)


def find_networks(bundle: Bundle, rivals: Path) -> list[Network]:
    """Find our vision graphs that a CPU runs, then the networks that were exported into a folder."""
    found = []
    for precision in ("fp32", "int8"):
        path = bundle.file(VISION_FILES[precision])
        if path is not None:
            found.append(Network(precision, f"{bundle.manifest.name}, {precision}", path, ""))
    found += [Network(name, title, rivals / f"{name}.onnx", "") for name, title in TITLES.items()]
    for one in found:
        note = one.path.with_suffix(".txt")
        if not one.path.is_file():
            one.failed = note.read_text(encoding="utf-8").strip() if note.is_file() else "not exported"
    return found


def run_networks(
    networks: Sequence[Network], threads: int, rounds: int, passes: int, say: Callable[[str], None]
) -> None:
    """Time the networks in turn, with the node's own session options."""
    for one in networks:
        if not one.failed:
            _load(one, threads)
    ready = [one for one in networks if not one.failed]
    whole = {one.name: one.macs for one in ready}
    for one in ready:
        if one.name == "int8":  # the same network; its shapes are not written in the file
            one.macs = whole.get("fp32", one.macs)
    for turn in range(rounds):
        say(f"networks, round {turn + 1} of {rounds}")
        for one in ready:
            times: list[float] = []
            begun = time.perf_counter()
            while len(times) < passes and (not times or time.perf_counter() - begun < MOST_S):
                start = time.perf_counter()
                one.session.run(None, one.feeds)
                times.append((time.perf_counter() - start) * 1e3)
            one.series.add(times)
    for one in ready:
        one.session = None


def floors(threads: int) -> dict[str, float]:
    """Measure the machine's best: float32 and INT8 multiplications a second (large products), bytes a second.

    NaN where the onnx package is missing.
    """
    return {
        "fp32_macs_per_s": _product_rate(np.float32, threads),
        "int8_macs_per_s": _product_rate(np.uint8, threads),
        "bytes_per_s": _copy_rate(),
    }


def rows(networks: Sequence[Network], best: dict[str, float]) -> list[dict[str, Any]]:
    """Return the table as JSON; `of_peak` is the share of the machine's best rate in that precision."""
    reference = next((one for one in networks if one.name == REFERENCE and not one.failed), None)
    found: list[dict[str, Any]] = []
    for one in networks:
        if one.failed:
            found.append({"network": one.title, "failed": one.failed})
            continue
        peak = best["int8_macs_per_s" if one.name == "int8" else "fp32_macs_per_s"]
        size = one.path.stat().st_size
        faster = reference.series.ratio(one.series) if reference else float("nan")
        found.append(
            {
                "network": one.title,
                "input": one.input_size,
                "p50_ms": finite(one.series.p50),
                "best_ms": finite(min(one.series.values)),
                "per_s": finite(1e3 / one.series.p50),
                "times_clipseg": finite(faster),
                "gmacs": finite(one.macs / 1e9),
                "floor_ms": finite(one.macs / peak * 1e3 + size / best["bytes_per_s"] * 1e3),
                "file_mb": round(size / 1e6, 1),
            }
        )
    return found


def table(found: Sequence[dict[str, Any]]) -> list[str]:
    """Return the table as Markdown."""
    lines = [
        "| network | input | p50 ms | best ms | a second | times CLIPSeg | GMAC | floor ms | MB |",
        "|---|---|" + "---:|" * 7,
    ]
    for row in found:
        if "failed" in row:
            lines.append(f"| {row['network']} | | | | | | | | {row['failed'][:90]} |")
            continue
        cells = [row[key] for key in ("p50_ms", "best_ms", "per_s", "times_clipseg", "gmacs", "floor_ms", "file_mb")]
        numbers = " | ".join("-" if cell is None else f"{cell:.2f}" for cell in cells)
        lines.append(f"| {row['network']} | {row['input']} | {numbers} |")
    return lines


def _load(one: Network, threads: int) -> None:
    import onnxruntime

    from ris_node.runtime.ort import session_options

    options = session_options(onnxruntime, threads)
    try:
        one.session = onnxruntime.InferenceSession(str(one.path), options, providers=["CPUExecutionProvider"])
        rng = np.random.default_rng(0)
        one.feeds = {tensor.name: _feed(tensor, rng) for tensor in one.session.get_inputs()}
        one.session.run(None, one.feeds)
    except Exception as error:  # onnxruntime raises many kinds, none of them public
        one.failed = " ".join(str(error).split())[:200]
        return
    image = one.session.get_inputs()[0].shape
    height, width = (image[1], image[2]) if image[3] == 3 else (image[2], image[3])
    one.input_size = f"{width}x{height}"
    one.macs = count_macs(one.path)


def _feed(tensor: Any, rng: np.random.Generator) -> np.ndarray:
    if tensor.type == "tensor(uint8)":
        return np.asarray(rng.integers(0, 256, tensor.shape), np.uint8)
    if tensor.type == "tensor(int64)":
        return np.ones(tensor.shape, np.int64)
    if tensor.name == "word_mask":
        mask = np.zeros(tensor.shape, np.float32)
        mask[:, 8:] = -1e4
        return mask
    return np.asarray(rng.standard_normal(tensor.shape), np.float32)


def count_macs(path: Path) -> float:
    """Return multiplications of a graph's convolutions and products, from its shapes; NaN where these are unknown."""
    try:
        import onnx
    except ImportError:
        return float("nan")
    graph = onnx.shape_inference.infer_shapes(onnx.load(str(path))).graph
    known = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim]
             for v in (*graph.value_info, *graph.input, *graph.output)}  # fmt: skip
    known |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    total = 0.0
    for node in graph.node:
        out = known.get(node.output[0], [])
        if node.op_type in ("Conv", "MatMul", "Gemm") and (not out or not all(out)):
            return float("nan")  # half a count would be taken for a whole one
        first, second = (known.get(name, []) for name in (*node.input, "", "")[:2])
        if node.op_type == "Conv" and second:
            total += float(np.prod(out)) * float(np.prod(second[1:]))
        elif node.op_type in ("MatMul", "Gemm") and first and out:
            transposed = any(a.name == "transA" and a.i for a in node.attribute)
            total += float(np.prod(out)) * float(first[0] if transposed else first[-1])
    return total


def _product_rate(kind: Any, threads: int, size: int = 1024) -> float:
    """Return the multiplications a second of a large product on ONNX Runtime, the best of several."""
    import onnxruntime

    from ris_node.runtime.ort import session_options

    try:
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return float("nan")
    integer = kind is np.uint8
    types = (TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32) if integer else (TensorProto.FLOAT,) * 3
    names = ("a", "b", "c")
    info = [helper.make_tensor_value_info(n, t, [size, size]) for n, t in zip(names, types, strict=True)]
    node = helper.make_node("MatMulInteger" if integer else "MatMul", ["a", "b"], ["c"])
    weights = np.ones((size, size), np.int8 if integer else np.float32)
    graph = helper.make_graph([node], "product", info[:1], info[2:], [numpy_helper.from_array(weights, "b")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    options = session_options(onnxruntime, threads)
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {"a": np.ones((size, size), kind)}
    return float(size**3 / _best(lambda: session.run(None, feeds)))


def _copy_rate() -> float:
    source = np.ones(1 << 24, np.float32)  # 64 MB, beyond the caches
    target = np.empty_like(source)
    return float(2 * source.nbytes / _best(lambda: np.copyto(target, source)))


def _best(work: Callable[[], object], count: int = 8) -> float:
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        work()
        times.append(time.perf_counter() - begin)
    return min(times)
