# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A small vision graph of the bundle's contract with what quantisers meet: several convolutions, products, norms."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tiny_bundle import DIM, LENGTH, text_graph, tokenizer

from ris_node.bundle import InputContract, Manifest, TextContract
from ris_node.export.manifest import write_manifest

HEIGHT, WIDTH, WIDE = 64, 80, 16


def small_vision(seed: int = 0) -> onnx.ModelProto:
    """Convolution, depthwise, pointwise, a residual sum, a product after a norm on tokens, two maps of one channel."""
    rng = np.random.default_rng(seed)
    h, w = HEIGHT // 4, WIDTH // 4
    node = helper.make_node
    nodes = [
        node("Cast", ["image"], ["pixels"], "image_cast", to=TensorProto.FLOAT),
        node("Transpose", ["pixels"], ["planes"], "planes", perm=[0, 3, 1, 2]),
        node("Mul", ["planes", "scale"], ["x"], "scaled"),
        node("Conv", ["x", "w1", "b1"], ["c1"], "conv1", strides=[4, 4], kernel_shape=[4, 4]),
        node("Relu", ["c1"], ["r1"], "relu1"),
        node("Conv", ["r1", "w2", "b2"], ["c2"], "depthwise", group=WIDE, pads=[1, 1, 1, 1], kernel_shape=[3, 3]),
        node("Relu", ["c2"], ["r2"], "relu2"),
        node("Conv", ["r2", "w3", "b3"], ["c3"], "pointwise", kernel_shape=[1, 1]),
        node("Add", ["c3", "r1"], ["sum"], "residual"),
        node("ReduceMean", ["sum", "map_axes"], ["mean"], "mean", keepdims=1),
        node("Sub", ["sum", "mean"], ["centred"], "centred"),
        node("Reshape", ["centred", "to_tokens"], ["rows"], "rows"),
        node("Transpose", ["rows"], ["tokens"], "tokens", perm=[0, 2, 1]),
        node("LayerNormalization", ["tokens", "gain", "shift"], ["normed"], "norm", axis=-1),
        node("MatMul", ["normed", "w4"], ["product"], "product"),
        node("Add", ["product", "b4"], ["biased"], "bias"),
        node("MatMul", ["sentence", "w5"], ["asked"], "asked"),
        node("Add", ["biased", "asked"], ["told"], "told"),
        node("MatMul", ["codes", "w8"], ["place"], "place"),  # of constants alone: nothing to quantise
        node("Add", ["told", "place"], ["placed"], "placed"),
        node("Transpose", ["placed"], ["back"], "back", perm=[0, 2, 1]),
        node("Reshape", ["back", "to_map"], ["map"], "map"),
        node("Conv", ["map", "w6", "b6"], ["last"], "mask", kernel_shape=[1, 1]),
        node("Conv", ["map", "w7", "b6"], ["other"], "region", kernel_shape=[1, 1]),
        node("Squeeze", ["last", "one"], ["mask_logits"], "mask_out"),
        node("Squeeze", ["other", "one"], ["region_logits"], "region_out"),
        node("ReduceSum", ["words", "both"], ["word_sum"], "word_sum", keepdims=0),
        node("ReduceSum", ["word_mask", "one"], ["mask_sum"], "mask_sum", keepdims=0),
        node("Add", ["word_sum", "mask_sum"], ["unused"], "unused"),
        node("Mul", ["unused", "nought"], ["nothing"], "nothing"),
        node("ReduceMax", ["mask_logits", "both"], ["most"], "most", keepdims=0),
        node("Add", ["most", "nothing"], ["presence_logit"], "presence"),
    ]

    def draw(*shape: int, spread: float = 1.0) -> np.ndarray:
        fan = max(1, int(np.prod(shape[1:])))
        return (rng.normal(0, spread / np.sqrt(fan), shape)).astype(np.float32)

    uneven = np.logspace(-1.5, 1, WIDE).astype(np.float32)  # channels of very different ranges
    weights = {
        "scale": np.float32(1 / 127.5),
        "nought": np.float32(0),
        "w1": draw(WIDE, 3, 4, 4) * uneven.reshape(-1, 1, 1, 1),
        "b1": 0.5 * uneven,
        "w2": draw(WIDE, 1, 3, 3),
        "b2": 0.5 * uneven,
        "w3": draw(WIDE, WIDE, 1, 1) / uneven.reshape(1, -1, 1, 1),
        "b3": draw(WIDE) * 0.1,
        "gain": np.ones(WIDE, np.float32),
        "shift": np.zeros(WIDE, np.float32),
        "w4": draw(WIDE, WIDE).T.copy(),
        "b4": draw(WIDE),
        "w5": draw(WIDE, DIM, spread=3.0).T.copy(),
        "w6": draw(1, WIDE, 1, 1, spread=4.0),
        "w7": draw(1, WIDE, 1, 1, spread=4.0),
        "b6": np.zeros(1, np.float32),
        "codes": draw(h * w, 14, spread=0.5),
        "w8": draw(14, WIDE),
        "map_axes": np.array([2, 3], np.int64),
        "one": np.array([1], np.int64),
        "both": np.array([1, 2], np.int64),
        "to_tokens": np.array([1, WIDE, h * w], np.int64),
        "to_map": np.array([1, WIDE, h, w], np.int64),
    }
    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, [1, HEIGHT, WIDTH, 3]),
        helper.make_tensor_value_info("words", TensorProto.FLOAT, [1, LENGTH, DIM]),
        helper.make_tensor_value_info("word_mask", TensorProto.FLOAT, [1, LENGTH]),
        helper.make_tensor_value_info("sentence", TensorProto.FLOAT, [1, DIM]),
    ]
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, h, w]) for n in ("mask_logits", "region_logits")]
    outputs.append(helper.make_tensor_value_info("presence_logit", TensorProto.FLOAT, [1]))
    tensors = [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()]
    graph = helper.make_graph(nodes, "small", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model


def small_feeds(count: int, seed: int = 1) -> list[dict[str, np.ndarray]]:
    """Blotchy pictures and sentences."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        blotches = rng.integers(0, 256, (HEIGHT // 8, WIDTH // 8, 3)).astype(np.uint8)
        image = np.kron(blotches, np.ones((8, 8, 1), np.uint8))
        found.append(
            {
                "image": image[None],
                "words": rng.normal(0, 1, (1, LENGTH, DIM)).astype(np.float32),
                "word_mask": np.zeros((1, LENGTH), np.float32),
                "sentence": rng.normal(0, 1, (1, DIM)).astype(np.float32),
            }
        )
    return found


def small_bundle(folder: Path) -> Path:
    """The small network with the tiny bundle's text side."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(text_graph(), folder / "text.onnx")
    onnx.save(small_vision(), folder / "vision.fp32.onnx")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()), encoding="utf-8")
    write_manifest(
        folder,
        Manifest(
            name="small",
            version="0",
            family="referring",
            use="a test bundle of random weights; free to use",
            input=InputContract(height=HEIGHT, width=WIDTH),
            text=TextContract(max_tokens=LENGTH, dim=DIM),
        ),
    )
    return folder
