# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Settings and word features for training runs of a few seconds."""

from __future__ import annotations

import numpy as np
import torch
from tiny_models import SETTINGS, graph, shapes

from ris_node.models.base import System
from ris_node.models.minilm import OUT_WIDTH
from ris_node.models.registry import model_config
from ris_node.models.systems.tsmi import Tsmi
from ris_node.training.config import TrainConfig, config_from
from ris_node.training.inputs.batches import Batches
from ris_node.training.loop import Trainer


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


def system(run: TrainConfig) -> System:
    """Return the network of a run with the weights of its seed."""
    torch.manual_seed(run.seed)
    return Tsmi(model_config(run.model, run.settings), graph())


def make_trainer(run: TrainConfig, team=None) -> Trainer:
    return Trainer(run, system(run), team)


def batches(run: TrainConfig, pictures=3, share=(0, 1), kind=Batches) -> Batches:
    """Return the batches of a run on pictures of shapes."""
    pools, optim = [[shapes(seed)] for seed in range(pictures)], run.optim
    return kind(
        pools, [1.0] * pictures, images=optim.images, expressions=optim.expressions, kinds=dict(run.data.kinds),
        seed=run.seed, share=share,
    )  # fmt: skip
