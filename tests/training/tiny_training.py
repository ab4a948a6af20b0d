# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings and word features for training runs of a few seconds."""

from __future__ import annotations

import numpy as np
import torch
from tiny_models import SETTINGS

from ris_node.models.minilm import OUT_WIDTH
from ris_node.training.config import TrainConfig, config_from


class WordCodes:
    """Stands in for the text encoder where its weights are not the point: a fixed random vector for each word."""

    def __call__(self, texts):
        words = [[np.random.default_rng(list(w.encode())).normal(size=OUT_WIDTH) for w in t.split()] for t in texts]
        length = max(map(len, words))
        raw, mask = torch.zeros(len(texts), length, OUT_WIDTH), torch.zeros(len(texts), length, dtype=torch.int64)
        for row, codes in enumerate(words):
            raw[row, : len(codes)], mask[row, : len(codes)] = torch.tensor(np.stack(codes)).float(), 1
        return raw, mask


def config(run=None, **optim) -> TrainConfig:
    """A run of a tiny network; `run` changes the whole run's settings, the rest those of the optimiser."""
    values = {"steps": 60, "images": 2, "expressions": 6, "processes": 1, "warmup": 5, "rate": 3e-3, "trunk_rate": 3e-3}
    values |= {"freeze_before": "", "bf16": False, "ema": 0.9} | optim
    whole = {"settings": SETTINGS, "optim": values, "save_minutes": 1e9, "check_minutes": 1e9} | (run or {})
    return config_from(whole)
