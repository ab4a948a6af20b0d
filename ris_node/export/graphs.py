# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Export of a system's two graphs to ONNX: static, batch 1, checked against torch before anyone may use them."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch

from ris_node.atomic import replacing
from ris_node.bundle.bundle import VISION_FILES
from ris_node.errors import ExportError
from ris_node.models.attention import MASKED
from ris_node.models.base import ExportGraph, System

OPSET = 18
FORBIDDEN = frozenset({"GridSample", "ScatterND", "ScatterElements", "NonZero", "Loop", "If", "Scan", "Pow"})
LARGEST_ERROR = 1e-3  # of the largest value, between torch and ONNX Runtime
_SAMPLES = ("the car", "stop next to the second pedestrian from the left, behind the parked van")


def export_graphs(system: System, folder: Path) -> None:
    """Write the text and the vision graph of a system, checked on a short and a long sentence (see `write_graph`)."""
    text, vision = system.text_graph().eval(), system.vision_graph().eval()
    c = system.config
    texts = [sample_tokens(sentence, system.tokenizer(), c.text_tokens) for sentence in _SAMPLES]
    rng = np.random.default_rng(0)
    pictures = []
    for tokens in texts:
        with torch.no_grad():
            words, sentence = text(*map(torch.from_numpy, tokens))
        noise = rng.integers(0, 256, (c.height // 16, c.width // 16, 3), np.uint8)
        image = np.kron(noise, np.ones((16, 16, 1), np.uint8))[None]
        word_mask = ((1 - tokens[1]) * MASKED).astype(np.float32)
        pictures.append((image, words.numpy(), word_mask, sentence.numpy()))
    write_graph(vision, pictures, folder / VISION_FILES["fp32"])
    write_graph(text, texts, folder / "text.onnx")


def sample_tokens(text: str, tokenizer: Path, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a text's word pieces i64[1,length] and their mask."""
    from ris_node.language.tokenizer import WordPieces

    return WordPieces(tokenizer, length).encode(text)


def write_graph(module: ExportGraph, samples: Sequence[Sequence[np.ndarray]], path: Path) -> None:
    """Write a module to `path`, traced on the first of some samples of its inputs and checked on all.

    Raises:
        ExportError: the file does not compute what torch computes, or holds an operation that must not be there.
    """
    feeds = [dict(zip(module.inputs, values, strict=True)) for values in samples]
    module = module.to(memory_format=torch.contiguous_format)
    inputs = tuple(torch.from_numpy(np.ascontiguousarray(v)) for v in feeds[0].values())
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module,
            inputs,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(feeds[0]),
            output_names=list(module.outputs),
            verbose=False,
        )
    with replacing(path) as part:
        program.save(str(part))
        _slim(part)
        audit(part)
        check(module, feeds, part)


def _slim(path: Path) -> None:
    """Drop the exporter's notes for debugging: names of source lines, shapes that any reader infers."""
    import onnx

    proto = onnx.load(str(path))
    for item in (proto, proto.graph, *proto.graph.node, *proto.graph.initializer):
        del item.metadata_props[:]
        item.doc_string = ""
    del proto.graph.value_info[:]
    onnx.save(proto, str(path))


def audit(path: Path) -> None:
    """Check a graph's operations.

    Raises:
        ExportError: it is not of the opset we promise, or holds a forbidden operation, or weights outside of the file.
    """
    import onnx

    proto = onnx.load(str(path), load_external_data=False)
    opset = {entry.domain: entry.version for entry in proto.opset_import}
    if opset.get("", 0) != OPSET:
        raise ExportError(f"{path.name} has opset {opset}, expected {OPSET}")
    bad = sorted({node.op_type for node in proto.graph.node} & FORBIDDEN)
    if bad:
        raise ExportError(f"{path.name} holds operations that some runtime gets wrong: {bad}; rewrite the model")
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in proto.graph.initializer):
        raise ExportError(f"{path.name} keeps weights outside of the file; export them inside")


def check(module: ExportGraph, feeds: Sequence[Mapping[str, np.ndarray]], path: Path) -> float:
    """Compare a graph with torch on some inputs; return the largest error relative to the largest value.

    Raises:
        ExportError: it is above `LARGEST_ERROR`.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    worst = 0.0
    for feed in feeds:
        with torch.no_grad():
            wanted = module(*(torch.from_numpy(np.ascontiguousarray(v)) for v in feed.values()))
        given = session.run(list(module.outputs), dict(feed))
        for name, a, b in zip(module.outputs, wanted, given, strict=True):
            error = float(np.abs(a.numpy() - b).max() / max(1.0, float(np.abs(b).max())))
            if not error <= LARGEST_ERROR:
                raise ExportError(f"{path.name}: {name} is off by {error:.2g} of its range, at most {LARGEST_ERROR}")
            worst = max(worst, error)
    return worst
