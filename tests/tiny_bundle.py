# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A tiny referring bundle whose answers are known: "the red thing" is every red pixel, and so for green and blue.

Its presence is that of the strongest cell, its region lies `SHIFT` cells under the referent. Real graphs, a real
tokenizer and a real manifest, 20 KB in all: whatever a trained model goes through, this one goes through too.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ris_node.bundle import InputContract, Manifest, TextContract, Thresholds
from ris_node.export.manifest import write_manifest

LENGTH, DIM, SHIFT = 32, 8, 6
COLOURS = ("red", "green", "blue")
WORDS = [
    "[PAD]",
    "[UNK]",
    "[CLS]",
    "[SEP]",
    *COLOURS,
    "the",
    "thing",
    "car",
    "on",
    "left",
    "right",
    "stop",
    "next",
    "to",
]
USE = "a test bundle made of nothing but arithmetic; free to use"


def make_tiny_bundle(folder: Path | str, *, name: str = "tiny", height: int = 256, width: int = 320) -> Path:
    """Write a complete referring bundle into a folder (made if need be) and return it."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(text_graph(), folder / "text.onnx")
    onnx.save(vision_graph(height, width), folder / "vision.fp32.onnx")
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer()), encoding="utf-8")
    write_manifest(
        folder,
        Manifest(
            name=name,
            version="0",
            family="referring",
            use=USE,
            input=InputContract(height=height, width=width),
            text=TextContract(max_tokens=LENGTH, dim=DIM, encoder="one column a colour"),
            thresholds=Thresholds(min_area_fraction=0.0005),
            classes=COLOURS,
            provenance={"made_by": "tests/tiny_bundle.py"},
        ),
    )
    return folder


def tokenizer() -> dict[str, object]:
    """A word-level tokenizer in Hugging Face's format."""
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }


def text_graph() -> onnx.ModelProto:
    """tokens, token_mask -> words, sentence: a row of the table for each token, and the largest of them."""
    table = np.random.default_rng(0).normal(0, 0.1, (len(WORDS), DIM)).astype(np.float32)
    table[:, :3] = 0.0
    for column, colour in enumerate(COLOURS):
        table[WORDS.index(colour), column] = 1.0
    node = helper.make_node
    nodes = [
        node("Gather", ["table", "tokens"], ["raw"]),
        node("Cast", ["token_mask"], ["keep"], to=TensorProto.FLOAT),
        node("Unsqueeze", ["keep", "last"], ["keep_column"]),
        node("Mul", ["raw", "keep_column"], ["words"]),
        node("ReduceMax", ["words", "one"], ["sentence"], keepdims=0),
    ]
    return _model(
        nodes,
        {"table": table, "last": np.array([2], np.int64), "one": np.array([1], np.int64)},
        [_info("tokens", [1, LENGTH], TensorProto.INT64), _info("token_mask", [1, LENGTH], TensorProto.INT64)],
        [_info("words", [1, LENGTH, DIM]), _info("sentence", [1, DIM])],
    )


def vision_graph(height: int, width: int) -> onnx.ModelProto:
    """How much more of the named colour than of the two others there is in each cell, as logits."""
    node = helper.make_node
    mask = [1, height // 4, width // 4]
    nodes = [
        node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2]),
        node("AveragePool", ["planes"], ["cells"], kernel_shape=[4, 4], strides=[4, 4]),
        node("Conv", ["cells", "contrast"], ["colours"]),
        node("Slice", ["sentence", "zero", "three", "one"], ["asked"]),
        node("Reshape", ["asked", "column"], ["asked_column"]),
        node("Mul", ["colours", "asked_column"], ["chosen"]),
        node("ReduceSum", ["chosen", "one"], ["strength"], keepdims=0),
        node("Add", ["strength", "bias"], ["mask_logits"]),
        node("Pad", ["mask_logits", "pads", "bias"], ["padded"]),
        node("Slice", ["padded", "zero", "rows", "one"], ["region_logits"]),
        node("Reshape", ["mask_logits", "row"], ["flat"]),
        node("ReduceMax", ["flat", "one"], ["strongest"], keepdims=0),
        node("ReduceSum", ["words", "both"], ["word_sum"], keepdims=0),
        node("ReduceSum", ["word_mask", "one"], ["mask_sum"], keepdims=0),
        node("Add", ["word_sum", "mask_sum"], ["unused"]),
        node("Mul", ["unused", "nought"], ["nothing"]),
        node("Add", ["strongest", "nothing"], ["presence_logit"]),
    ]
    contrast = (np.full((3, 3), -0.5) + 1.5 * np.eye(3)).astype(np.float32).reshape(3, 3, 1, 1)
    weights = {
        "contrast": contrast * np.float32(20 / 255),
        "bias": np.float32(-8.0),
        "nought": np.float32(0.0),
        "column": np.array([1, 3, 1, 1], np.int64),
        "row": np.array([1, -1], np.int64),
        "zero": np.array([0], np.int64),
        "one": np.array([1], np.int64),
        "three": np.array([3], np.int64),
        "both": np.array([1, 2], np.int64),
        "pads": np.array([0, SHIFT, 0, 0, 0, 0], np.int64),
        "rows": np.array([mask[1]], np.int64),
    }
    inputs = [
        _info("image", [1, height, width, 3], TensorProto.UINT8),
        _info("words", [1, LENGTH, DIM]),
        _info("word_mask", [1, LENGTH]),
        _info("sentence", [1, DIM]),
    ]
    return _model(
        nodes, weights, inputs, [_info("mask_logits", mask), _info("region_logits", mask), _info("presence_logit", [1])]
    )


def _info(name: str, shape: list[int], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def _model(
    nodes: list[onnx.NodeProto],
    weights: dict[str, np.ndarray],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    tensors = [numpy_helper.from_array(np.asarray(value), key) for key, value in weights.items()]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model
