# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""What is rewritten for the CPU's INT8 computes the same in float32, and every rule finds its pattern in ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from ris_node.export.int8.image import exact_ranges  # noqa: E402
from ris_node.export.int8.products import Fuser, find_products, find_scores  # noqa: E402
from ris_node.export.int8.quantize import folded  # noqa: E402
from ris_node.export.int8.rewriter import Rewriter  # noqa: E402
from ris_node.export.int8.rewrites import lean  # noqa: E402
from ris_node.export.onnx_edit import constants, load, unpack_half  # noqa: E402

DEFAULT = Path(__file__).parents[2] / "engines" / "default" / "vision.fp32.onnx"


def run(model, feed) -> dict[str, np.ndarray]:
    options = ort.SessionOptions()
    options.log_severity_level, options.intra_op_num_threads = 3, 1
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip([o.name for o in session.get_outputs()], session.run(None, feed)))  # noqa: B905


def feed_of(model, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    feed = {}
    for value in model.graph.input:
        shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
        if value.type.tensor_type.elem_type == TensorProto.UINT8:
            feed[value.name] = rng.integers(0, 256, shape).astype(np.uint8)
        else:
            feed[value.name] = rng.normal(0, 1, shape).astype(np.float32)
    if "word_mask" in feed:
        feed["word_mask"] = np.where(np.arange(feed["word_mask"].shape[1]) < 7, 0, -1e4)[None].astype(np.float32)
    return feed


def test_the_rewritten_default_network_answers_the_same():
    model = load(DEFAULT)
    unpack_half(model)
    rewritten = folded(model)
    done = lean(rewritten)
    assert done.pop("softmax_by_rows") == 0, done  # only networks that read their trunk's classes have one
    assert all(count > 0 for count in done.values()), done
    feed = feed_of(model, 5)
    exact, found = run(model, feed), run(rewritten, feed)
    for name, value in exact.items():
        assert np.abs(value - found[name]).max() < 1e-4 * max(1.0, np.abs(value).max()), name


def attention(scale: float = 0.25):
    """Two heads over twelve keys, masked, with a product of a constant matrix behind a ReLU."""
    rng = np.random.default_rng(2)
    node, info = helper.make_node, helper.make_tensor_value_info
    nodes = [
        node("Mul", ["q", "scale"], ["qs"], "scaled"),
        node("MatMul", ["qs", "k"], ["s"], "scores"),
        node("Add", ["s", "mask"], ["masked"], "masked"),
        node("Softmax", ["masked"], ["p"], "soft", axis=-1),
        node("Relu", ["p"], ["r"], "relu"),
        node("MatMul", ["r", "w"], ["y"], "product"),
        node("Add", ["y", "b"], ["out"], "biased"),
    ]
    rows, keys = 512, 12
    inputs = [("q", [1, 2, rows, 8]), ("k", [1, 2, 8, keys]), ("mask", [1, 1, 1, keys])]
    tensors = {
        "scale": np.float32(scale),
        "w": rng.normal(0, 1, (keys, 5)).astype(np.float32),
        "b": rng.normal(0, 1, 5).astype(np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "attention",
        [info(n, TensorProto.FLOAT, s) for n, s in inputs],
        [info("out", TensorProto.FLOAT, [1, 2, rows, 5])],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in tensors.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)


def test_scores_and_products_are_fused_with_mask_scale_and_bias():
    model, fused = attention(), attention()
    feed = feed_of(model, 3)
    feed["mask"][..., 9:] = -1e4
    exact = run(model, feed)["out"]
    scores, products = find_scores(Rewriter(fused)), find_products(Rewriter(fused))
    assert [(s.scale, s.mask) for s in scores] == [(0.25, "mask")]
    assert [(p.bias, p.source) for p in products] == [("b", "p")]  # the ReLU is what rounding to bytes does anyway
    ranges = {"q": (-4.0, 4.0), "k": (-4.0, 4.0), "r": (0.0, 1.0)}
    fuser = Fuser(Rewriter(fused), ranges)
    fuser.scores(scores[0])
    fuser.product(products[0])
    fuser.finish()
    kinds = [node.op_type for node in fused.graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 2 and not {"MatMul", "Mul", "Add", "Relu"} & set(kinds)
    found = run(fused, feed)["out"]
    assert 0 < np.abs(found - exact).mean() < 0.03 * np.abs(exact).mean()


def test_an_images_bytes_keep_their_steps_and_the_bias_knows_the_half_step():
    model = load(DEFAULT)
    unpack_half(model)
    graph = Rewriter(folded(model))
    conv = next(node for node in graph.model.graph.node if node.op_type == "Conv")
    before = graph.known[conv.input[2]]
    ranges = {conv.input[0]: (-0.9, 0.9)}
    exact_ranges(graph, ranges)
    low, high = ranges[conv.input[0]]
    assert np.isclose((high - low) / 255, 1 / 127.5) and np.isclose(abs(low + 1), 0.5 / 127.5, atol=1e-6)
    moved = constants(graph.model)[conv.input[2]] - before
    assert np.allclose(moved, -graph.known[conv.input[1]].sum((1, 2, 3)) * (low + 1), atol=1e-6)
