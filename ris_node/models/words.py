# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Frozen word features of texts, computed once per text and kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ris_node.models.minilm import OUT_WIDTH, load_minilm, minilm_folder

_BATCH = 64


class WordFeatures:
    """Encodes texts with the frozen encoder; features of known texts are looked up.

    The encoder runs on `device` (None: the CPU); features are kept on the CPU in half precision, `limit` texts at most,
    the oldest leave first. With `bf16` the encoder's products are too: three times as fast, and off by less than
    dropout makes of it.
    """

    def __init__(
        self, max_tokens: int, limit: int = 150_000, bf16: bool = False, device: torch.device | None = None
    ) -> None:
        from tokenizers import Tokenizer

        self.max_tokens, self.limit = max_tokens, limit
        self._tokenizer = Tokenizer.from_file(str(minilm_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens)
        self._encoder = load_minilm()
        self._bf16, self._device = bf16, device or torch.device("cpu")
        self._encoder.to(self._device).unpack(torch.bfloat16 if bf16 else torch.float32)
        self._kept: dict[str, torch.Tensor] = {}

    def __call__(self, texts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return features f32[N,L,768] and a mask i64[N,L] (1 = word piece), L the longest text's length."""
        new = sorted({t for t in texts if t not in self._kept}, key=len)
        for start in range(0, len(new), _BATCH):
            self._encode(new[start : start + _BATCH])
        found = [self._kept[text] for text in texts]
        length = max(f.shape[0] for f in found)
        raw, mask = torch.zeros(len(texts), length, OUT_WIDTH), torch.zeros(len(texts), length, dtype=torch.int64)
        for row, features in enumerate(found):
            raw[row, : len(features)] = features.float()
            mask[row, : len(features)] = 1
        return raw, mask

    def _encode(self, texts: list[str]) -> None:
        pieces = [e.ids for e in self._tokenizer.encode_batch(texts)]
        length = max(len(p) for p in pieces)
        tokens, mask = (torch.zeros(len(texts), length, dtype=torch.int64) for _ in range(2))
        for row, ids in enumerate(pieces):
            tokens[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        with torch.no_grad(), torch.autocast(self._device.type, torch.bfloat16, enabled=self._bf16):
            features = self._encoder(tokens.to(self._device), mask.to(self._device)).half().cpu()
        for row, (text, ids) in enumerate(zip(texts, pieces, strict=True)):
            self._kept[text] = features[row, : len(ids)].clone()
        while len(self._kept) > self.limit + len(texts):
            del self._kept[next(iter(self._kept))]
