# SPDX-FileCopyrightText: 2026 ris_node authors
# SPDX-License-Identifier: Apache-2.0
"""Batches from pools of training items: the batch of step n depends on the seed and n only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch

from ris_node.models.batch import Batch
from ris_node.training.inputs.items import TrainingItem, choose, jitter


def collate(pictures: Sequence[TrainingItem], chosen: Sequence[Sequence[int]], images: Sequence[np.ndarray]) -> Batch:
    """Stack the chosen expressions of some pictures."""
    pairs = list(zip(pictures, (list(c) for c in chosen), strict=True))

    def rows(name: str) -> torch.Tensor:
        return torch.from_numpy(np.concatenate([getattr(p, name)[c] for p, c in pairs])).float()

    def maps(name: str, at: str) -> torch.Tensor:
        values = [getattr(p, name)[np.maximum(getattr(p, at)[c], 0)] for p, c in pairs]
        return torch.from_numpy(np.concatenate(values)).float() / 255.0

    return Batch(
        images=torch.from_numpy(np.stack(images)),
        texts=tuple(p.texts[i] for p, c in pairs for i in c),
        names=tuple(p.kinds[i] for p, c in pairs for i in c),
        masks=maps("masks", "mask_at"),
        regions=maps("regions", "region_at"),
        kinds=maps("kind_maps", "kind_at"),
        presence=rows("presence"),
        has_mask=rows("has_mask"),
        has_region=rows("has_region"),
        has_kind=rows("kind_at").ge(0).float(),
        meanings=rows("meanings").long(),
        classes=torch.from_numpy(np.stack([p.classes for p in pictures])).long(),
        objects=torch.from_numpy(np.stack([p.objects for p in pictures])).float().flatten(2),
        object_there=torch.from_numpy(np.stack([p.object_there for p in pictures])).float().flatten(1),
    )


class Batches:
    """Draws batches from pools of pictures; `pools[i]` holds the variants of picture i, drawn with chance `weights[i]`.

    An epoch is a random order over the pictures (weighted ones come up more or less often). `share` (i, n) makes the
    i-th of the n batches that n processes take in a step.
    """

    def __init__(
        self,
        pools: Sequence[Sequence[TrainingItem]],
        weights: Sequence[float],
        *,
        images: int,
        expressions: int,
        kinds: dict[str, float],
        seed: int,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.pools, self.images, self.expressions, self.kinds, self.seed = pools, images, expressions, kinds, seed
        self.share = share
        self._weights = np.asarray(weights, np.float64)
        self._per_epoch = max(1, round(self._weights.sum() / (images * share[1])))

    def at(self, step: int) -> Batch:
        """Make the batch of step `step`."""
        epoch, place = divmod(step, self._per_epoch)
        order = self._order(epoch)
        mine, all_of = self.share
        rng = np.random.default_rng([self.seed, 1, step, mine])
        first = (place * all_of + mine) * self.images
        picked = [order[(first + i) % len(order)] for i in range(self.images)]
        pictures = [self.pools[i][int(rng.integers(len(self.pools[i])))] for i in picked]
        chosen = [choose(p, self.expressions, self.kinds, rng) for p in pictures]
        return collate(pictures, chosen, [jitter(p.image, rng) for p in pictures])

    def between(self, first: int, last: int) -> Iterator[Batch]:
        """Yield the batches of steps first..last-1, each made while the one before is used."""
        with ThreadPoolExecutor(1) as worker:
            waiting = worker.submit(self.at, first)
            for step in range(first, last):
                batch = waiting.result()
                if step + 1 < last:
                    waiting = worker.submit(self.at, step + 1)
                yield batch

    def _order(self, epoch: int) -> list[int]:
        rng = np.random.default_rng([self.seed, 0, epoch])
        times = np.floor(self._weights + rng.random(len(self._weights))).astype(int)
        order = np.repeat(np.arange(len(times)), times)
        rng.shuffle(order)
        return order.tolist() or [0]
