# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""A trained model's two graphs as ONNX: static, batch 1, checked against torch before anyone may use them."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ris_node.atomic import replacing
from ris_node.errors import ExportError
from ris_node.models.attention import MASKED
from ris_node.models.minilm import MiniLM, minilm_folder

OPSET = 18
FORBIDDEN = frozenset({"GridSample", "ScatterND", "ScatterElements", "NonZero", "Loop", "If", "Scan", "Pow"})
LARGEST_ERROR = 1e-3  # of the largest value, between torch and ONNX Runtime
_SAMPLES = ("the car", "stop next to the second pedestrian from the left, behind the parked van")


class TextGraph(nn.Module):  # type: ignore[misc]
    """The bundle's text graph: the frozen encoder and the model's adapter."""

    def __init__(self, encoder: MiniLM, adapter: nn.Module) -> None:
        super().__init__()
        self.encoder, self.adapter = encoder, adapter

    def forward(self, tokens: torch.Tensor, token_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Map tokens i64[1,L] and their mask i64[1,L] to words f32[1,L,D] and the sentence f32[1,D]."""
        words, sentence = self.adapter(self.encoder(tokens, token_mask), token_mask)
        return words, sentence


class VisionGraph(nn.Module):  # type: ignore[misc]
    """The bundle's vision graph: a model without its text side."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, image: torch.Tensor, words: torch.Tensor, word_mask: torch.Tensor, sentence: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Map image u8[1,H,W,3] and text features to mask logits, region logits and the presence logit."""
        mask, region, presence = self.model(image, words, word_mask, sentence)
        return mask, region, presence


def export_text(encoder: MiniLM, model: Any, path: Path) -> None:
    """Write the text graph and check it on a short and a long sentence.

    Raises:
        ExportError: the file does not compute what torch computes, or holds an operation that must not be there.
    """
    length = model.config.text_tokens
    samples = [sample_tokens(text, length) for text in _SAMPLES]
    feeds = [{"tokens": tokens, "token_mask": mask} for tokens, mask in samples]
    _write(TextGraph(encoder, model.adapter).eval(), feeds, ("words", "sentence"), path)


def export_vision(encoder: MiniLM, model: Any, path: Path) -> None:
    """Write the vision graph and check it on two sentences of different length and two pictures (see `export_text`)."""
    c = model.config
    text = TextGraph(encoder, model.adapter).eval()
    rng = np.random.default_rng(0)
    feeds = []
    for sample in _SAMPLES:
        tokens, mask = sample_tokens(sample, c.text_tokens)
        with torch.no_grad():
            words, sentence = text(torch.from_numpy(tokens), torch.from_numpy(mask))
        noise = rng.integers(0, 256, (c.height // 16, c.width // 16, 3), np.uint8)
        image = np.kron(noise, np.ones((16, 16, 1), np.uint8))[None]
        word_mask = ((1 - mask) * MASKED).astype(np.float32)
        feeds.append({"image": image, "words": words.numpy(), "word_mask": word_mask, "sentence": sentence.numpy()})
    _write(VisionGraph(model).eval(), feeds, ("mask_logits", "region_logits", "presence_logit"), path)


def sample_tokens(text: str, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a text's word pieces i64[1,length] and their mask, by the encoder's own tokenizer."""
    from ris_node.language.tokenizer import WordPieces

    return WordPieces(minilm_folder() / "tokenizer.json", length).encode(text)


def _write(module: nn.Module, feeds: Sequence[Mapping[str, np.ndarray]], outputs: tuple[str, ...], path: Path) -> None:
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
            output_names=list(outputs),
            verbose=False,
        )
    with replacing(path) as part:
        program.save(str(part))
        _slim(part)
        audit(part)
        check(module, feeds, outputs, part)


def _slim(path: Path) -> None:
    """Drop what the exporter notes for debugging: names of source lines, shapes that any reader infers."""
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


def check(module: Any, feeds: Sequence[Mapping[str, np.ndarray]], outputs: tuple[str, ...], path: Path) -> float:
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
        given = session.run(list(outputs), dict(feed))
        for name, a, b in zip(outputs, wanted, given, strict=True):
            error = float(np.abs(a.numpy() - b).max() / max(1.0, float(np.abs(b).max())))
            if not error <= LARGEST_ERROR:
                raise ExportError(f"{path.name}: {name} is off by {error:.2g} of its range, at most {LARGEST_ERROR}")
            worst = max(worst, error)
    return worst
